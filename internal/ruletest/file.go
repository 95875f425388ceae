// Package ruletest makes tests of generated rules for `promtool test rules`: input
// series, and what the rules must then record and fire. docs/generate.md says what
// is tested and what is not.
//
// The same tests work for Prometheus before version 3, whose ranges include their
// left edge, and after it: every compared figure is either the same with one
// sample more, or has bounds that are right for both.
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
	// Name tells the file from the others of an agreement: "" for the main one,
	// "days", "missing", or an instant as "20261225T1200".
	Name string `yaml:"-"`
}

// Test is a stretch of time with what is fed and asked.
type Test struct {
	Name     string  `yaml:"name"`
	Interval string  `yaml:"interval"`
	Input    []Input `yaml:"input_series"`
	Asked    []Asked `yaml:"promql_expr_test"`
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

// Asked is an expression and the samples that it must give; no samples are
// demanded too.
type Asked struct {
	Expr    string   `yaml:"expr"`
	At      string   `yaml:"eval_time"`
	Samples []Sample `yaml:"exp_samples"`

	about promql.Metric // the series that is asked for
}

// Sample is one expected sample.
type Sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

const (
	// step is the evaluation interval: few enough evaluations for three days to
	// take about a second a level, and fine enough to see tiers fire one after
	// the other.
	step = 10 * time.Minute
	// feed is the interval of samples that are fed. No sample falls on the left
	// edge of five minutes, so that rates are the same in all servers.
	feed = 2 * time.Minute
)

// steps is how many whole steps a duration has, rounded up.
func steps(d time.Duration) int { return int((d + step - 1) / step) }

func at(steps int) string { return sla.FormatDuration(time.Duration(steps) * step) }

// stretch is a time in which a series goes on in one way.
type stretch struct {
	steps  int
	change float64 // of a counter, a sample
	value  float64 // of a gauge
	gone   bool
}

// counter prints the values of a counter over stretches. One that is born late
// is not there before its first stretch with a change, but for the 0 it is born
// with.
func counter(stretches []stretch, born bool) string {
	var parts []string
	last := 0.
	for i, s := range stretches {
		if i == 0 && born && s.change == 0 {
			parts = append(parts, fmt.Sprintf("_x%d 0", s.steps*int(step/feed)))
			continue
		}
		if s.gone {
			break // and no sample ends a series for promtool
		}
		n := s.steps * int(step/feed)
		first, more := last+s.change, n-1
		if i == 0 { // time 0 is fed too
			first, more = 0, n
		}
		parts = append(parts, fmt.Sprintf("%s+%sx%d", number(first), number(s.change), more))
		last = first + s.change*float64(more)
	}
	return strings.Join(parts, " ")
}

// gauge prints the values of a gauge over stretches.
func gauge(stretches []stretch) string {
	var parts []string
	for i, s := range stretches {
		if s.gone {
			break
		}
		more := s.steps*int(step/feed) - 1
		if i == 0 {
			more++
		}
		parts = append(parts, fmt.Sprintf("%s+0x%d", number(s.value), more))
	}
	return strings.Join(parts, " ")
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// identity is the labels of everything that a level records.
func identity(id sla.ID, extra map[string]string) promql.Metric {
	return promql.Metric{metricnames.SLA: id.SLA, metricnames.Service: id.Service, metricnames.SLO: id.SLO}.With(extra)
}

// named is a recorded series of a level.
func (l *tested) named(name string, more ...string) promql.Metric {
	m := l.own.With(promql.Metric{nameLabel: name})
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

const nameLabel = "__name__"

// scale makes shares whole numbers, in which servers do not differ by the noise
// of their arithmetic.
const scale = 1e6

// rounded asks for a series as a share in millionths.
func rounded(m promql.Metric, steps int, want float64) Asked {
	labels := m.With(nil)
	delete(labels, nameLabel)
	return Asked{
		Expr: fmt.Sprintf("round(%s * %s)", m, number(scale)), At: at(steps),
		Samples: []Sample{{labels.String(), want}}, about: m,
	}
}

// between asks whether a series lies between bounds.
func between(m promql.Metric, steps int, low, high float64) Asked {
	labels := m.With(nil)
	delete(labels, nameLabel)
	return Asked{
		Expr: fmt.Sprintf("(%[1]s > bool %[2]s) * (%[1]s < bool %[3]s)", m, number(low), number(high)), At: at(steps),
		Samples: []Sample{{labels.String(), 1}}, about: m,
	}
}

// none asks whether a series has no sample.
func none(m promql.Metric, steps int) Asked {
	return Asked{Expr: m.String(), At: at(steps), Samples: []Sample{}, about: m}
}

const alerts, isFiring = "ALERTS", "firing"

// selectAlerts selects the firing alerts of a name, without those that only say
// another one again to somebody else.
func (l *tested) selectAlerts(name string, more ...string) promql.Metric {
	m := l.named(alerts, append([]string{"alertname", name, "alertstate", isFiring}, more...)...)
	if l.escalated {
		m[metricnames.Escalation] = ""
	}
	if l.ofWholeLevel(name) {
		for label := range l.group {
			m[label] = ""
		}
	}
	return m
}

// alerts asks which of a level's alerts of a name fire, each by all its labels.
func (l *tested) alerts(name string, steps int, firing ...map[string]string) Asked {
	a := none(l.selectAlerts(name), steps)
	for _, labels := range firing {
		m := promql.Metric(labels).With(promql.Metric{nameLabel: alerts, "alertname": name, "alertstate": isFiring})
		a.Samples = append(a.Samples, Sample{m.String(), 1})
	}
	return a
}
