package replay_test

import (
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
)

// unit are the groups of one level, or of what levels of an agreement share.
type unit struct {
	example string
	file    int
	groups  []rulefmt.RuleGroup
	forms   map[string]bool
	kept    bool
}

// form is a rule without its numbers and texts: rules of one form are evaluated alike.
func form(r rulefmt.Rule) string {
	return r.Record + r.Alert + numbers.ReplaceAllString(texts.ReplaceAllString(r.Expr, "text"), "number")
}

var numbers, texts = regexp.MustCompile(`\b[0-9.]+\b`), regexp.MustCompile(`"[^"]*"`)

// distinct are the rule files of examples with few levels: each form of a rule that any
// level of them has is there, and what these levels read of others. Examples of which
// nothing is left are left out.
func distinct(t *testing.T, examples []string) map[string][][]byte {
	t.Helper()
	var units []*unit
	for _, example := range examples {
		for i, file := range generated(t, example) {
			units = append(units, unitsOf(t, example, i, file)...)
		}
	}
	choose(units)
	for more := true; more; {
		more = false
		for _, u := range units {
			if !u.kept && slices.ContainsFunc(units, func(o *unit) bool { return o.kept && o.example == u.example && reads(t, o, u) }) {
				u.kept, more = true, true
			}
		}
	}
	files := map[string]map[int][]rulefmt.RuleGroup{}
	for _, u := range units {
		if u.kept {
			if files[u.example] == nil {
				files[u.example] = map[int][]rulefmt.RuleGroup{}
			}
			files[u.example][u.file] = append(files[u.example][u.file], u.groups...)
		}
	}
	texts := map[string][][]byte{}
	for example, groups := range files {
		for _, i := range slices.Sorted(maps.Keys(groups)) {
			text, err := yaml.Marshal(rulefmt.RuleGroups{Groups: groups[i]})
			if err != nil {
				t.Fatal(err)
			}
			texts[example] = append(texts[example], text)
		}
	}
	return texts
}

// choose keeps the unit with the most new forms for its size, until there are no more.
func choose(units []*unit) {
	seen := map[string]bool{}
	for {
		var best *unit
		most := 0.
		for _, u := range units {
			fresh := 0
			for f := range u.forms {
				if !seen[f] {
					fresh++
				}
			}
			if share := float64(fresh) / float64(len(u.forms)); share > most {
				best, most = u, share
			}
		}
		if best == nil {
			return
		}
		best.kept = true
		maps.Copy(seen, best.forms)
	}
}

// unitsOf takes a file apart by the names of its groups, which say layers at their end.
func unitsOf(t *testing.T, example string, file int, text []byte) []*unit {
	t.Helper()
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, language, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	var units []*unit
	byName := map[string]*unit{}
	for _, g := range groups.Groups {
		name := strings.TrimSuffix(strings.TrimSuffix(g.Name, ":long"), ":hours")
		name = strings.TrimSuffix(name, ":long")
		u := byName[name]
		if u == nil {
			u = &unit{example: example, file: file, forms: map[string]bool{}}
			byName[name], units = u, append(units, u)
		}
		u.groups = append(u.groups, g)
		for _, r := range g.Rules {
			u.forms[form(r)] = true
		}
	}
	return units
}

// reads is whether a rule of one unit reads what one of another records.
func reads(t *testing.T, reader, writer *unit) bool {
	t.Helper()
	for _, g := range reader.groups {
		for _, r := range g.Rules {
			expr, err := language.ParseExpr(r.Expr)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(parser.ExtractSelectors(expr), writer.records) {
				return true
			}
		}
	}
	return false
}

func (u *unit) records(matchers []*labels.Matcher) bool {
	return slices.ContainsFunc(u.groups, func(g rulefmt.RuleGroup) bool {
		return slices.ContainsFunc(g.Rules, func(r rulefmt.Rule) bool {
			return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
				value, ok := r.Labels[m.Name]
				if m.Name == labels.MetricName {
					value, ok = r.Record, true
				}
				return ok && !m.Matches(value)
			})
		})
	})
}
