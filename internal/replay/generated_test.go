package replay_test

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// generated are the rule files of a specification among the examples.
func generated(t *testing.T, example string) [][]byte {
	t.Helper()
	path := filepath.Join("..", "..", "examples", example+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	agreements, findings := spec.LoadText(path, string(text))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{})
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		file, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// invented is a target that has two series for every selector of raw series: they
// fit its matchers, and differ by the labels that something groups by. Counters of
// what looks bad count little but in outages.
func invented(t *testing.T, start time.Time, files [][]byte) enginetest.Target {
	t.Helper()
	recorded := map[string]bool{"ALERTS": true, "ALERTS_FOR_STATE": true}
	var exprs []parser.Expr
	for _, f := range files {
		groups, errs := rulefmt.Parse(f, false, model.UTF8Validation, language, slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				recorded[r.Record] = true
				expr, err := language.ParseExpr(r.Expr)
				if err != nil {
					t.Fatal(err)
				}
				exprs = append(exprs, expr)
			}
		}
	}
	series := map[string]map[string]string{}
	for _, expr := range exprs {
		parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
			s, ok := n.(*parser.VectorSelector)
			if !ok || recorded[s.Name] || s.Name == "" {
				return nil
			}
			for i := range 2 {
				l := fitting(s.LabelMatchers, i)
				for _, above := range path {
					if a, ok := above.(*parser.AggregateExpr); ok && !a.Without {
						for _, name := range a.Grouping {
							if l[name] == "" && name != "le" {
								l[name] = string(rune('a' + i))
							}
						}
					}
				}
				l["__name__"] = s.Name
				series[labels.FromMap(l).String()] = l
			}
			return nil
		})
	}
	if len(series) == 0 {
		t.Fatal("the rules read no raw series")
	}
	names := slices.Sorted(maps.Keys(series))
	return func(at time.Time) []enginetest.Sample {
		var all []enginetest.Sample
		for _, name := range names {
			if v, ok := valueOf(series[name], at.Sub(start).Minutes()); ok {
				all = append(all, enginetest.Sample{Series: name, Value: v})
			}
		}
		return all
	}
}

// fitting are labels that matchers fit, the i-th choice of them.
func fitting(matchers []*labels.Matcher, i int) map[string]string {
	l := map[string]string{}
	for _, m := range matchers {
		if m.Name == labels.MetricName {
			continue
		}
		candidates := append(strings.Split(regexp.MustCompile(`[()^$\\]`).ReplaceAllString(m.Value, ""), "|"),
			"500", "200", "404", "good", "bad", "a", "0.3", "1", "")
		candidates = slices.DeleteFunc(candidates, func(c string) bool { return !m.Matches(c) })
		if len(candidates) > 0 && (l[m.Name] == "" || !m.Matches(l[m.Name])) {
			l[m.Name] = candidates[min(i, len(candidates)-1)]
		}
	}
	return l
}

var looksBad = regexp.MustCompile(`^(5\d\d|bad|lost|error|failed)$`)

// valueOf is the value of a series after some minutes; false while it is not there.
func valueOf(l map[string]string, m float64) (float64, bool) {
	h := fnv.New32a()
	fmt.Fprint(h, labels.FromMap(l))
	n := float64(h.Sum32() % 7)
	if n == 6 && math.Mod(m, 90) > 75 {
		return 0, false // comes and goes
	}
	bad := slices.ContainsFunc(slices.Collect(maps.Values(l)), looksBad.MatchString)
	outages := max(0, min(m, 95)-60) + max(0, min(m, 162)-155) + max(0, min(m, 420)-300)
	switch name := l["__name__"]; {
	case name == "up":
		return 1, true
	case strings.HasSuffix(name, "_total"), strings.HasSuffix(name, "_count"), strings.HasSuffix(name, "_bucket"), strings.HasSuffix(name, "_sum"):
		count := (1 + n) * m
		if bad {
			count = (0.0002*m + 0.3*outages) * (1 + n)
		}
		if n == 3 && m > 100 {
			count -= (1 + n) * 100 // it was restarted
		}
		return 10 * max(0, count), true
	default:
		down := m > 60 && m < 95
		if down == bad {
			return 1 + n/10, true
		}
		return 0, true
	}
}

// Generated rules are evaluated as a server does, also one that was away. A short run has
// two examples, and one that tries every case each form of a rule that an example has;
// when every case is repeated, all levels of all examples go through a longer past.
func TestGeneratedRulesAreAsInAServer(t *testing.T) {
	some, all := []string{"smallest", "escalation"}, []string{
		"aggregations", "calendar-periods", "checkout", "credits", "escalation", "failed-or-slow", "fleet", "inherited",
		"multi-tenant", "probes", "recovery", "revisions", "service-hours", "shop", "smallest", "states",
	}
	minutes := testsize.Of([]time.Duration{100, 4, 30}, []time.Duration{100, 4, 60, 70, 80})
	if testsize.Every() {
		minutes = []time.Duration{100, 4, 200, 70, 120}
	}
	var runs []time.Duration
	for _, m := range minutes {
		runs = append(runs, m*time.Minute)
	}
	examples := map[string][][]byte{}
	if testsize.All() && !testsize.Every() {
		examples = distinct(t, all)
	} else {
		for _, example := range testsize.Of(some, all) {
			examples[example] = generated(t, example)
		}
	}
	for example, files := range examples {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			b := both{t: t, target: invented(t, enginetest.Start, files), files: files, start: enginetest.Start, runs: runs, mayFail: true}
			w, result := b.compare()
			fired := map[string]int{}
			for _, e := range result.Episodes {
				if !e.Firing.IsZero() {
					fired[e.Rule.Name]++
				}
			}
			t.Logf("%d series, %d episodes, %d rules that failed; fired: %v", len(w.Recorded()), len(result.Episodes), len(result.Errors), fired)
			if len(w.Recorded()) < 20 {
				t.Errorf("%d series are recorded", len(w.Recorded()))
			}
		})
	}
}
