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

// figures sets the recorded series that a level's budget and alerts read, just above
// and just below each threshold, in one moment after another. It leaves a series out of
// a moment in which rules record it.
type figures struct {
	l        *levelUnderTest
	from     int                                      // no moment begins before this step
	hold     int                                      // steps of a moment
	value    map[string]map[int]float64               // of each series, by moment
	names    map[string]promql.Metric                 // the series of the keys of value
	expected []func(moment int, at int) []Expectation // what is expected in each moment
	begin    []int                                    // the steps at which moments begin, in the order of expected
}

// when restricts the times of a moment.
type when int

const (
	anyTime when = iota
	open         // while burn alerts may fire
	closed       // while they may not
)

// longestSearch is how many steps are searched for a moment of a kind: three weeks,
// since hours repeat every week.
const longestSearch = 21 * 24 * 6

// margin is how far from a threshold a moment is.
const margin = 0.02

// figures returns the figures of all levels. A composite begins after its components,
// since its alerts would hold theirs back, and stay active once they have begun.
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
			break // a cycle of components, which the reader refuses
		}
	}
	return all
}

// afterComponents is the step after all moments of the components whose alerts a
// composite holds back; false if one of them has no moments yet.
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

func newFigures(l *levelUnderTest, from int) *figures {
	f := &figures{l: l, from: from, value: map[string]map[int]float64{}, names: map[string]promql.Metric{}}
	for _, r := range l.alert {
		if testOf(r.Alert).kind.OfAgreement {
			continue // no figure makes it fire
		}
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

// moment begins a moment; expected is what is expected at its end.
func (f *figures) moment(expected func(moment, at int) []Expectation) { f.momentAt(anyTime, expected) }

// momentAt begins a moment at the first free time of a kind; false if there is none.
func (f *figures) momentAt(w when, expected func(moment, at int) []Expectation) bool {
	for begin := f.from; begin < f.end()+longestSearch; begin++ {
		last := begin + f.hold - 1
		taken := slices.ContainsFunc(f.begin, func(other int) bool { return begin < other+f.hold && other < begin+f.hold })
		if !taken && (w == anyTime || w == open && f.l.hours.alerting(begin, last) || w == closed && f.l.hours.never(begin, last)) {
			f.begin, f.expected = append(f.begin, begin), append(f.expected, expected)
			f.seen()
			return true
		}
	}
	return false
}

// end is the step after all moments so far.
func (f *figures) end() int {
	end := f.from
	for _, begin := range f.begin {
		end = max(end, begin+f.hold)
	}
	return end
}

// seen keeps a group among those that rules have seen, so that rules record its target
// share.
func (f *figures) seen() {
	if f.l.group != nil {
		f.set(f.l.named(metricnames.TotalPeriod, metricnames.Period, f.l.Period.String()), 1)
	}
}

// set gives a series a value in the last moment that was begun.
func (f *figures) set(series promql.Metric, value float64) {
	key := series.String()
	if f.value[key] == nil {
		f.value[key], f.names[key] = map[int]float64{}, series
	}
	f.value[key][len(f.expected)-1] = value
}

// constants checks what the level promises, and expects no alert while nothing is bad.
func (f *figures) constants() {
	l := f.l
	f.moment(func(_, at int) []Expectation {
		var quiet []Expectation
		for _, t := range alertTests() {
			if t.figures != nil && !t.whileUnmeasured && len(l.labelsOf(t.kind.Name)) > 0 && (l.first() || !t.kind.WholeLevel) {
				quiet = append(quiet, l.alerts(t.kind.Name, at))
			}
		}
		all := []Expectation{
			rounded(l.named(metricnames.TargetRatio), at, math.Round(l.TargetRatio().Float64()*scale)),
			rounded(l.named(metricnames.ObjectiveRatio), at, math.Round(l.ObjectiveRatio().Float64()*scale)),
		}
		return append(quiet, slices.DeleteFunc(all, func(a Expectation) bool {
			return !l.recorded[metricnames.TargetRatio] || !l.recorded[metricnames.ObjectiveRatio]
		})...)
	})
}

// tiers sets the windows of each tier: all above its threshold, then only the long
// one below it, then only the short one, and, if it asks for a minimum of events, too
// few of them. The least urgent tier comes first, since a page holds back tickets.
func (f *figures) tiers() {
	budget := f.l.ObjectiveBudget()
	for _, t := range slices.Backward(f.l.Alerting.Tiers) {
		threshold, _ := t.ThresholdWithin(f.l.share, budget)
		above, below := threshold.Float64()*(1+margin), threshold.Float64()*(1-margin)
		for _, m := range []struct {
			long, short float64
			enough      bool
			fires       bool
			when        when
		}{
			{above, above, true, true, open},
			{below, above, true, false, open},
			{above, above, true, true, anyTime}, // not for a level with hours, where a moment takes many steps to find
			{above, below, true, false, open},
			{above, above, false, false, open},
		} {
			if !m.enough && !f.gated(t.Long) || m.when == anyTime && f.l.Masked() {
				continue
			}
			now := 0.
			there := f.momentAt(m.when, func(_, at int) []Expectation {
				all := []Expectation{f.l.burning(t, at, m.fires)}
				if m.fires { // afterwards the alert stays, since nothing is measured
					all = append(append(all, f.l.alertOfTier(t, at)), f.worst(now, at)...)
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

// worst expects a group with this bad share among the worst groups of its level.
func (f *figures) worst(bad float64, at int) []Expectation {
	burn := bad / f.l.ObjectiveBudget().Float64()
	if f.l.group == nil || burn < 1+margin/2 {
		return nil
	}
	return []Expectation{between(f.l.named(metricnames.GroupWorst), at, burn*(1-1e-6), burn*(1+1e-6))}
}

// closed sets the first tier's windows outside of hours, where no alert may fire.
func (f *figures) closed() {
	l := f.l
	if !l.Masked() || len(l.Alerting.Tiers) == 0 {
		return
	}
	t := l.Alerting.Tiers[0]
	threshold, _ := t.ThresholdWithin(l.share, l.ObjectiveBudget())
	if f.momentAt(closed, func(_, at int) []Expectation { return []Expectation{l.alerts(sla.AlertBudgetBurn.Name, at)} }) {
		above := threshold.Float64() * (1 + margin) * f.weight(t.Long)
		f.window(sla.BaseWindow, above, true)
		f.window(t.Short, above, true)
		f.window(t.Long, above, true)
	}
}

// weight sets half of a window as agreed time, and returns the factor by which its bad
// share must grow to have the same effect.
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

// sums names the series that count the events of a window, if they are recorded.
func (f *figures) sums(w time.Duration) (bad, total string) {
	if name := metricnames.BadSum + sla.FormatDuration(w); f.l.recorded[name] {
		bad = name
	}
	if name := metricnames.TotalSum + sla.FormatDuration(w); f.l.recorded[name] {
		total = name
	}
	return bad, total
}

// gated reports whether alerts ask for a minimum of events in a window.
func (f *figures) gated(w time.Duration) bool {
	bad, total := f.sums(w)
	return bad != "" || total != ""
}

// window sets the bad share of a window, with enough events in it or not. If both of
// its counts are set, rules record the share.
func (f *figures) window(w time.Duration, ratio float64, enough bool) {
	l := f.l
	bad, total := f.sums(w)
	size, _ := l.EventSize()
	least := func(events int) float64 { // clearly more, or fewer, than the minimum
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

// input is the series over all moments. If a moment does not set a series, it has no
// sample and no staleness marker there, since rules may record it.
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

// inTime returns the moments in the order of time.
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

// expectations are the expectations of all moments, each at its moment's end.
func (f *figures) expectations() []Expectation {
	var all []Expectation
	for m, expected := range f.expected {
		all = append(all, expected(m, f.begin[m]+f.hold-1)...)
	}
	return all
}
