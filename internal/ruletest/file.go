// Package ruletest makes tests of generated rules for `promtool test rules`: input
// series, and which series the rules must then record and which alerts must fire.
// docs/generate.md says what is tested and what is not.
//
// The same tests work for Prometheus before version 3, where ranges include their left
// edge, and later versions: every compared figure is either the same with one more
// sample, or has bounds that allow both.
package ruletest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// File is a file of tests as promtool reads it.
type File struct {
	RuleFiles []string `yaml:"rule_files"`
	// EvaluationInterval is how often promtool evaluates every group, whatever
	// interval the group has.
	EvaluationInterval string   `yaml:"evaluation_interval"`
	GroupEvalOrder     []string `yaml:"group_eval_order,flow,omitempty"`
	Tests              []Test   `yaml:"tests"`
	Notes              []string `yaml:"-"` // what is not tested, and why
	// Name distinguishes the files of an agreement: "" for the main one,
	// "days", "missing", "outages", or an instant as "20261225T1200".
	Name string `yaml:"-"`
}

// Test is an evaluation from 1970 on, with its input and what is expected of it.
type Test struct {
	Name     string        `yaml:"name"`
	Interval string        `yaml:"interval"`
	Input    []Input       `yaml:"input_series"`
	Expect   []Expectation `yaml:"promql_expr_test"`
}

// Input is one series in promtool's notation of values.
type Input struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`

	about promql.Metric // the series
}

func input(series promql.Metric, values string) Input {
	return Input{series.String(), values, series}
}

// Expectation is an expression and the samples that it must give. No samples means
// that there must be none.
type Expectation struct {
	Expr    string   `yaml:"expr"`
	At      string   `yaml:"eval_time"`
	Samples []Sample `yaml:"exp_samples"`

	about promql.Metric // the series that is compared
}

// Sample is one expected sample.
type Sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

const (
	// step is the evaluation interval: long enough for three days to take about a
	// second a level, and short enough to see tiers fire one after the other.
	step = 10 * time.Minute
	// inputInterval is the interval of input samples. No sample is on the left edge
	// of five minutes, so rates are the same in all servers.
	inputInterval = 2 * time.Minute
)

// steps is how many whole steps a duration has, rounded up.
func steps(d time.Duration) int { return int((d + step - 1) / step) }

func at(steps int) string { return sla.FormatDuration(time.Duration(steps) * step) }

// phase is a time in which a series changes in one way.
type phase struct {
	steps  int
	change float64 // of a counter, from sample to sample
	value  float64 // of a gauge
	gone   bool    // the series has no samples
}

// counter prints the values of a counter over phases. A counter that is born late
// has no samples before its first phase with a change, except the 0 it is born with.
func counter(phases []phase, born bool) string {
	var parts []string
	last := 0.
	for i, s := range phases {
		if i == 0 && born && s.change == 0 {
			parts = append(parts, fmt.Sprintf("_x%d 0", s.steps*int(step/inputInterval)))
			continue
		}
		if s.gone {
			break // for promtool, a series without further samples has ended
		}
		n := s.steps * int(step/inputInterval)
		first, more := last+s.change, n-1
		if i == 0 { // there is a sample at time 0, too
			first, more = 0, n
		}
		parts = append(parts, fmt.Sprintf("%s+%sx%d", number(first), number(s.change), more))
		last = first + s.change*float64(more)
	}
	return strings.Join(parts, " ")
}

// gauge prints the values of a gauge over phases.
func gauge(phases []phase) string {
	var parts []string
	for i, s := range phases {
		if s.gone {
			break
		}
		more := s.steps*int(step/inputInterval) - 1
		if i == 0 {
			more++
		}
		parts = append(parts, fmt.Sprintf("%s+0x%d", number(s.value), more))
	}
	return strings.Join(parts, " ")
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// identity are the labels of everything that a level records.
func identity(id sla.ID, extra map[string]string) promql.Metric {
	return promql.Metric{metricnames.SLA: id.SLA, metricnames.Service: id.Service, metricnames.SLO: id.SLO}.With(extra)
}

// named is a recorded series of the level.
func (l *levelUnderTest) named(name string, more ...string) promql.Metric {
	m := l.own.With(promql.Metric{nameLabel: name})
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

const nameLabel = "__name__"

// scale makes shares whole numbers, so that rounding errors of servers do not
// matter.
const scale = 1e6

// rounded expects a share, in millionths.
func rounded(m promql.Metric, steps int, want float64) Expectation {
	labels := m.With(nil)
	delete(labels, nameLabel)
	return Expectation{
		Expr: fmt.Sprintf("round(%s * %s)", m, number(scale)), At: at(steps),
		Samples: []Sample{{labels.String(), want}}, about: m,
	}
}

// between expects a value between bounds.
func between(m promql.Metric, steps int, low, high float64) Expectation {
	labels := m.With(nil)
	delete(labels, nameLabel)
	return Expectation{
		Expr: fmt.Sprintf("(%[1]s > bool %[2]s) * (%[1]s < bool %[3]s)", m, number(low), number(high)), At: at(steps),
		Samples: []Sample{{labels.String(), 1}}, about: m,
	}
}

// none expects that a series has no sample.
func none(m promql.Metric, steps int) Expectation {
	return Expectation{Expr: m.String(), At: at(steps), Samples: []Sample{}, about: m}
}
