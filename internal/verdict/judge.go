package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Judge judges one period of an agreement. It is a pure function: the same input gives
// the same report. An error says what is wrong with the input.
func Judge(in Input) (*Report, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	inputs, err := in.Evidence.Digest()
	if err != nil {
		return nil, err
	}
	r := &Report{
		Agreement: in.Agreement.Name, Description: in.Agreement.Description, Version: 1,
		Period: ReportPeriod{Name: in.Name, Start: in.Start, End: in.End, Zone: zoneName(in.Period.Zone), Until: in.until()},
		Spec:   in.Spec, Also: in.Also,
		Inputs:     Document{SHA256: inputs},
		Sources:    append([]string{}, in.Evidence.Sources...),
		Levels:     []Level{},
		Exclusions: in.exclusions(), Obligations: []Obligation{}, Findings: []Finding{},
		Made: Made{At: in.Now.UTC(), By: in.By},
	}
	var credits []owing
	for _, l := range in.Agreement.Levels {
		p, ok := in.periodOf(l)
		if !ok {
			r.find(l, "other_period", "it is judged over %s, and not over %s", periodWords(l.Periods()), in.Period.Words())
			continue
		}
		from, to := in.boundsOf(p)
		owed := r.judgeLevel(in, l, p, from, to)
		if p == l.CreditPeriod() {
			credits = append(credits, owed...)
		}
	}
	r.settle(in, credits)
	for _, d := range in.Agreement.Declared {
		r.Levels = append(r.Levels, declared(d))
	}
	r.obligations(in)
	r.leastLeft()
	r.Verdict = worst(r.Levels)
	r.Summary = r.summary()
	return r, nil
}

func (r *Report) find(l *sla.ServiceLevel, kind, message string, args ...any) {
	r.Findings = append(r.Findings, Finding{Level: l.ID.Service + "/" + l.ID.SLO, Kind: kind, Message: fmt.Sprintf(message, args...)})
}

func zoneName(zone string) string {
	if zone == "" {
		return "UTC"
	}
	return zone
}

// periodOf returns the period of a level if it is of the kind that is judged.
func (in Input) periodOf(l *sla.ServiceLevel) (sla.Period, bool) {
	for _, p := range l.Periods() {
		if p.Calendar == in.Period.Calendar && p.Rolling == in.Period.Rolling {
			return p, true
		}
	}
	return sla.Period{}, false
}

// boundsOf are the bounds of a level's period: those of the report, or in another zone
// those of the period that contains its middle.
func (in Input) boundsOf(p sla.Period) (from, to time.Time) {
	if p == in.Period || p.Calendar == "" {
		return in.Start.UTC(), in.End.UTC()
	}
	return p.Bounds(in.Start.Add(in.End.Sub(in.Start) / 2))
}

func periodWords(periods []sla.Period) string {
	var words strings.Builder
	for i, p := range periods {
		if i > 0 {
			words.WriteString(" and ")
		}
		words.WriteString(p.Words())
	}
	return words.String()
}

// judgeLevel judges a level, or each of its groups. It returns what their credits need.
func (r *Report) judgeLevel(in Input, l *sla.ServiceLevel, p sla.Period, from, to time.Time) []owing {
	var credits []owing
	evidence, overfull := in.evidenceOf(l.ID, from, to)
	if overfull > 0 {
		r.find(l, "bad_above_total", "in %d stretches of time more was bad than there was; all of it counts as bad there", overfull)
	}
	for _, group := range groupsOf(l, evidence) {
		group.Places = in.agreedOn(l, group.Places)
		seen := func(by view) *ledger {
			return in.ledgerOf(l, p, sla.Span{From: from, To: to}, group, evidence, by)
		}
		b := seen(settled)
		level := b.report()
		if why := in.disagree(l, sla.Span{From: from, To: to}); len(why) > 0 {
			contest(&level, seen(strict), seen(lenient), why)
		}
		level.Group, level.Caps = group.Labels, b.capUses()
		for _, name := range b.timetable.unknownCaps {
			r.find(l, "cap_before_period", "the cap of %q is for a longer period, and no earlier report says what was used of it before; it counts as unused", name)
		}
		level.Gaps = gapsOf(evidence.Gaps, from, to)
		level.Places = b.places(group.Places, evidence.Weight)
		if level.Verdict == Met {
			level.But = b.buts(level.Places, level.Outages)
		}
		if !from.Equal(in.Start) || !to.Equal(in.End) {
			level.Period = &ReportPeriod{Name: in.Name, Start: from, End: to, Zone: zoneName(p.Zone), Until: b.until}
		}
		credits = append(credits, owing{len(r.Levels), b.owing(level)})
		r.Levels = append(r.Levels, level)
	}
	return credits
}

// declared reports a promise without a number.
func declared(d sla.Declared) Level {
	return Level{
		Service: d.Service, SLO: d.Name, Description: d.Description, Verdict: DeclaredOnly, Why: "It has no number, so it is reported and not scored.",
		Caps: []CapUse{}, Outages: []Outage{}, Recovery: []Recovery{}, Blame: []Blame{}, Places: []PlaceResult{}, Course: []Point{}, Gaps: []ReportedGap{}, But: []But{},
	}
}

// ledgerOf fills the ledger of a group by a view of what is excluded.
func (in Input) ledgerOf(l *sla.ServiceLevel, p sla.Period, of sla.Span, group GroupEvidence, evidence LevelEvidence, by view) *ledger {
	b := &ledger{
		level: l, from: of.From, to: of.To, until: in.sofar(of.To), unit: unitOf(l), target: l.Target, zone: p.Location(), by: by, group: group.Labels, ages: evidence.Ages,
		causes: func(within sla.Span) string { return in.causeIn(l, within) },
		serves: func(s sla.Span) bool {
			return len(common(l.Service(s.From, s.To), in.inForce(s.From, s.To), s.From, s.To)) > 0
		},
	}
	if len(l.GroupBy.Labels) > 0 {
		b.target = l.PromiseTo(group.Labels).Target
	}
	if c, ok := l.Indicator.(*sla.Composite); ok {
		b.measureComposite(in, c, evidence.Weight)
	} else {
		b.measure(in, stateOf(l, group.Places, b.zone), group.Places, evidence.Weight)
	}
	return b
}

// contest makes a verdict disputed if it depends on exclusions that the parties do not
// agree on.
func contest(v *Level, strict, lenient *ledger, why []string) {
	without, _ := strict.decide()
	with, _ := lenient.decide()
	if v.Verdict != Met && v.Verdict != Breached || without == v.Verdict && with == v.Verdict {
		return
	}
	v.Why = fmt.Sprintf("%s With everything that was claimed it is %s, without what is contested it is %s, and the parties do not agree: %s.", v.Why, with, without, strings.Join(why, "; "))
	v.Verdict, v.But = Disputed, []But{}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// groupsOf returns the groups with evidence, and those without that should have some.
func groupsOf(l *sla.ServiceLevel, e LevelEvidence) []GroupEvidence {
	groups := slices.Clone(e.Groups)
	for _, t := range l.GroupBy.Targets {
		has := func(g GroupEvidence) bool { return maps.Equal(g.Labels, t.Match) }
		if t.Required && !slices.ContainsFunc(groups, has) {
			groups = append(groups, GroupEvidence{Labels: t.Match})
		}
	}
	if len(groups) == 0 && len(l.GroupBy.Labels) == 0 {
		groups = []GroupEvidence{{}}
	}
	return groups
}

// order is the order of verdicts, the best first, of those that decide anything.
var order = []Verdict{Met, Insufficient, Disputed, Breached}

// worst is the verdict of an agreement: the worst of its levels and of their promises
// about recovery.
func worst(levels []Level) Verdict {
	rank, declared := -1, len(levels) > 0
	for _, l := range levels {
		rank = max(rank, slices.Index(order, l.Verdict))
		for _, r := range l.Recovery {
			rank = max(rank, slices.Index(order, r.Verdict))
		}
		declared = declared && l.Verdict == DeclaredOnly
	}
	switch {
	case rank >= 0:
		return order[rank]
	case declared:
		return DeclaredOnly
	}
	return NotApply
}

// exclusions lists when the exclusions of the agreement held in the period.
func (in Input) exclusions() []Exclusion {
	all := []Exclusion{}
	for _, e := range in.Agreement.Exclusions {
		spans := in.spansOf(e, in.Start.UTC(), in.End.UTC())
		x := Exclusion{Name: e.Name, Category: e.Category, Effect: string(e.Effect), Spans: []TimeSpan{}, Seconds: sla.Seconds(spans.Total()).Rounded(9)}
		for _, s := range spans {
			x.Spans = append(x.Spans, TimeSpan{s.From, s.To})
		}
		all = append(all, x)
	}
	return append(all, in.claims()...)
}

func gapsOf(gaps []Gap, from, to time.Time) []ReportedGap {
	all := []ReportedGap{}
	for _, g := range gaps {
		if !g.To.After(from) || !g.From.Before(to) {
			continue
		}
		var total, bad sum
		total.addFloat(g.Total)
		bad.addFloat(g.Bad)
		all = append(all, ReportedGap{From: g.From.UTC(), To: g.To.UTC(), Total: total.value().Rounded(9), Bad: bad.value().Rounded(9)})
	}
	return all
}
