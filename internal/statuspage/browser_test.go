package statuspage_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/browsertest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// TestBrowser looks at the page in a real Chromium, wide and narrow, light, dark and
// printed: see tools/browser/look.mjs for what may not be. A short run looks at the one that
// has outages.
func TestBrowser(t *testing.T) {
	browsertest.Require(t)
	args := []string{"--still"}
	well := sample(t)
	well.states = map[string]sla.State{"internal-availability": sla.StateUp, "internal-payment": sla.StateUp}
	well.bad = func(string, time.Time) float64 { return 0 }
	for name, source := range testsize.Cases(t, map[string]*fake{"status-down": sample(t), "status-well": well}, "status-down") {
		server := httptest.NewServer(rendered(t, source, atNoon))
		t.Cleanup(server.Close)
		args = append(args, name+"="+server.URL+"/status/acme")
	}
	browsertest.Look(t, "look.mjs", args...)
}
