package probe

import (
	"testing"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// Rules, pages and terminal know by a list which reasons say nothing about a target. The
// table of reasons decides.
func TestReasonsOfTheExporterAreThoseOfTheTable(t *testing.T) {
	own := 0
	for _, info := range reasons {
		if info.outcome != Bad {
			own++
		}
		if got, want := metricnames.Blames(string(info.reason)), info.outcome == Bad; got != want {
			t.Errorf("metricnames.Blames(%s) is %v, but its outcome is %s", info.reason, got, info.outcome)
		}
	}
	if listed := metricnames.ExporterReasons(); len(listed) != own {
		t.Errorf("%d reasons are listed, the table has %d that are not bad: %v", len(listed), own, listed)
	}
	if Status != metricnames.ReasonStatus {
		t.Errorf("%s is not %s", Status, metricnames.ReasonStatus)
	}
}
