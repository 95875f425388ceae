package emit_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// rulesOf is the rule file of an agreement, or why there is none.
func rulesOf(a *sla.Agreement, opts rulegen.Options, how emit.RuleOptions) (text string, findings sla.Findings) {
	opts.Now = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	var out strings.Builder
	w := emit.NewRuleWriter(&out, how)
	err := w.Begin(a)
	if err == nil {
		findings, err = rulegen.Each(a, opts, w.Level)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err.Error(), findings
	}
	return out.String(), findings
}

// specifications are all agreements of the examples and of the golden tests.
func specifications(t *testing.T) []*sla.Agreement {
	t.Helper()
	all, findings := spec.Load("../../examples")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		more, _ := spec.LoadText(file, string(archive.Files[0].Data))
		all = append(all, more...)
	}
	return all
}

// named is the agreement under another name, and its levels for other services.
func named(a *sla.Agreement, name string) *sla.Agreement {
	b := *a
	b.Name, b.Levels = name, nil
	for i, l := range a.Levels {
		c := *l
		c.ID = sla.ID{SLA: name, Service: fmt.Sprint(name, "-service-", i), SLO: l.ID.SLO}
		b.Levels = append(b.Levels, &c)
	}
	return &b
}

// What is printed by the text of levels before is what is made anew, of every
// specification, in every layout, and with names that are no plain words.
func TestPatternsPrintWhatIsMadeAnew(t *testing.T) {
	t.Parallel()
	specs := specifications(t)
	for i, how := range []emit.RuleOptions{
		{},
		{GroupSize: 400},
		{GroupPrefix: "sla", Limit: 100, QueryOffset: time.Minute},
		{Format: "operator", Operator: emit.OperatorObject{Name: "upheld-x", Namespace: "monitoring"}},
	} {
		plain, known := rulegen.Options{}, rulegen.Options{Patterns: emit.NewPatterns()}
		for n, a := range specs {
			if i > 0 && n%4 > 0 { // layouts are tried with some
				continue
			}
			for _, name := range []string{a.Name, "bank", "no", "1e3", "y-1", "xq7-sla", "long-" + strings.Repeat("x", 50)} {
				for _, labels := range []map[string]string{nil, {"cluster": "eu"}}[:2-min(i, 1)] {
					b := named(a, name)
					plain.Labels, known.Labels = labels, labels
					plain.Dashboard = "https://grafana.example/d/upheld-" + name
					known.Dashboard = plain.Dashboard
					want, wantFindings := rulesOf(b, plain, how)
					got, findings := rulesOf(b, known, how)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("%s as %s (-made anew +printed):\n%s", a.Name, name, diff)
					}
					if diff := cmp.Diff(wantFindings, findings); diff != "" {
						t.Fatalf("%s as %s, findings:\n%s", a.Name, name, diff)
					}
				}
			}
		}
	}
}

// Whatever differs in a level is seen: after a level and one that is alike, each
// with one thing changed gets the rules that it would get alone. So whatever is
// added to a level later is tried too.
func TestPatternsSeeEveryDifference(t *testing.T) {
	t.Parallel()
	tried, differing, kinds := 0, 0, map[string]bool{}
	for _, a := range specifications(t) {
		for _, l := range a.Levels {
			kind := fmt.Sprintf("%T %s %t %d %t", l.Indicator, l.Aggregation, l.Masked(), len(l.GroupBy.Labels), l.Period.Calendar != "")
			if l.Indicator == nil || kinds[kind] {
				continue
			}
			kinds[kind] = true
			one := *a
			one.Levels = []*sla.ServiceLevel{l}
			known := rulegen.Options{Patterns: emit.NewPatterns(), Dashboard: "https://grafana.example/d/x"}
			plain := rulegen.Options{Dashboard: known.Dashboard}
			for _, name := range []string{"first", "second"} {
				rulesOf(named(&one, name), known, emit.RuleOptions{})
			}
			base, _ := rulesOf(named(&one, "third"), plain, emit.RuleOptions{})
			eachChange(l, func(changed *sla.ServiceLevel, what string) {
				defer func() { recover() }() // some changes make no level at all, which no reader lets through
				one.Levels = []*sla.ServiceLevel{changed}
				want, wantFindings := rulesOf(named(&one, "third"), plain, emit.RuleOptions{})
				got, findings := rulesOf(named(&one, "third"), known, emit.RuleOptions{})
				tried++
				if want != base {
					differing++
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s with another %s (-made anew +printed):\n%s", l.ID, what, diff)
				}
				if diff := cmp.Diff(wantFindings, findings); diff != "" {
					t.Errorf("%s with another %s, findings:\n%s", l.ID, what, diff)
				}
			})
		}
	}
	t.Logf("%d changes, %d of which change rules", tried, differing)
	if tried < 2000 || differing < 800 {
		t.Errorf("only %d changes were tried, %d of them of rules", tried, differing)
	}
}

// eachChange calls use with copies of a level that each differ in one value.
func eachChange(l *sla.ServiceLevel, use func(changed *sla.ServiceLevel, what string)) {
	for n := 0; ; n++ {
		level := reflect.ValueOf(l).Elem()
		c := change{left: n}
		copied := c.copy(level, "")
		if c.what == "" {
			return
		}
		changed := copied.Interface().(sla.ServiceLevel)
		use(&changed, c.what)
	}
}

// change copies a value and changes the one before which `left` others can be.
type change struct {
	left int
	what string // was changed
}

// here tells whether this is the one.
func (c *change) here(what string) bool {
	c.left--
	if c.left == -1 {
		c.what = what
		return true
	}
	return false
}

func (c *change) copy(v reflect.Value, path string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch old := v.Interface().(type) {
	case sla.Position:
		return out
	case sla.Decimal:
		if c.here(path) {
			out.Set(reflect.ValueOf(old.Mul(sla.NewDecimal(999, 1000))))
		}
		return out
	case *sla.Calendar, *sla.Exclusion:
		if !v.IsNil() && c.here(path) {
			out.SetZero()
		}
		return out
	case *sla.Composite, sla.Check:
		return out
	}
	switch v.Kind() {
	case reflect.String:
		if c.here(path) {
			out.SetString(v.String() + "x")
		}
	case reflect.Bool:
		if c.here(path) {
			out.SetBool(!v.Bool())
		}
	case reflect.Int, reflect.Int64:
		if c.here(path) {
			out.SetInt(2*v.Int() + 1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				out.Field(i).Set(c.copy(v.Field(i), path+"."+field.Name))
			}
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(c.copy(v.Elem(), path))
		}
	case reflect.Pointer:
		c.pointer(v, out, path)
	case reflect.Slice:
		c.slice(v, out, path)
	case reflect.Map:
		if texts, ok := reflect.TypeAssert[map[string]string](v); ok && c.here(path) {
			more := maps.Clone(texts)
			if more == nil {
				more = map[string]string{}
			}
			more["added"] = "text"
			out.Set(reflect.ValueOf(more))
		}
	}
	return out
}

func (c *change) pointer(v, out reflect.Value, path string) {
	if v.Type().Elem().Kind() != reflect.Struct {
		return
	}
	if c.here(path) {
		if out.SetZero(); v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
		}
		return
	}
	if !v.IsNil() {
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(c.copy(v.Elem(), path))
	}
}

func (c *change) slice(v, out reflect.Value, path string) {
	if c.here(path) {
		if v.Len() > 0 {
			out.Set(v.Slice(0, v.Len()-1))
		} else {
			out.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		return
	}
	if v.IsNil() {
		return
	}
	out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
	for i := range v.Len() {
		out.Index(i).Set(c.copy(v.Index(i), fmt.Sprint(path, "[", i, "]")))
	}
}

// Levels that are alike take a fraction of what one that is made anew takes.
func TestPatternsSaveWork(t *testing.T) {
	agreements, findings := spec.Load("../../examples/smallest.yaml", "../../examples/calendar-periods.yaml", "../../examples/service-hours.yaml")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	for _, a := range agreements {
		l := a.Levels[0]
		many := *a
		for i := range 50 {
			c := *l
			c.ID.Service = fmt.Sprint("service-", i)
			many.Levels = append(many.Levels, &c)
		}
		many.Levels = slices.Delete(many.Levels, 0, len(a.Levels))
		allocations := func(p func() *rulegen.Patterns) float64 {
			return testing.AllocsPerRun(3, func() { rulesOf(&many, rulegen.Options{Patterns: p()}, emit.RuleOptions{}) })
		}
		anew := allocations(func() *rulegen.Patterns { return nil })
		if alike := allocations(emit.NewPatterns); alike > anew/2 {
			t.Errorf("%s: %.0f allocations, %.0f of levels made anew", a.Name, alike, anew)
		}
	}
}
