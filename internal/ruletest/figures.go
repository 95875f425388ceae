package ruletest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// figures feed a level the recorded series that its budget and alerts read, just
// above and just below what each waits for, one moment beside the other. Nothing
// is fed that would be recorded, so the two never meet.
type figures struct {
	l     *tested
	from  int                                // the step before which no moment begins
	hold  int                                // steps of a moment
	value map[string]map[int]float64         // of each series, by moment
	names map[string]promql.Metric           // of the keys of value
	asked []func(moment int, at int) []Asked // of each moment
	begin []int                              // the steps at which moments begin, in the order of asked
}

// when says at which times a moment may be.
type when int

const (
	anyTime when = iota
	open         // while burn alerts may fire
	closed       // while none may
)

// longestSearch is how many steps are looked through for a time for a moment:
// three weeks, so that a pattern of the week has three.
const longestSearch = 21 * 24 * 6

// just is how far from a threshold a moment is.
const just = 0.02

// figures are those of all levels. A composite begins when its components are
// done: its alerts would hold theirs back, and go on once they have begun.
func (s *Suite) figures() []*figures {
	var all []*figures
	ends := map[sla.ID]int{}
	for len(ends) < len(s.all) {
		before := len(ends)
		for _, groups := range s.all {
			id := groups[0].ID
			if _, done := ends[id]; done {
				continue
			}
			from, ready := s.afterComponents(id, ends)
			if !ready {
				continue
			}
			for _, g := range groups {
				f := newFigures(g, from)
				all, ends[id] = append(all, f), max(ends[id], f.end())
			}
		}
		if len(ends) == before {
			break // components in a ring, which no agreement has
		}
	}
	return all
}

// afterComponents is the step after all moments of the components whose alerts a
// level holds back; false if one of them is not done.
func (s *Suite) afterComponents(composite sla.ID, ends map[sla.ID]int) (from int, ready bool) {
	for _, groups := range s.all {
		for _, p := range groups[0].PartOf {
			if p.Composite != composite || p.Alerts != sla.AlertsInhibited {
				continue
			}
			end, done := ends[groups[0].ID]
			if !done {
				return 0, false
			}
			from = max(from, end)
		}
	}
	return from, true
}

func newFigures(l *tested, from int) *figures {
	f := &figures{l: l, from: from, value: map[string]map[int]float64{}, names: map[string]promql.Metric{}}
	for _, r := range l.alert {
		f.hold = max(f.hold, steps(r.For+step-1), steps(r.KeepFiringFor))
	}
	f.hold += 2
	f.constants()
	f.budget()
	f.finals()
	f.credits()
	for _, t := range alertTests() {
		if t.figures != nil && len(l.labelsOf(t.kind.Name)) > 0 {
			t.figures(f)
		}
	}
	return f
}

// moment begins one and says what is asked at its end.
func (f *figures) moment(asked func(moment, at int) []Asked) { f.momentAt(anyTime, asked) }

// momentAt is moment at the first time of a kind that is free; false if there is
// none.
func (f *figures) momentAt(w when, asked func(moment, at int) []Asked) bool {
	for begin := f.from; begin < f.end()+longestSearch; begin++ {
		last := begin + f.hold - 1
		taken := slices.ContainsFunc(f.begin, func(other int) bool { return begin < other+f.hold && other < begin+f.hold })
		if !taken && (w == anyTime || w == open && f.l.hours.alerting(begin, last) || w == closed && f.l.hours.never(begin, last)) {
			f.begin, f.asked = append(f.begin, begin), append(f.asked, asked)
			f.seen()
			return true
		}
	}
	return false
}

// end is the step after all moments until now.
func (f *figures) end() int {
	end := f.from
	for _, begin := range f.begin {
		end = max(end, begin+f.hold)
	}
	return end
}

// seen keeps a group in sight, of whom rules ask what it was promised.
func (f *figures) seen() {
	if f.l.group != nil {
		f.set(f.l.named(metricnames.TotalPeriod, metricnames.Period, f.l.Period.String()), 1)
	}
}

// set is the value of a series in the moment that was begun last.
func (f *figures) set(series promql.Metric, value float64) {
	key := series.String()
	if f.value[key] == nil {
		f.value[key], f.names[key] = map[int]float64{}, series
	}
	f.value[key][len(f.asked)-1] = value
}

// constants asks what the level promises, and that nothing fires while nothing is
// bad.
func (f *figures) constants() {
	l := f.l
	f.moment(func(_, at int) []Asked {
		var quiet []Asked
		for _, t := range alertTests() {
			if t.figures != nil && !t.whileUnmeasured && len(l.labelsOf(t.kind.Name)) > 0 && (l.first() || !t.kind.WholeLevel) {
				quiet = append(quiet, l.alerts(t.kind.Name, at))
			}
		}
		all := []Asked{
			rounded(l.named(metricnames.TargetRatio), at, math.Round(l.TargetRatio().Float64()*scale)),
			rounded(l.named(metricnames.ObjectiveRatio), at, math.Round(l.ObjectiveRatio().Float64()*scale)),
		}
		return append(quiet, slices.DeleteFunc(all, func(a Asked) bool {
			return !l.recorded[metricnames.TargetRatio] || !l.recorded[metricnames.ObjectiveRatio]
		})...)
	})
}

// tiers bring each tier about alone: all windows above its threshold, the long and
// the short one below it, and, where it asks for a least count, too little in the
// long one. The least urgent tier comes first, since a page holds tickets back.
func (f *figures) tiers() {
	budget := f.l.ObjectiveBudget()
	for _, t := range slices.Backward(f.l.Alerting.Tiers) {
		threshold, _ := t.ThresholdWithin(f.l.share, budget)
		above, below := threshold.Float64()*(1+just), threshold.Float64()*(1-just)
		for _, m := range []struct {
			long, short float64
			enough      bool
			fires       bool
			when        when
		}{
			{above, above, true, true, open},
			{below, above, true, false, open},
			{above, above, true, true, anyTime}, // not of a level with hours, of which every moment costs many
			{above, below, true, false, open},
			{above, above, false, false, open},
		} {
			if !m.enough && !f.gated(t.Long) || m.when == anyTime && f.l.Masked() {
				continue
			}
			now := 0.
			there := f.momentAt(m.when, func(_, at int) []Asked {
				all := []Asked{f.l.burning(t, at, m.fires)}
				if m.fires { // afterwards it goes on, as nothing is measured
					all = append(append(all, f.l.told(t, at)), f.worst(now, at)...)
				}
				return all
			})
			if there {
				now = above * f.weight(t.Long)
				f.window(sla.BaseWindow, now, true)
				f.window(t.Short, m.short*f.weight(t.Long), true)
				f.window(t.Long, m.long*f.weight(t.Long), m.enough)
			}
		}
	}
}

// worst asks whether a group whose share was bad in the last minutes is among the
// worst of its level.
func (f *figures) worst(bad float64, at int) []Asked {
	burn := bad / f.l.ObjectiveBudget().Float64()
	if f.l.group == nil || burn < 1+just/2 {
		return nil
	}
	return []Asked{between(f.l.named(metricnames.GroupWorst), at, burn*(1-1e-6), burn*(1+1e-6))}
}

// closed brings the first tier about outside of hours, where nobody is told.
func (f *figures) closed() {
	l := f.l
	if !l.Masked() || len(l.Alerting.Tiers) == 0 {
		return
	}
	t := l.Alerting.Tiers[0]
	threshold, _ := t.ThresholdWithin(l.share, l.ObjectiveBudget())
	if f.momentAt(closed, func(_, at int) []Asked { return []Asked{l.alerts(sla.AlertBudgetBurn.Name, at)} }) {
		above := threshold.Float64() * (1 + just) * f.weight(t.Long)
		f.window(sla.BaseWindow, above, true)
		f.window(t.Short, above, true)
		f.window(t.Long, above, true)
	}
}

// weight sets which share of a window is agreed time, half of it, and is what its
// bad share has to be multiplied with to weigh as much as without.
func (f *figures) weight(w time.Duration) float64 {
	const half = 0.5
	if f.l.Alerting.WeighByTraffic {
		f.set(f.l.named(metricnames.TrafficRatio+sla.FormatDuration(w)), half)
		return 1 / half
	}
	if !f.l.Masked() {
		return 1
	}
	f.set(f.l.named(metricnames.AgreedRatio+sla.FormatDuration(w)), half)
	return f.l.share.Float64() / half
}

// sums are the series of least counts of a window, where they are recorded.
func (f *figures) sums(w time.Duration) (bad, total string) {
	if name := metricnames.BadSum + sla.FormatDuration(w); f.l.recorded[name] {
		bad = name
	}
	if name := metricnames.TotalSum + sla.FormatDuration(w); f.l.recorded[name] {
		total = name
	}
	return bad, total
}

func (f *figures) gated(w time.Duration) bool {
	bad, total := f.sums(w)
	return bad != "" || total != ""
}

// window sets the bad share of a window, with enough events in it or not. The
// ratio is recorded where both of its sums are fed.
func (f *figures) window(w time.Duration, ratio float64, enough bool) {
	l := f.l
	bad, total := f.sums(w)
	size, _ := l.EventSize()
	least := func(events int) float64 { // clearly more, or fewer, than are asked for
		if enough {
			return 2 * float64(events) * size.Float64()
		}
		return float64(events) * size.Float64() / 2
	}
	events, badEvents := least(l.Alerting.MinimumEvents), least(l.Alerting.MinimumBadEvents)
	switch {
	case bad != "" && total != "":
		if enough {
			events = max(events, badEvents/ratio)
		}
		f.set(l.named(total), events)
		f.set(l.named(bad), events*ratio)
		return
	case bad != "":
		f.set(l.named(bad), badEvents)
	case total != "":
		f.set(l.named(total), events)
	}
	f.set(l.named(ratioName(w)), ratio)
}

// budget brings the period's budget to a known value and asks what is recorded
// about it.
func (f *figures) budget() {
	l := f.l
	if !f.summed() {
		return
	}
	f.remaining(anyTime, 0.5, func(at int) []Asked {
		of := func(name string) promql.Metric { return l.named(name, metricnames.Period, l.Period.String()) }
		all := []Asked{
			rounded(of(metricnames.ErrorPeriod), at, math.Round(l.TargetBudget().Float64()/2*scale)),
			rounded(of(metricnames.BurnRate), at, scale/2),
			rounded(of(metricnames.BudgetRemaining), at, scale/2),
		}
		if bad := l.TargetBudget().Float64() / 2; l.Period.Calendar != "" { // at best, with any part of a period to come
			all = append(all, between(of(metricnames.BestPossible), at, (1-bad)*(1-1e-6), (1-bad/2)*(1+1e-6)))
		}
		return all
	})
}

// summed tells whether the level's rules make a budget of the sums that the tests
// feed for a period: not where all time is agreed except at single dates, for then
// only the tables of dates say how much, and they begin long after the tests.
func (f *figures) summed() bool {
	if f.l.Masked() && f.l.hours.agreedAlways() {
		return false
	}
	return f.l.recorded[metricnames.BadPeriod] && f.l.recorded[metricnames.TotalPeriod]
}

// finals asks what is recorded about a calendar period that has ended.
func (f *figures) finals() {
	l := f.l
	for _, p := range l.Periods() {
		if p.Calendar == "" {
			continue
		}
		of := []string{metricnames.Period, p.String(), metricnames.Start, "before"}
		share := l.TargetBudget().Float64() / 2
		f.moment(func(_, at int) []Asked {
			return []Asked{rounded(l.named(metricnames.ErrorPrevious, of...), at, math.Round(share*scale))}
		})
		f.set(l.named(metricnames.TotalPrevious, of...), scale)
		f.set(l.named(metricnames.BadPrevious, of...), share*scale)
	}
}

// credits asks what is owed just before a tier of credits and just after it, for
// the period that is running and for the one before, and how much is left.
func (f *figures) credits() {
	l := f.l
	owed, p := sla.Decimal{}, l.CreditPeriod()
	period := []string{metricnames.Period, p.String()}
	for _, t := range l.Credits.Tiers {
		for _, beyond := range []bool{false, true} {
			lost := t.Budget().Float64() * (1 - just)
			if beyond {
				lost, owed = t.Budget().Float64()*(1+just), t.Percent
			}
			percent := math.Round(owed.Float64() * scale)
			left := max(0, t.Budget().Float64()-lost) * p.Nominal().Minutes()
			minutes := l.named(metricnames.CreditMinutes, append(period, metricnames.Tier, t.Below.String())...)
			if p.Calendar == "" && f.summed() {
				f.lost(anyTime, p, lost, func(at int) []Asked {
					asked := []Asked{rounded(l.named(metricnames.CreditPercent, period...), at, percent)}
					if !l.Masked() { // whose periods are as long as their agreed time
						asked = append(asked, between(minutes, at, left*(1-1e-6)-1e-6, left*(1+1e-6)+1e-6))
					}
					return asked
				})
			}
			if p.Calendar == "" {
				continue
			}
			before := append(period, metricnames.Start, "owed") // of another period, whose share the rules record
			f.moment(func(_, at int) []Asked {
				return []Asked{
					rounded(l.named(metricnames.CreditPercent, period...), at, percent),
					rounded(l.named(metricnames.CreditPrevious, before...), at, percent),
				}
			})
			f.set(l.named(metricnames.BestPossible, period...), 1-lost)
			f.set(l.named(metricnames.ErrorPrevious, before...), lost)
		}
	}
}

// remaining begins a moment in which so much of the first period's budget is left,
// with the whole period measured.
func (f *figures) remaining(w when, left float64, asked func(at int) []Asked) bool {
	return f.lost(w, f.l.Period, f.l.TargetBudget().Float64()*(1-left), asked)
}

// lost begins a moment in which a share of a period was bad, with the whole
// period measured.
func (f *figures) lost(w when, p sla.Period, share float64, asked func(at int) []Asked) bool {
	l := f.l
	if !f.momentAt(w, func(_, at int) []Asked { return asked(at) }) {
		return false
	}
	period := []string{metricnames.Period, p.String()}
	total := 2 * p.Longest().Seconds() // more than the period's seconds, so that it is covered
	f.set(l.named(metricnames.TotalPeriod, period...), total)
	f.set(l.named(metricnames.BadPeriod, period...), total*share)
	if !l.Aggregation.ByTime() {
		f.set(l.named(metricnames.CoveragePeriod, period...), 1)
	}
	if l.recorded[removed.Sum] {
		f.set(l.named(removed.Sum, period...), 0)
	}
	return true
}

// removed is what conditions have taken out of the agreed time.
var removed = metricnames.TallyOf("removed", metricnames.RemovedMask)

// input is what is fed over all moments. In a moment that says nothing about a
// series there is no sample of it, and no stale marker, which would stand where the
// rules may record one.
func (f *figures) input() []Input {
	var all []Input
	moments := f.inTime()
	for _, key := range f.keys() {
		var parts []string
		for _, m := range moments {
			for len(parts) < f.begin[m] {
				parts = append(parts, "_")
			}
			v, ok := f.value[key][m]
			for range f.hold {
				if ok {
					parts = append(parts, number(v))
				} else {
					parts = append(parts, "_")
				}
			}
		}
		all = append(all, input(f.names[key], strings.Join(parts, " ")))
	}
	return all
}

// inTime are the moments as they follow one another.
func (f *figures) inTime() []int {
	all := make([]int, len(f.begin))
	for m := range all {
		all[m] = m
	}
	slices.SortFunc(all, func(a, b int) int { return cmp.Compare(f.begin[a], f.begin[b]) })
	return all
}

func (f *figures) keys() []string {
	var keys []string
	for key := range f.value {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// questions are all of them, each at the end of its moment.
func (f *figures) questions() []Asked {
	var all []Asked
	for m, asked := range f.asked {
		all = append(all, asked(m, f.begin[m]+f.hold-1)...)
	}
	return all
}
