package main

import (
	"testing"

	"github.com/upheld-sla/upheld/internal/ruletest"
	"github.com/upheld-sla/upheld/sla"
)

// Thousands of levels that leave out the same are a line, and not thousands.
func TestOmissionsOfManyLevelsAreALine(t *testing.T) {
	var all []ruletest.Omission
	for _, level := range []string{"a/x", "b/x", "c/x", "d/x", "e/x", "f/x", "g/x", "h/x"} {
		all = append(all, ruletest.Omission{Level: level, What: "how long a failover takes is not tested"})
	}
	all = append(all, ruletest.Omission{Level: "a/x", What: "no test covers", Names: []string{"SLABudgetBurn", "sla:excess:ratio"}})
	want := "warning: tests of shop: a/x, b/x, c/x, d/x, e/x, f/x and 2 more: how long a failover takes is not tested\n" +
		"warning: tests of shop: a/x: no test covers SLABudgetBurn, sla:excess:ratio\n"
	if got := omissionWords(&sla.Agreement{Name: "shop"}, all); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
