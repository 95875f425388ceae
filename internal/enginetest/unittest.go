package enginetest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"gopkg.in/yaml.v3"
)

// UnitTest tests rules with a file of tests, like `promtool test rules`, which has the
// same code for evaluating rules. It returns the first expectation that fails, "" if
// none does. It costs half as much as promtool, which prints and parses each rule at
// each step, and stops at the first failure. It only supports what our test files
// contain: PromQL expressions and floats.
func UnitTest(t testing.TB, ruleFile, testFile []byte) (failure string) {
	t.Helper()
	lean()
	var file unitTests
	if err := yaml.Unmarshal(testFile, &file); err != nil {
		t.Fatal(err)
	}
	for i := range file.Tests {
		u := &unit{t: t, file: &file, unitTest: &file.Tests[i]}
		if failure := u.run(ruleFile); failure != "" {
			return fmt.Sprintf("%s: %s", u.Name, failure)
		}
	}
	return ""
}

// unitTests is a file of tests.
type unitTests struct {
	RuleFiles []string       `yaml:"rule_files"`
	Interval  model.Duration `yaml:"evaluation_interval"`
	Order     []string       `yaml:"group_eval_order"`
	Tests     []unitTest     `yaml:"tests"`
}

type unitTest struct {
	Name     string         `yaml:"name"`
	Interval model.Duration `yaml:"interval"`
	Input    []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Expect []expectation `yaml:"promql_expr_test"`
}

type expectation struct {
	Expr    string         `yaml:"expr"`
	At      model.Duration `yaml:"eval_time"`
	Samples []struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	} `yaml:"exp_samples"`
}

// unit is one test of a file.
type unit struct {
	t testing.TB
	*unitTest
	file   *unitTests
	store  *teststorage.TestStorage
	engine *promql.Engine
	input  []inputSeries
}

// inputSeries are the samples of a series that are not stored yet.
type inputSeries struct {
	labels labels.Labels
	values []parser.SequenceValue
	ref    storage.SeriesRef
	next   int
}

// run evaluates all groups at each step, and then checks what is expected by then.
func (u *unit) run(ruleFile []byte) (failure string) {
	u.t.Helper()
	groups := u.load(ruleFile)
	defer func() {
		_ = u.engine.Close()
		if err := u.store.Close(); err != nil {
			u.t.Error(err)
		}
	}()
	for _, in := range u.Input {
		l, values, err := language.ParseSeriesDesc(in.Series + " " + in.Values)
		if err != nil {
			u.t.Fatalf("%s: series %s: %v", u.Name, in.Series, err)
		}
		u.input = append(u.input, inputSeries{labels: l, values: values})
	}
	slices.SortStableFunc(u.Expect, func(a, b expectation) int { return cmp.Compare(a.At, b.At) })
	left := u.Expect
	for at := time.Duration(0); len(left) > 0; at += time.Duration(u.file.Interval) {
		u.append(at)
		for _, g := range groups {
			g.Eval(context.Background(), time.Unix(0, 0).Add(at))
			for _, r := range g.Rules() {
				if err := r.LastError(); err != nil {
					return fmt.Sprintf("rule %s at %s: %v", r.Name(), at, err)
				}
			}
		}
		for ; len(left) > 0 && time.Duration(left[0].At) <= at; left = left[1:] {
			if failure := u.holds(left[0]); failure != "" {
				return failure
			}
		}
	}
	return ""
}

// load makes the storage, the engine and the groups, like promtool.
func (u *unit) load(ruleFile []byte) []*rules.Group {
	u.t.Helper()
	files := &memory{map[string][]byte{}, remembering{language, map[string]parser.Expr{}}, false}
	for _, name := range u.file.RuleFiles {
		files.files[name] = ruleFile
	}
	var err error
	if u.store, err = teststorage.NewWithError(small); err != nil {
		u.t.Fatal(err)
	}
	u.engine = promql.NewEngine(promql.EngineOpts{
		MaxSamples: 10_000, Timeout: time.Hour, EnableAtModifier: true, EnableNegativeOffset: true, Parser: files.language,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Duration(u.file.Interval).Milliseconds() },
	})
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(u.engine, u.store), Appendable: u.store, Queryable: u.store,
		Context: context.Background(), NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Parser: language, GroupLoader: files, RuleDependencyController: sequential{}, Logger: slog.New(slog.DiscardHandler),
	})
	byName, errs := manager.LoadGroups(time.Duration(u.Interval), labels.EmptyLabels(), "", nil, false, u.file.RuleFiles...)
	if len(errs) > 0 {
		u.t.Fatal(errs)
	}
	groups := u.read(slices.Collect(maps.Values(byName)))
	slices.SortFunc(groups, func(a, b *rules.Group) int {
		return cmp.Compare(slices.Index(u.file.Order, a.Name()), slices.Index(u.file.Order, b.Name()))
	})
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			r.SetRestored(true)
		}
	}
	return groups
}

// read returns the groups that expectations or other such groups read: a test of one
// level need not evaluate the rules of all.
func (u *unit) read(groups []*rules.Group) []*rules.Group {
	u.t.Helper()
	var reads [][]*labels.Matcher
	for _, e := range u.Expect {
		reads = append(reads, u.selectors(e.Expr)...)
	}
	kept := map[*rules.Group]bool{}
	for more := true; more; {
		more = false
		for _, g := range groups {
			if kept[g] || !slices.ContainsFunc(g.Rules(), func(r rules.Rule) bool { return writesAny(r, reads) }) {
				continue
			}
			kept[g], more = true, true
			for _, r := range g.Rules() {
				reads = append(reads, u.selectors(r.Query().String())...)
			}
		}
	}
	return slices.DeleteFunc(groups, func(g *rules.Group) bool { return !kept[g] })
}

func (u *unit) selectors(text string) [][]*labels.Matcher {
	u.t.Helper()
	expr, err := language.ParseExpr(text)
	if err != nil {
		u.t.Fatal(err)
	}
	return parser.ExtractSelectors(expr)
}

// writesAny returns whether a series that a rule may write matches any of the
// selectors. Labels that the rule does not set may have any value.
func writesAny(r rules.Rule, selectors [][]*labels.Matcher) bool {
	_, alerts := r.(*rules.AlertingRule)
	return slices.ContainsFunc(selectors, func(matchers []*labels.Matcher) bool {
		return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
			switch {
			case m.Name == labels.MetricName && alerts:
				return !m.Matches("ALERTS") && !m.Matches("ALERTS_FOR_STATE")
			case m.Name == labels.MetricName:
				return !m.Matches(r.Name())
			case m.Name == labels.AlertName && alerts:
				return !m.Matches(r.Name())
			}
			return r.Labels().Has(m.Name) && !m.Matches(r.Labels().Get(m.Name))
		})
	})
}

// append stores the samples up to a time.
func (u *unit) append(until time.Duration) {
	u.t.Helper()
	app := u.store.Appender(context.Background())
	for i := range u.input {
		in := &u.input[i]
		for ; in.next < len(in.values); in.next++ {
			at := time.Duration(in.next) * time.Duration(u.Interval)
			if at > until {
				break
			}
			v := in.values[in.next]
			if v.Omitted {
				continue
			}
			var err error
			if in.ref, err = app.Append(in.ref, in.labels, at.Milliseconds(), v.Value); err != nil {
				u.t.Fatalf("%s at %s: %v", in.labels, at, err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		u.t.Fatal(err)
	}
}

// holds returns what an expectation has instead, "" if it holds.
func (u *unit) holds(e expectation) (failure string) {
	u.t.Helper()
	got, err := rules.EngineQueryFunc(u.engine, u.store)(context.Background(), e.Expr, time.Unix(0, 0).Add(time.Duration(e.At)))
	if err != nil {
		return fmt.Sprintf("%s at %s: %v", e.Expr, e.At, err)
	}
	same := len(got) == len(e.Samples)
	for _, want := range e.Samples {
		l := scrapedLabels(u.t, want.Labels)
		same = same && slices.ContainsFunc(got, func(s promql.Sample) bool { return labels.Equal(s.Metric, l) && s.H == nil && s.F == want.Value })
	}
	if !same {
		return fmt.Sprintf("%s at %s: want %v, got %v", e.Expr, e.At, e.Samples, got)
	}
	return ""
}

func scrapedLabels(t testing.TB, text string) labels.Labels {
	t.Helper()
	l, err := language.ParseMetric(text)
	if err != nil {
		t.Fatalf("labels %q: %v", text, err)
	}
	return l
}
