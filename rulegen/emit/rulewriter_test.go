package emit

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// words are texts that are near to what YAML takes for something else.
var words = rapid.OneOf(
	rapid.SampledFrom([]string{
		"yes", "No", "y", "NULL", "~", "true", "Off", "1", "1.5", "99.90", "1e3", ".5", "0x1f", "0o7", "1_000", "1:30", "12:30:45", "2026-01-02",
		"2026-01-02 03:04:05", "5m", "1h30m", "1d", "6", "a: b", "a #b", "a#b", "a:b", "a:", "# a", "- a", "-a", "? a", ": a", "[a]", "{a}",
		"(a)", "a ", " a", "a\nb", "a\n", "\n", "\n a", "\ta", "'a'", `"a"`, "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", ",a", "é", "\u2028", "\ufeff", "a\x00b",
		"{{ $value }} bad", "a {{ $labels.x }}", "...", "---", "--- a", "<<", "=", "1 - a{b=\"c\"}", "0 * x", "Inf", ".inf", "NaN", "0.1 > x",
		"rate(a[5m]) > 0.001", `sla:bad:rate5m{sla="shop"} or on () 0 * x`,
	}),
	rapid.StringMatching(`[a-zA-Z0-9(){}:#\[\]"' ,.=_-]{0,12}`),
	rapid.String(),
)

// Every text is printed as yaml.v3 prints it. One of several lines may stand in
// double quotes instead, since blocks that begin or end with an empty line do not
// read back everywhere.
func TestTextsArePrintedAsTheLibraryWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := words.Draw(t, "value")
		want, wantErr := libraryText(value)
		var got yamlText
		err := got.pair(8, true, "expr", value)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, of the library %v", err, wantErr)
		}
		if err == nil && string(got.out) != want && (!strings.ContainsAny(value, "\n\u0085\u2028\u2029") || !readsBack(string(got.out), value)) {
			t.Fatalf("printed %q, the library prints %q", got.out, want)
		}
	})
}

// readsBack reports whether the text of a rule has the value as its expression.
func readsBack(text, value string) bool {
	var rules []map[string]string
	return yaml.Unmarshal([]byte(text), &rules) == nil && len(rules) == 1 && rules[0]["expr"] == value
}

// libraryText is how yaml.v3 prints an expression of the first rule of a group.
func libraryText(value string) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	type rule struct{ Expr string }
	type group struct{ Rules []rule }
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err = enc.Encode(struct{ Groups []group }{[]group{{[]rule{{value}}}}})
	_, text, _ = strings.Cut(out.String(), "rules:\n")
	return text, err
}

// Whatever is in a plan, the file is refused, or Prometheus reads back from it
// what was meant.
func TestRuleFilesReadBackAsMeant(t *testing.T) {
	texts := func(t *rapid.T, what string) map[string]string {
		return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "team", "tier", "x-y", "__x", ""}), words, 0, 3).Draw(t, what)
	}
	rapid.Check(t, func(t *rapid.T) {
		var level rulegen.LevelPlan
		for g := range rapid.IntRange(1, 2).Draw(t, "groups") {
			group := rulegen.Group{Name: fmt.Sprint(words.Draw(t, "group"), g), Interval: time.Minute}
			for range rapid.IntRange(1, 3).Draw(t, "rules") {
				r := rulegen.Rule{
					Comment: words.Draw(t, "comment"),
					Expr:    promql.Series("m", promql.Eq("a", words.Draw(t, "matched"))).Now(),
					Labels:  texts(t, "labels"),
				}
				if rapid.Bool().Draw(t, "alert") {
					r.Alert, r.Annotations = words.Draw(t, "name"), texts(t, "annotations")
					r.For = rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "for")
				} else {
					r.Record = rapid.SampledFrom([]string{"sla:a", "a b", "a{}", ""}).Draw(t, "record")
				}
				group.Rules = append(group.Rules, r)
			}
			level.Groups = append(level.Groups, group)
		}
		content, err := Prometheus(&rulegen.Plan{Agreement: &sla.Agreement{Name: "shop"}, Levels: []rulegen.LevelPlan{level}})
		if err != nil {
			return
		}
		back, errs := rulefmt.Parse(content, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Fatalf("%v in\n%s", errs, content)
		}
		if got, want := describe(back.Groups), describe(meant(level)); got != want {
			t.Fatalf("read back\n%s\nmeant\n%s", got, want)
		}
	})
}

func meant(level rulegen.LevelPlan) []rulefmt.RuleGroup {
	var groups []rulefmt.RuleGroup
	for _, g := range level.Groups {
		out := rulefmt.RuleGroup{Name: g.Name, Interval: model.Duration(g.Interval)}
		for _, r := range g.Rules {
			out.Rules = append(out.Rules, rulefmt.Rule{
				Record: r.Record, Alert: r.Alert, Expr: r.Expr.String(), For: model.Duration(r.For), KeepFiringFor: model.Duration(r.KeepFiringFor),
				Labels: r.Labels, Annotations: r.Annotations,
			})
		}
		groups = append(groups, out)
	}
	return groups
}

func describe(groups []rulefmt.RuleGroup) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "%q %s\n", g.Name, g.Interval)
		for _, r := range g.Rules {
			fmt.Fprintf(&b, "  %q %q %q %s %s\n", r.Record, r.Alert, r.Expr, r.For, r.KeepFiringFor)
			for _, texts := range []map[string]string{r.Labels, r.Annotations} {
				for _, k := range slices.Sorted(maps.Keys(texts)) {
					fmt.Fprintf(&b, "    %q %q\n", k, texts[k])
				}
			}
		}
	}
	return b.String()
}

// A rule that Prometheus refuses is refused, also after its like was accepted.
func TestRulesThatPrometheusRefusesAreRefused(t *testing.T) {
	good := func() rulegen.Rule {
		return rulegen.Rule{
			Alert: "A", Expr: promql.Series("m", promql.Eq("a", "x")).Now(),
			Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{"summary": "{{ $value }} bad"},
		}
	}
	write := func(name string, rules ...rulegen.Rule) error {
		w := NewRuleWriter(io.Discard, RuleOptions{})
		return w.Level(rulegen.LevelPlan{Groups: []rulegen.Group{{Name: name, Interval: time.Minute, Rules: rules}}})
	}
	if err := write("g", good(), good()); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*rulegen.Rule){
		"a template that does not parse": func(r *rulegen.Rule) { r.Annotations["summary"] = "{{ $valu }} bad" },
		"a template in a label":          func(r *rulegen.Rule) { r.Labels["team"] = "{{ shop" },
		"a label name":                   func(r *rulegen.Rule) { r.Labels["te-am"] = "shop" },
		"a label value that is no UTF-8": func(r *rulegen.Rule) { r.Labels["team"] = "\xff" },
		"no name":                        func(r *rulegen.Rule) { r.Alert = "" },
		"a recording rule that waits":    func(r *rulegen.Rule) { r.Record, r.Alert, r.Annotations, r.For = "a", "", nil, time.Minute },
		"a recording rule's name":        func(r *rulegen.Rule) { r.Record, r.Alert, r.Annotations = "a-b", "", nil },
		"no expression":                  func(r *rulegen.Rule) { r.Expr = promql.Expr{} },
	} {
		bad := good()
		change(&bad)
		if err := write("g", good(), bad); err == nil {
			t.Errorf("%s was let through", what)
		}
	}
	w := NewRuleWriter(io.Discard, RuleOptions{})
	twice := rulegen.LevelPlan{Groups: []rulegen.Group{{Name: "g", Interval: time.Minute}, {Name: "g", Interval: time.Minute}}}
	if err := w.Level(twice); err == nil {
		t.Error("a group that is there twice was let through")
	}
}
