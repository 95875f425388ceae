package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// view says whether exclusions count on which the parties do not agree.
type view int

const (
	// settled is what holds: claims that all have approved, and the exclusions of the
	// agreement, contested or not.
	settled view = iota
	strict       // no contested exclusion
	lenient      // claims that are pending or contested too
)

// exclusion is what takes time out for a level: an exclusion of the agreement, or what
// was claimed afterwards.
type exclusion struct {
	*sla.Exclusion
	spans sla.Spans // instead of its own, if claimed
	claim bool
}

// exclusionsOf are the exclusions of a level by a view: those of the agreement, then the
// claims in their order.
func (in Input) exclusionsOf(l *sla.ServiceLevel, by view) []exclusion {
	var all []exclusion
	for _, e := range l.Exclusions {
		all = append(all, exclusion{Exclusion: e})
	}
	for _, a := range in.Agreement.Adjustments {
		x := a.Excluded
		if x == nil || !a.Effective() || a.Void(in.Agreement.Adjustments) || !x.Covers(l.ID) || by != lenient && in.open(a) != "" {
			continue
		}
		span := sla.Union(x.Span)
		if x.Exclusion == "" {
			all = append(all, exclusion{&sla.Exclusion{Name: a.Name, Category: x.Category, Effect: x.Effect}, span, true})
			continue
		}
		named := func(e *sla.Exclusion) bool { return e.Name == x.Exclusion }
		if i := slices.IndexFunc(all, func(e exclusion) bool { return e.claim && named(e.Exclusion) }); i >= 0 {
			all[i].spans = sla.Union(append(slices.Clone(all[i].spans), span...)...)
		} else if i := slices.IndexFunc(l.OnClaim, named); i >= 0 {
			all = append(all, exclusion{l.OnClaim[i], span, true})
		}
	}
	return append(all, in.lateness(l, by)...)
}

// open says why a claim does not count yet; "" if it does.
func (in Input) open(a *sla.Adjustment) string {
	var why []string
	for _, p := range a.Lacking() {
		why = append(why, fmt.Sprintf("the %s has not approved it", p))
	}
	if len(a.DisputedBy(in.Agreement.Adjustments)) > 0 {
		why = append(why, "it is disputed")
	}
	return strings.Join(why, ", and ")
}

// contested is the time in which an exclusion of the agreement does not hold: by the
// strict view where a party disputes it, by the others only where the parties agree
// that it does not hold.
func (in Input) contested(e *sla.Exclusion, l *sla.ServiceLevel, by view) sla.Spans {
	var spans []sla.Span
	for _, a := range in.Agreement.Adjustments {
		if d := a.Disputed; d != nil && d.OfAdjustment == nil && d.Of == e.Name && a.Effective() && a.InTime() && d.Covers(l.ID) && (by == strict || a.Accepted()) {
			spans = append(spans, d.Span)
		}
	}
	return sla.Union(spans...)
}

// disagree returns whether the parties disagree on an exclusion of the level, and how.
func (in Input) disagree(l *sla.ServiceLevel, within sla.Span) (why []string) {
	for _, a := range in.Agreement.Adjustments {
		if !a.Effective() || a.Void(in.Agreement.Adjustments) || a.Accepted() {
			continue
		}
		if x := a.Excluded; x != nil && x.Covers(l.ID) && overlap(x.Span, within) && in.open(a) != "" {
			why = append(why, fmt.Sprintf("%q: %s", a.Name, in.open(a)))
		}
		if d := a.Disputed; d != nil && d.OfAdjustment == nil && d.Covers(l.ID) && overlap(d.Span, within) && a.InTime() {
			why = append(why, fmt.Sprintf("%q: the %s disputes it", d.Of, a.By))
		}
	}
	return append(why, in.unsettledLateness(l)...)
}

func overlap(a, b sla.Span) bool { return a.From.Before(b.To) && b.From.Before(a.To) }

// claims lists what was claimed afterwards, for the report.
func (in Input) claims() []Exclusion {
	var all []Exclusion
	for _, a := range in.Agreement.Adjustments {
		x := a.Excluded
		if x == nil || !a.Effective() || !overlap(x.Span, sla.Span{From: in.Start, To: in.End}) {
			continue
		}
		e := Exclusion{
			Name: a.Name, Category: x.Category, Effect: string(x.Effect), Spans: []TimeSpan{{x.From.UTC(), x.To.UTC()}},
			Seconds: sla.Seconds(x.To.Sub(x.From)).Rounded(9), Approval: "approved: " + a.Rule().Doc(),
		}
		if a.Void(in.Agreement.Adjustments) {
			e.Approval = "does not count: a dispute of it was approved"
		} else if why := in.open(a); why != "" {
			e.Approval = "does not count: " + why
		}
		all = append(all, e)
	}
	return all
}

// causeIn returns why a level was down, as the parties wrote it down; "" if they did
// not.
func (in Input) causeIn(l *sla.ServiceLevel, within sla.Span) string {
	var causes []string
	for _, a := range in.Agreement.Adjustments {
		if c := a.Cause; c != nil && a.Effective() && c.Covers(l.ID) && overlap(c.Span, within) {
			causes = append(causes, fmt.Sprintf("%s: %s", c.By, c.What))
		}
	}
	return strings.Join(causes, "; ")
}

// corrected replaces what was measured at a place by what the parties agreed on. Of
// levels that count events, counts stay and are all good or all bad.
func (in Input) corrected(l sla.ID, p Place, bySeconds bool) Place {
	for _, a := range in.Agreement.Adjustments {
		c := a.Corrected
		if c == nil || !a.Effective() || in.open(a) != "" || !c.Covers(l) || !matches(p.Labels, c.Labels) {
			continue
		}
		var stretches []Stretch
		for _, s := range p.Stretches {
			stretches = append(stretches, outsideOf(s, c.Span, bySeconds)...)
			if bySeconds || !overlap(sla.Span{From: s.From, To: s.To}, c.Span) {
				continue
			}
			in := insideOf(s, c.Span)
			if s.State == Known { // what is missing stays so: there is nothing to correct
				in = observed(in, c.State)
			}
			stretches = append(stretches, in)
		}
		if bySeconds {
			stretches = append(stretches, observed(Stretch{From: c.From, To: c.To, State: Known, Total: 1}, c.State))
		}
		slices.SortFunc(stretches, func(a, b Stretch) int { return a.From.Compare(b.From) })
		p.Stretches = stretches
	}
	return p
}

// agreedOn returns the places of a level. A level that counts seconds and has none gets
// one place, with what the parties agreed that it was.
func (in Input) agreedOn(l *sla.ServiceLevel, places []Place) []Place {
	if _, made := l.Indicator.(*sla.Composite); made || len(places) > 0 || l.Aggregation.Counts() != sla.CountsSeconds {
		return places
	}
	if p := in.corrected(l.ID, Place{}, true); len(p.Stretches) > 0 {
		return []Place{p}
	}
	return nil
}

func matches(labels, want map[string]string) bool {
	for name, value := range want {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// observed is a stretch as a correction says it was.
func observed(s Stretch, state sla.Observed) Stretch {
	switch state {
	case sla.WasGood:
		s.Bad = 0
	case sla.WasBad:
		s.Bad = s.Total
	case sla.WasUnknown:
		return Stretch{From: s.From, To: s.To, State: Missing}
	}
	return s
}

// insideOf is the part of a stretch in a span that it overlaps, with its part of what was
// counted.
func insideOf(s Stretch, span sla.Span) Stretch {
	in := s
	if in.From.Before(span.From) {
		in.From = span.From
	}
	if in.To.After(span.To) {
		in.To = span.To
	}
	part := float64(in.To.Sub(in.From)) / float64(s.To.Sub(s.From))
	in.Total, in.Bad = s.Total*part, s.Bad*part
	return in
}

// outsideOf returns the parts of a stretch before and after a span. If the level counts
// seconds, only the bad share of a stretch matters, so counts stay exact.
func outsideOf(s Stretch, span sla.Span, bySeconds bool) []Stretch {
	var parts []Stretch
	for _, left := range (sla.Spans{{From: s.From, To: s.To}}).Without(sla.Union(span)) {
		part := insideOf(s, left)
		if bySeconds {
			part.Total, part.Bad = s.Total, s.Bad
		}
		parts = append(parts, part)
	}
	return parts
}
