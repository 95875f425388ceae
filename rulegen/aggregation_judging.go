package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// judging makes the base series of a level whose minutes or slots are judged
// one by one.
type judging struct {
	counting
	agreed  agreedTime
	missing missingData
}

// judgement is how bad a slot is.
type judgement struct {
	bad   promql.Expr
	words []string // explain its constants
}

// judgement is how bad a slot is, or what a quorum of locations says. An empty
// slot is 0, unless it is declared unknown. The 0 depends on the series of bad
// events. That exists wherever there is a total, except for a histogram without
// a bucket for the threshold, which must not read as good.
func (j judging) judgement() judgement {
	if j.Slots.Quorum > 0 {
		return judgement{j.quorum(), j.quorumWords()}
	}
	by := judgement{bad: j.slotShare()}
	if limit := j.aggregation().limit; limit != nil {
		most := limit(j.Slots)
		by = judgement{most.exceeded(by.bad), []string{most.words}}
	}
	by.words = append(by.words, j.busyWords()...)
	if j.Slots.EmptyUnknown {
		return by
	}
	by.bad = promql.OrOn(by.bad, promql.Mul(promql.Num(zero), j.recorded(j.into.bad).Now()), j.groupLabels()...)
	by.words = append(by.words, "Without requests it is 0.")
	return by
}

// spread makes the base series of minutes that are judged one by one.
func (j judging) spread(by judgement) []Rule { return j.spreadCounted(by, nil) }

// spreadCounted makes the base series of judged minutes: the known share and the
// bad share of the last five minutes. A range half an interval shorter than five
// minutes holds exactly their judgements, whether or not a server counts the
// range's left edge.
//
// In a level with masks, each minute is agreed time and excused by itself. kept is
// the mask of the minute, and counted is how much of the judgement counts; nil
// means the whole judgement where kept is 1.
func (j judging) spreadCounted(by judgement, counted func(kept promql.Selector) promql.Expr) []Rule {
	slots, evaluations := promql.Num(sla.NewDecimal(int64(sla.BaseWindow), int64(j.interval))), j.evaluationsIn(sla.BaseWindow)
	share := func(name string) promql.Expr {
		return promql.Div(j.recorded(name).SumOverTime(j.samples(sla.BaseWindow)), slots)
	}
	total, worst := j.measured()
	rules := append(j.missing.judgedOrMissing(j.weighed(by)),
		j.record(total, promql.Div(j.recorded(metricnames.SlotJudged).CountOverTime(j.samples(sla.BaseWindow)), slots)).
			says("Known seconds per second: the share of the last 5m that is judged.").says("%s", evaluations),
		j.record(worst, share(metricnames.SlotJudged)).
			says("Bad seconds per second: the share of the last 5m that was bad.").says("%s", evaluations),
	)
	if !j.Masked() {
		return rules
	}
	at, judged, agreed := j.inMinute(), j.recorded(metricnames.SlotJudged).Now(), j.recorded(metricnames.SlotAgreed)
	known := promql.Add(promql.Mul(promql.Num(zero), judged), promql.Num(one))
	rules = append(rules, j.record(metricnames.SlotAgreed, times(known, j.agreed.agreedAt(at)...)).
		says("1 if the last minute is agreed service time, else 0."))
	if excused := j.agreed.outside(at, treatsAsUp); len(excused) > 0 {
		rules = append(rules, j.record(metricnames.SlotKept, times(agreed.Now(), excused...)).
			says("1 if failures of the last minute count: it is agreed service time, and no exclusion treats it as up."))
	}
	counts := func(kept promql.Selector) promql.Expr {
		if counted == nil {
			return promql.Mul(judged, kept.Now())
		}
		return j.weighed(judgement{bad: counted(kept)}).bad
	}
	served, failed := known, judged
	if j.ServiceHours != nil && len(j.Exclusions) > 0 {
		rules = append(rules, j.record(metricnames.SlotServed, times(known, j.agreed.inService(at)...)).
			says("1 if the last minute is within service hours, else 0."))
		served, failed = j.recorded(metricnames.SlotServed).Now(), counts(j.recorded(metricnames.SlotServed))
	}
	rules = append(rules,
		j.record(metricnames.SlotCounted, counts(j.recorded(j.keptMask()))).says("How much of the last minute's badness counts."),
		j.record(metricnames.TotalRate, share(metricnames.SlotAgreed)).
			says("Known seconds of agreed time per second, of the last 5m.").says("%s", evaluations),
		j.record(metricnames.BadRate, share(metricnames.SlotCounted)).
			says("Bad seconds that count per second, of the last 5m.").says("%s", evaluations))
	return append(rules, j.agreed.leftOut(at, []leaving{
		{metricnames.ExcludedTotalRate, served, metricnames.SlotAgreed, "known minutes"},
		{metricnames.ExcludedBadRate, failed, metricnames.SlotCounted, "bad minutes"},
	})...)
}

// weight is how much of a minute counts if it is bad, with findings about its
// query; no expression if the level has none. NaN is unknown.
func (j judging) weight() (promql.Expr, sla.Findings) {
	q := j.Slots.Weight
	if q.Text == "" {
		return promql.Expr{}, nil
	}
	expr, findings := shareOf(q)
	if findings.HasErrors() {
		return promql.Expr{}, findings
	}
	known := j.atCut(promql.Avg(promql.Ge(expr, promql.Num(zero)), j.groupLabels()...))
	full := promql.Add(promql.Mul(promql.Num(zero), j.total()), promql.Num(one))
	return promql.OrOn(promql.ClampMax(known, one), full, j.groupLabels()...), append(j.groupsOf(q, expr.Loses), filtered(q, "a bad minute counts in full", expr.ValueFilters(j.groupLabels()...))...)
}

// weighed is the judgement of a minute times its weight.
func (j judging) weighed(by judgement) judgement {
	weight, findings := j.weight()
	if weight.IsZero() || findings.HasErrors() {
		return by
	}
	return judgement{promql.MulLeft(by.bad, weight, j.groupLabels(), nil), append(by.words, "Times the weight of the minute, 1 where it has none.")}
}

// inRuns counts bad minutes in runs of at least MinRun. When a run has become
// long enough all its minutes count at once, later ones one by one. So figures
// are up to MinRun late, and right from then on.
func (j judging) inRuns(by judgement) []Rule {
	const badMinute, qualified = metricnames.SlotBadMinute, metricnames.SlotQualified
	n := sla.NewDecimal(int64(j.Slots.MinRun), int64(j.interval))
	window := j.samples(j.Slots.MinRun)
	now := j.recorded(qualified).Now()
	before := promql.OrOn(j.recorded(qualified).Offset(j.interval), promql.Mul(promql.Num(zero), now), j.groupLabels()...)
	begun := promql.GtBool(now, before)
	minRun := sla.FormatDuration(j.Slots.MinRun)
	judged := judgement{promql.Add(now, promql.Mul(begun, promql.Num(n.Sub(one)))), []string{
		fmt.Sprintf("%s = evaluations in %s - 1: when the run is long enough, its minutes before this one count too", inRules(n.Sub(one)), minRun),
	}}
	return append([]Rule{
		j.record(badMinute, by.bad).says("1 if the last minute was bad, else 0.").saysAll(by.words),
		j.record(qualified, j.always(badMinute, j.slotsOf(j.Slots.MinRun))).
			says("1 while minutes have been bad for %s in a row, else 0.", minRun).saysAll(alwaysWords(j.slotsOf(j.Slots.MinRun))),
	}, j.spreadCounted(judged, func(kept promql.Selector) promql.Expr {
		earlier := promql.Sub(kept.SumOverTime(window), kept.Now()) // minutes of the run that count, before this one
		return promql.Add(promql.Mul(now, kept.Now()), promql.Mul(begun, earlier))
	})...)
}

// held makes the base series of slots of five minutes or more. A slot is judged
// at its end, and the judgement counts while the next slot lasts: error rates
// of sliding windows would have another mean than those of fixed slots.
func (j judging) held(by judgement) []Rule {
	judged := j.recorded(metricnames.SlotJudged).Now()
	total, worst := j.measured()
	return slices.Concat(j.missing.judgedOrMissing(by), []Rule{
		j.record(total, is1(judged)).says("Known seconds per second: 1 while the last slot has a judgement."),
		j.record(worst, judged).says("Bad seconds per second: the judgement of the last slot, while the next one lasts."),
	}, j.agreed.masked(j.inSlot()))
}

// inMinute takes masks as they were in the minute that is read: the last one
// recorded before its end, or the current one if there was none. A condition is
// looked at again at the minute's end, as states are.
func (j judging) inMinute() moment {
	return moment{
		recorded:  func(s promql.Selector) promql.Expr { return promql.Or(j.atCut(s.Offset(tick)), s.Now()) },
		condition: j.atCut,
	}
}

// inSlot takes masks as they were in the middle of the slot that is read.
func (j judging) inSlot() moment {
	return moment{
		recorded: func(s promql.Selector) promql.Expr {
			return j.atCut(s.Offset(j.into.window/2 - j.masks.interval()/2))
		},
		condition: func(e promql.Expr) promql.Expr { return j.atCut(promql.AtStep(e, time.Minute, j.into.window/2)) },
	}
}
