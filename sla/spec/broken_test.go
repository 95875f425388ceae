package spec_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// lacks is what a level does not have that nothing after the reader asks for, or
// "".
func lacks(l *sla.ServiceLevel) string {
	if l.Indicator == nil {
		return "indicator"
	}
	if _, p, probed := l.Probed(); probed && (p == nil || p.Interval <= 0) {
		return "probe"
	}
	if c, ok := l.Indicator.(*sla.Composite); ok {
		if c.Tree == nil || c.EndToEnd != nil && c.EndToEnd.Level == nil {
			return "composite's tree"
		}
		for _, leaf := range c.Tree.Leaves() {
			if what := lacks(leaf.Level); what != "" {
				return "component's " + what
			}
		}
	}
	if slices.ContainsFunc(l.Periods(), func(p sla.Period) bool { return p.Nominal() <= 0 }) {
		return "period"
	}
	return ""
}

// checkWhole demands that levels are whole, also beside broken ones, and that
// nothing is missing in broken ones that would make looking for mistakes fail.
func checkWhole(t *testing.T, agreements []*sla.Agreement, findings sla.Findings) {
	t.Helper()
	for _, a := range agreements {
		for _, l := range a.Levels {
			what := lacks(l)
			switch {
			case what != "":
			case l.Target.Sign() <= 0 || l.Objective.Cmp(l.Target) < 0:
				what = "target"
			case l.Aggregation == "":
				what = "aggregation"
			case slices.ContainsFunc(l.Indicator.Queries(), func(q sla.Query) bool { return q.Text == "" }):
				what = "query"
			}
			if what != "" {
				t.Errorf("the level %s has no %s: %+v", l.ID, what, l)
			}
		}
		for _, l := range a.Broken {
			if what := lacks(l); what != "" {
				t.Errorf("the broken level %s has no %s: %+v", l.ID, what, l)
			}
		}
		if len(a.Broken) > 0 && !findings.HasErrors() {
			t.Errorf("%d levels of %s are broken, and there is no error", len(a.Broken), a.Name)
		}
	}
}

func TestLevelsAreWholeBesideBrokenOnes(t *testing.T) {
	archives, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives (%v)", err)
	}
	whole, broken := 0, 0
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if !strings.HasSuffix(file.Name, ".yaml") {
				continue
			}
			agreements, findings := spec.LoadText(file.Name, string(file.Data))
			checkWhole(t, agreements, findings)
			for _, a := range agreements {
				whole, broken = whole+len(a.Levels), broken+len(a.Broken)
			}
		}
	}
	if whole == 0 || broken == 0 {
		t.Errorf("%d whole and %d broken levels were seen", whole, broken)
	}
}

// A level that depends on a broken one is broken too, and others in the same file
// are not.
func TestLevelsThatDependOnBrokenOnesAreBroken(t *testing.T) {
	agreements, _ := spec.LoadText("spec.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: fine, indicator: {probe: {tcp: "a.example:1"}}, target: "99"}
    - {name: shares, indicator: {probe: shop/fine}, target: "98"}
    - {name: wrong, indicator: {probe: {tcp: "a.example:1"}}, target: "101"}
    - {name: of-wrong, indicator: {probe: shop/wrong}, target: "98"}
    - {name: latency-of-wrong, indicator: {latency: {probe: shop/wrong, threshold: 1s}}, target: "98"}
    - {name: whole, indicator: {composite: {all: [shop/fine, shop/shares]}}, target: "97"}
    - {name: part-wrong, indicator: {composite: {all: [shop/fine, shop/wrong]}}, target: "97"}
    - {name: part-of-part-wrong, indicator: {composite: {all: [shop/fine, shop/part-wrong]}}, target: "97"}
    - {name: end-to-end-wrong, indicator: {composite: {all: [shop/fine], endToEnd: shop/of-wrong}}, target: "97"}
    - {name: dangling, indicator: {composite: {all: [shop/fine, shop/none]}}, target: "97"}
    - {name: unread, indicator: {probe: {}}, target: "97"}
`)
	var names [2][]string
	for i, levels := range [][]*sla.ServiceLevel{agreements[0].Levels, agreements[0].Broken} {
		for _, l := range levels {
			names[i] = append(names[i], l.ID.SLO)
		}
	}
	if got := strings.Join(names[0], " "); got != "fine shares whole" {
		t.Errorf("whole are %s", got)
	}
	if got := strings.Join(names[1], " "); got != "wrong of-wrong latency-of-wrong part-wrong part-of-part-wrong end-to-end-wrong dangling unread" {
		t.Errorf("broken are %s", got)
	}
}
