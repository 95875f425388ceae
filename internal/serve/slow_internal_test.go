package serve

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/internal/web"
)

// A level of response times lists slow probes among its failures, by time, and only those above
// its own threshold.
func TestSlowProbesAreFailuresOfAResponseTime(t *testing.T) {
	failures := []web.Failure{{At: noon.Add(-time.Hour), Reason: "status", Detail: "HTTP 503"}}
	slow := []exporter.Record{{At: noon, Duration: 2 * time.Second}, {At: noon.Add(-time.Minute), Duration: 400 * time.Millisecond}, {At: noon.Add(-2 * time.Hour), Duration: 600 * time.Millisecond}}
	got := withSlow(failures, slow, 500*time.Millisecond)
	if len(got) != 3 || got[0].Reason != "slow" || got[0].Detail != "more than 500ms" || got[0].Duration != 2*time.Second || got[1].Reason != "status" || got[2].Duration != 600*time.Millisecond {
		t.Errorf("got %+v", got)
	}
}
