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
