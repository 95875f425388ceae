package emit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

func written(t *testing.T, opts emit.RuleOptions, files ...string) string {
	t.Helper()
	agreements, findings := spec.Load(files...)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return writtenOf(t, opts, agreements...)
}

func writtenOf(t *testing.T, opts emit.RuleOptions, agreements ...*sla.Agreement) string {
	t.Helper()
	var out bytes.Buffer
	w := emit.NewRuleWriter(&out, opts)
	if err := writeAll(w, rulegen.Options{}, agreements); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func writeAll(w *emit.RuleWriter, rules rulegen.Options, agreements []*sla.Agreement) error {
	for _, a := range agreements {
		if err := w.Begin(a); err != nil {
			return err
		}
		if _, err := rulegen.Each(a, rules, w.Level); err != nil {
			return err
		}
		if _, err := w.End(); err != nil {
			return err
		}
	}
	return w.Close()
}

// readGroup is a group as any reader of YAML sees it.
type readGroup struct {
	Name        string
	Interval    string
	QueryOffset string `yaml:"query_offset"`
	Limit       int
	Rules       []map[string]any
}

func groupsIn(t *testing.T, text string) []readGroup {
	t.Helper()
	var file struct{ Groups []readGroup }
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file.Groups
}

const shop, calendars = "../../examples/shop.yaml", "../../examples/calendar-periods.yaml"

// The objects of the operator hold what the rule file holds, in order.
func TestOperatorObjectsHoldTheSameRules(t *testing.T) {
	type object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name, Namespace string
			Labels          map[string]string
		}
		Spec struct{ Groups []readGroup }
	}
	labels := map[string]string{"prometheus": "main", "app.kubernetes.io/part-of": "1", "on": "yes"}
	text := written(t, emit.RuleOptions{Format: "operator", Operator: emit.OperatorObject{Name: "upheld-shop", Namespace: "no", Labels: labels}}, shop)
	var groups []readGroup
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	for {
		var got object
		if err := dec.Decode(&got); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if got.APIVersion != "monitoring.coreos.com/v1" || got.Kind != "PrometheusRule" || !strings.HasPrefix(got.Metadata.Name, "upheld-shop") ||
			got.Metadata.Namespace != "no" || !maps.Equal(got.Metadata.Labels, labels) {
			t.Errorf("object %+v", got.Metadata)
		}
		groups = append(groups, got.Spec.Groups...)
	}
	if d := cmp.Diff(groupsIn(t, written(t, emit.RuleOptions{}, shop)), groups); d != "" {
		t.Error(d)
	}
}

// No object is larger than the operator takes, and none repeats another.
func TestOperatorObjectsAreParted(t *testing.T) {
	agreements, _ := spec.Load(shop)
	a := agreements[0]
	one := a.Levels[3]
	for i := range 100 {
		l := *one
		l.ID.SLO = fmt.Sprintf("l%d", i)
		a.Levels = append(a.Levels, &l)
	}
	text := writtenOf(t, emit.RuleOptions{Format: "operator", Operator: emit.OperatorObject{Name: "x"}}, a)
	var names []string
	groups := 0
	parts := strings.Split(text, "\n---\n")
	for i, part := range parts {
		if last := i == len(parts)-1; !last && len(part) < 100<<10 {
			t.Errorf("object %d has only %d bytes", i, len(part))
		}
		if applied := asJSON(t, part); len(applied) > 256<<10 {
			t.Errorf("object %d has %d bytes as JSON, which kubectl apply keeps in an annotation", i, len(applied))
		}
		var object struct {
			Metadata struct{ Name string }
			Spec     struct{ Groups []readGroup }
		}
		if err := yaml.Unmarshal([]byte(part), &object); err != nil {
			t.Fatal(err)
		}
		names, groups = append(names, object.Metadata.Name), groups+len(object.Spec.Groups)
	}
	if !slices.Equal(names[:3], []string{"x", "x-2", "x-3"}) || names[len(names)-1] != fmt.Sprintf("x-%d", len(names)) || groups != 3*len(a.Levels) {
		t.Errorf("objects %v with %d groups, want x, x-2, x-3 and so on with %d", names, groups, 3*len(a.Levels))
	}
}

func asJSON(t *testing.T, text string) []byte {
	t.Helper()
	var value map[string]any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Levels that share groups have the same rules, each level's in order and in one
// group of its interval.
func TestLevelsShareGroups(t *testing.T) {
	for _, file := range []string{shop, calendars} {
		const most = 40
		apart, packed := groupsIn(t, written(t, emit.RuleOptions{}, file)), groupsIn(t, written(t, emit.RuleOptions{GroupSize: most}, file))
		if len(packed) >= len(apart) {
			t.Errorf("%s: %d groups instead of %d", file, len(packed), len(apart))
		}
		in := map[string]readGroup{}
		for _, g := range packed {
			if len(g.Rules) > most {
				t.Errorf("%s has %d rules", g.Name, len(g.Rules))
			}
			for _, r := range g.Rules {
				in[fmt.Sprint(r)] = g
			}
		}
		for _, g := range apart {
			home, at := in[fmt.Sprint(g.Rules[0])], 0
			for i, r := range home.Rules {
				if fmt.Sprint(r) == fmt.Sprint(g.Rules[0]) {
					at = i
				}
			}
			if home.Interval != g.Interval || len(home.Rules) < at+len(g.Rules) || !cmp.Equal(home.Rules[at:at+len(g.Rules)], g.Rules) {
				t.Errorf("%s: the rules of %s are not together", file, g.Name)
			}
		}
	}
}

// A level more, wherever it stands, changes the groups that it is in, and no name
// or rule of nearly all others. A short run leaves out a fifth as many levels.
func TestLevelMoreLeavesGroups(t *testing.T) {
	const levels, most = 100, 200
	var text strings.Builder
	text.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n")
	for i := range levels {
		fmt.Fprintf(&text, "    - {name: up, service: s-%d, target: \"99\", indicator: {events: {bad: 'e{s=\"%[1]d\"}', total: 'r{s=\"%[1]d\"}'}}}\n", i)
	}
	agreements, findings := spec.LoadText("spec.yaml", text.String())
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	var plans []rulegen.LevelPlan // no level depends on another
	if _, err := rulegen.Each(agreements[0], rulegen.Options{}, func(p rulegen.LevelPlan) error {
		plans = append(plans, p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	groups := func(without int) []string {
		var out bytes.Buffer
		w := emit.NewRuleWriter(&out, emit.RuleOptions{GroupSize: most})
		err := w.Begin(agreements[0])
		for i, p := range plans {
			if i != without {
				err = errors.Join(err, w.Level(p))
			}
		}
		_, end := w.End()
		if err := errors.Join(err, end, w.Close()); err != nil {
			t.Fatal(err)
		}
		return strings.Split(out.String(), "\n  - name: ")[1:]
	}
	with := groups(-1)
	if len(with) < 15 || len(with) > 60 {
		t.Errorf("%d levels are in %d groups", levels, len(with))
	}
	in := map[string]bool{}
	for _, g := range with {
		in[g] = true
	}
	tried, changed := 0, 0
	for i := 0; i < levels; i += testsize.Of(35, 7) {
		tried++
		for _, g := range groups(i) {
			if !in[g] {
				changed++
			}
		}
	}
	// One of each interval, and now and then those after one that was full.
	if mean := float64(changed) / float64(tried); mean > 4 {
		t.Errorf("a level changes %.1f of %d groups", mean, len(with))
	} else {
		t.Logf("a level changes %.1f of %d groups", mean, len(with))
	}
}

func TestGroupTooSmall(t *testing.T) {
	agreements, _ := spec.Load(shop)
	w := emit.NewRuleWriter(&bytes.Buffer{}, emit.RuleOptions{GroupSize: 10})
	_, err := rulegen.Each(agreements[0], rulegen.Options{}, w.Level)
	if err == nil || !strings.Contains(err.Error(), "read one another") {
		t.Error(err)
	}
}

// A bundle has the groups of all its agreements and says where each is from.
func TestBundle(t *testing.T) {
	text := written(t, emit.RuleOptions{Bundle: "all", Program: "upheld 1.0"}, shop, calendars)
	want := append(groupsIn(t, written(t, emit.RuleOptions{}, shop)), groupsIn(t, written(t, emit.RuleOptions{}, calendars))...)
	if d := cmp.Diff(want, groupsIn(t, text)); d != "" {
		t.Error(d)
	}
	for _, line := range []string{"# Made by upheld 1.0\n", "# The agreement shop, sha256:", "# The agreement calendar-periods, sha256:"} {
		if strings.Count(text, line) != 1 {
			t.Errorf("%q is there %d times", line, strings.Count(text, line))
		}
	}
}

func TestGroupHead(t *testing.T) {
	opts := emit.RuleOptions{QueryOffset: 30 * time.Second, Limit: 7, GroupPrefix: "yes:x"}
	for _, g := range groupsIn(t, written(t, opts, shop)) {
		if g.QueryOffset != "30s" || g.Limit != 7 || !strings.HasPrefix(g.Name, "yes:x:shop:") {
			t.Errorf("%+v", g)
		}
	}
}
