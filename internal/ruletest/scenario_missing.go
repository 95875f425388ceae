package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// missingScenario is the scenario of a level whose missing data counts: first results
// and scrapes, then scrapes without results, then neither. It is evaluated every
// minute, since rules look back a few minutes for scrapes.
type missingScenario struct {
	l      *levelUnderTest
	inputs []inputSeries
	length time.Duration // of each of the three phases
}

const (
	missingStep     = time.Minute
	missingInterval = 15 * time.Second
)

// settled is how long before the end of a phase the figures are checked.
const settled = 2 * time.Minute

// newMissingScenario returns nil for a level without such a scenario.
func newMissingScenario(l *levelUnderTest) *missingScenario {
	if l.MissingData == sla.MissingExcluded || l.Masked() || l.Slots.Quorum > 0 || sla.LookedAt(l.Indicator) {
		return nil
	}
	if inputs := rawSeriesOf(l); inputs != nil {
		return &missingScenario{l: l, inputs: inputs, length: 30 * time.Minute}
	}
	return nil
}

func (o *missingScenario) of() []*levelUnderTest {
	counted := *o.l
	counted.inputs = o.inputs
	return []*levelUnderTest{&counted}
}

func (o *missingScenario) input() []Input {
	samples := int(o.length / missingInterval)
	up := promql.Metric{nameLabel: metricnames.Up, metricnames.Job: "anything"}
	var all []Input
	for _, f := range o.inputs {
		if job := f.series[metricnames.Job]; job != "" {
			up[metricnames.Job] = job
		}
		values := fmt.Sprintf("0+%sx%d", number(f.of(0)), samples)
		if f.gauge {
			values = fmt.Sprintf("%s+0x%d", number(f.of(0)), samples)
		}
		all = append(all, input(f.series, values))
	}
	return append(all, input(up, fmt.Sprintf("1+0x%d", 2*samples)))
}

func (o *missingScenario) expectations() []Expectation {
	l := o.l
	at := func(part int, a Expectation) Expectation {
		a.At = sla.FormatDuration(time.Duration(part)*o.length - settled)
		return a
	}
	total, bad := l.named(metricnames.TotalRate), l.named(metricnames.BadRate)
	counts := 0.
	if l.MissingData == sla.MissingBad {
		counts = scale
	}
	const exact = 0.02
	return []Expectation{
		at(1, between(total, 0, 1-exact, 1+exact)), at(1, rounded(bad, 0, 0)), at(1, rounded(l.named(metricnames.MissingRate), 0, 0)),
		at(2, between(total, 0, 1-exact, 1+exact)), at(2, rounded(bad, 0, counts)), at(2, rounded(l.named(metricnames.MissingRate), 0, scale)),
		at(3, none(total, 0)),
	}
}

// missing returns the file for missing data. It has no tests if there is nothing to
// test.
func (s *Suite) missing(ruleFiles, groups []string) File {
	var all [][]scenario
	for _, groups := range s.all {
		if o := newMissingScenario(groups[0]); o != nil {
			all = put(all, o)
		}
	}
	f := File{
		Name: "missing", RuleFiles: ruleFiles, EvaluationInterval: sla.FormatDuration(missingStep), GroupEvalOrder: groups,
		Notes: []string{"Of missing data: evaluated every minute, since rules look back a few minutes for scrapes."},
	}
	f.add("results and scrapes, scrapes alone, neither", all)
	for i, t := range f.Tests {
		f.Tests[i].Interval = sla.FormatDuration(missingInterval)
		slices.SortStableFunc(t.Input, func(a, b Input) int { return strings.Compare(a.Series, b.Series) })
		f.Tests[i].Input = slices.CompactFunc(t.Input, func(a, b Input) bool { return a.Series == b.Series }) // several levels may have the same job
	}
	return f
}
