package inspect

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// good checks the series of good events. There may be no errors yet, but successes must
// have been there within a day, as the rules demand: a total without any means that the
// selector is wrong. of are the query's selectors, without those of other series than
// rules count.
func (l *level) good(q sla.Query, of []promql.Selector, total bool) {
	var none []promql.Selector
	for _, s := range of {
		if l.number(promql.Count(s.Now())) > 0 {
			l.isCounter(q, s)
			continue
		}
		none = append(none, s)
	}
	if !total || len(none) < len(of) { // the other terms of a sum may still appear
		for _, s := range none {
			if s.Name() != "" && l.exists(q, s) {
				l.labelled(q, s)
			}
		}
		return
	}
	for _, s := range none {
		if l.number(promql.Count(s.CountOverTime(24*time.Hour))) > 0 || l.err != nil {
			return
		}
	}
	for _, s := range none {
		why, remedy := l.whyNone(s)
		l.findings = append(l.findings, sla.Finding{
			Severity: sla.Error, Rule: "no-good", Pos: q.At(s.Place()), Remedy: remedy,
			Message: fmt.Sprintf("good selects nothing, so that the level %q would be unknown: %s", l.of.ID.SLO, why),
		})
	}
}

// whyNone says why a selector finds nothing, and what to write instead.
func (l *level) whyNone(s promql.Selector) (why, remedy string) {
	if s.Name() == "" {
		return "there is no such series", "look for it where the service is scraped"
	}
	if l.number(promql.Count(promql.Series(s.Name()).Now())) == 0 {
		why, remedy = "the server has no series called "+s.Name(), "look for it where the service is scraped"
		if near := spec.Nearest(s.Name(), l.metrics()); near != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		return why, remedy
	}
	for _, label := range s.Wants() {
		if l.number(promql.Count(promql.Series(s.Name(), promql.Ne(label, "")).Now())) == 0 {
			return fmt.Sprintf("no series of %s has a label %q", s.Name(), label), "look at one of them: " + l.one(s.Name())
		}
	}
	if other := l.other(s); other.text != "" {
		return fmt.Sprintf("of its series of %s, none has %s", s.Name(), other.text), other.remedy()
	}
	return fmt.Sprintf("the server has series called %s, and none with these labels", s.Name()), "look at one of them: " + l.one(s.Name())
}

// other is a condition of a selector that no series meets although all other conditions
// are met, and the existing values.
type other struct {
	text   string // the condition as PromQL; "" for none
	label  string
	near   string   // the value that was probably meant
	values []string // all existing ones
}

// most is how many values are shown.
const most = 5

func (o other) remedy() string {
	if o.near != "" {
		return fmt.Sprintf("did you mean %s=%q?", o.label, o.near)
	}
	shown := make([]string, 0, most)
	for _, v := range o.values[:min(len(o.values), most)] {
		shown = append(shown, strconv.Quote(v))
	}
	text := fmt.Sprintf("its values of %s are %s", o.label, strings.Join(shown, ", "))
	if more := len(o.values) - most; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// other searches for the condition that keeps a selector from finding anything: first
// for one whose value is similar to an existing one.
func (l *level) other(s promql.Selector) other {
	var first other
	for i, c := range s.Conditions() {
		o := other{text: c.Text, label: c.Label}
		for _, sample := range l.vector(promql.CountBy(s.Except(i).Now(), c.Label)) {
			if v := string(sample.Metric[model.LabelName(c.Label)]); v != "" {
				o.values = append(o.values, v)
			}
		}
		slices.Sort(o.values)
		if o.near = nearest(c, o.values); o.near != "" {
			return o
		}
		if first.text == "" && len(o.values) > 0 {
			first = o
		}
	}
	return first
}

// nearest is the value that a condition probably meant: the next number, or the word
// with the most similar spelling.
func nearest(c promql.Condition, values []string) string {
	want, err := strconv.ParseFloat(c.Example, 64)
	if c.Label != model.BucketLabel || err != nil {
		return spec.Nearest(c.Example, values)
	}
	near, least := "", math.Inf(1)
	for _, text := range values {
		v, err := strconv.ParseFloat(text, 64)
		if d := math.Abs(v - want); err == nil && d < least {
			near, least = text, d
		}
	}
	return near
}
