package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
)

var (
	from = time.Date(2026, 3, 5, 10, 7, 0, 0, time.UTC)
	hour = Plan{From: from, To: from.Add(time.Hour)}
)

// ordered are the components of rules in their order, as names.
func ordered(t *testing.T, text string) []string {
	t.Helper()
	p := hour
	p.Files = []File{{"r.yaml", []byte(text)}}
	groups, err := load(p)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range newGraph(groups, func([]*labels.Matcher) bool { return false }).components() {
		var names []string
		for _, r := range c.rules {
			names = append(names, r.Name)
		}
		all = append(all, strings.Join(names, "+"))
	}
	return all
}

// Rules come after those that they read; rules that read each other, or that may
// write the same series, are together.
func TestRulesComeAfterThoseThatTheyRead(t *testing.T) {
	for name, c := range map[string]struct {
		rules string
		want  []string
	}{
		"in order":                         {`[{record: a, expr: x}, {record: b, expr: a}]`, []string{"a", "b"}},
		"in the other order":               {`[{record: b, expr: a}, {record: a, expr: x}]`, []string{"a", "b"}},
		"a cycle":                          {`[{record: a, expr: c}, {record: b, expr: a}, {record: c, expr: b}, {record: d, expr: b}]`, []string{"a+b+c", "d"}},
		"itself":                           {`[{record: a, expr: a or x}]`, []string{"a"}},
		"by label":                         {`[{record: a, expr: 'a{l="2"}', labels: {l: "1"}}, {record: a, expr: x, labels: {l: "2"}}]`, []string{"a", "a"}},
		"absent label":                     {`[{record: b, expr: 'a{l=""}'}, {record: a, expr: b, labels: {l: "1"}}]`, []string{"b", "a"}},
		"label of the series":              {`[{record: a, expr: 'b{l="2"}'}, {record: b, expr: a, labels: {k: "1"}}]`, []string{"a+b"}},
		"one series":                       {`[{record: a, expr: x}, {record: c, expr: x}, {record: a, expr: y}]`, []string{"a+a", "c"}},
		"perhaps one series":               {`[{record: a, expr: x, labels: {l: "1"}}, {record: a, expr: y, labels: {k: "1"}}]`, []string{"a+a"}},
		"other series":                     {`[{record: a, expr: x, labels: {l: "1"}}, {record: a, expr: y, labels: {l: "2"}}]`, []string{"a", "a"}},
		"any name":                         {`[{record: b, expr: 'sum({l="1"})', labels: {l: "2"}}, {record: a, expr: x, labels: {l: "1"}}]`, []string{"a", "b"}},
		"names of a pattern":               {`[{record: b, expr: 'sum({__name__=~"a.*"})'}, {record: ab, expr: x}]`, []string{"ab", "b"}},
		"alerts":                           {`[{record: n, expr: 'count(ALERTS{alertname="A"})'}, {alert: A, expr: x}, {alert: B, expr: n}]`, []string{"A", "n", "B"}},
		"state of alerts":                  {`[{record: n, expr: 'ALERTS_FOR_STATE{alertname="A"}'}, {alert: A, expr: n}]`, []string{"n+A"}},
		"label by template":                {`[{record: n, expr: 'ALERTS{severity="p"}'}, {alert: A, expr: n, labels: {severity: '{{ $value }}'}}]`, []string{"n+A"}},
		"template of a label that queries": {`[{alert: A, expr: y, labels: {v: '{{ query "n" | len }}'}}, {record: n, expr: x}]`, []string{"n", "A"}},
		"template of an annotation":        {`[{alert: A, expr: y, annotations: {v: '{{ query "n" | len }}'}}, {record: n, expr: 'ALERTS'}]`, []string{"A", "n"}},
		"in subqueries":                    {`[{record: b, expr: 'max_over_time(rate(a[5m])[1h:5m])'}, {record: a, expr: x}]`, []string{"a", "b"}},
	} {
		if diff := cmp.Diff(c.want, ordered(t, "groups: [{name: g, rules: "+c.rules+"}]")); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// A range query sees too much where a rule would read what is recorded after it, or
// at a time that is not its own.
func TestWhereRangeQueriesSeeTheSame(t *testing.T) {
	text := `groups:
- name: g
  rules:
  - {record: before, expr: x}
  - {record: reads_before, expr: before}
  - {record: reads_after, expr: after}
  - {record: reads_after_offset, expr: after offset 1m}
  - {record: reads_itself, expr: 'max_over_time(reads_itself[5m]) or x'}
  - {record: reads_after_timestamp, expr: timestamp(after)}
  - {record: reads_another_group, expr: other}
  - {record: reads_delayed, expr: delayed}
  - {record: reads_delayed_offset, expr: delayed offset 1m}
  - {record: in_the_future, expr: x offset -1m}
  - {record: pinned, expr: x @ 1772704800}
  - {record: at_the_end, expr: x @ end()}
  - {record: pinned_subquery, expr: 'max_over_time(x[1h:1m] @ start())'}
  - {record: after, expr: x}
- name: h
  rules: [{record: other, expr: x}]
- name: delayed
  query_offset: 1m
  rules:
  - {record: delayed, expr: x}
  - {record: not_yet_in_the_future, expr: x offset -1m}
`
	p := hour
	p.Files = []File{{"r.yaml", []byte(text)}}
	groups, err := load(p)
	if err != nil {
		t.Fatal(err)
	}
	g := newGraph(groups, func([]*labels.Matcher) bool { return false })
	var differ []string
	for _, r := range g.rules {
		switch expr, ok := g.ranged(r); {
		case !ok:
			differ = append(differ, r.Name)
		case expr != r.expr:
			differ = append(differ, r.Name+" = "+expr)
		}
	}
	slices.Sort(differ)
	want := []string{
		"at_the_end", "in_the_future", "pinned", "pinned_subquery", `reads_after = after{__recorded_before__="60000"}`, "reads_after_timestamp",
		`reads_itself = max_over_time(reads_itself[4m59s999ms] offset 1ms) or x`,
	}
	// What another group records for the minute before is seen, or not yet, by
	// where the two groups' moments are.
	if delayed := groups[0].rules[0].group; delayed.lives[0].first == 0 {
		t.Fatal("no evaluations")
	}
	differ = slices.DeleteFunc(differ, func(s string) bool { return strings.HasPrefix(s, "reads_delayed") })
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Thousands of rules that differ by a label are no family, and are compared quickly.
func TestManyLevelsAreApart(t *testing.T) {
	var b strings.Builder
	b.WriteString("groups:\n- name: g\n  rules:\n")
	const n = 3000
	for i := range n {
		fmt.Fprintf(&b, "  - {record: a, expr: x, labels: {level: \"%d\"}}\n", i)
	}
	if got := len(ordered(t, b.String())); got != n {
		t.Errorf("%d components, want %d", got, n)
	}
}
