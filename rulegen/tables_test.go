package rulegen

import (
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// TestEveryAggregationHasRules demands a line of every aggregation that the model
// knows, and that both tables agree on which of them judge by a rule.
func TestEveryAggregationHasRules(t *testing.T) {
	for _, name := range sla.Aggregations() {
		found := 0
		for _, a := range aggregations {
			if a.name != name {
				continue
			}
			found++
			if judges := a.limit != nil; judges != name.Judges() {
				t.Errorf("%s: the model says that it judges: %v, its rules: %v", name, name.Judges(), judges)
			}
			cut := name.Counts() == sla.CountsMinutes || name.Counts() == sla.CountsSlots
			if (a.base != nil) != cut || (a.inexact != nil) != cut {
				t.Errorf("%s: what counts minutes or slots has rules and words for them, and nothing else has", name)
			}
		}
		if found != 1 {
			t.Errorf("%s has %d lines in the table of its rules, want 1", name, found)
		}
	}
	if len(aggregations) != len(sla.Aggregations()) {
		t.Errorf("%d aggregations have rules, and the model knows %d", len(aggregations), len(sla.Aggregations()))
	}
}

// TestEveryOperatorHasRules demands a line of every operator of composites that
// the model knows.
func TestEveryOperatorHasRules(t *testing.T) {
	for _, name := range sla.Operators() {
		if o := operatorOf(&sla.Node{Op: name}); o.combine == nil || o.handDown == nil {
			t.Errorf("%s: its line lacks rules", name)
		}
	}
	if len(operators) != len(sla.Operators()) {
		t.Errorf("%d operators have rules, and the model knows %d", len(operators), len(sla.Operators()))
	}
}
