package verdict

import (
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

func TestEveryAggregationHasARule(t *testing.T) {
	if len(rules) != len(sla.Aggregations()) {
		t.Errorf("%d rules for %d aggregations", len(rules), len(sla.Aggregations()))
	}
	for _, a := range sla.Aggregations() {
		if r := ruleOf(a); (r.down != nil) != a.Judges() {
			t.Errorf("%s judges minutes or slots: %v, and its rule does: %v", a, a.Judges(), r.down != nil)
		}
	}
}

func TestEveryOperatorCombinesAndDividesBlame(t *testing.T) {
	if len(operators) != len(sla.Operators()) {
		t.Errorf("%d operators of %d", len(operators), len(sla.Operators()))
	}
	for _, op := range sla.Operators() {
		if o := operatorOf(&sla.Node{Op: op}); o.combine == nil || o.handDown == nil {
			t.Errorf("%s lacks a function", op)
		}
	}
}
