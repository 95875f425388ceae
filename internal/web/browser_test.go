package web

import (
	"errors"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/browsertest"
)

// TestBrowser looks at every kind of page in a real Chromium, wide and narrow,
// light and dark: see tools/browser/look.mjs for what may not be.
func TestBrowser(t *testing.T) {
	browsertest.Require(t)
	var args []string
	serve := func(name, path string, source Source) {
		h, err := New(Options{Source: source, Reports: sampleReports(), Refresh: 400 * time.Millisecond, Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		args = append(args, name+"="+server.URL+path)
	}
	sampled := fixed{levels: sample()}
	serve("overview", "/", sampled)
	serve("overview-empty", "/", fixed{})
	serve("overview-error", "/", fixed{err: errors.New("storage is closed")})
	serve("level-failing", "/level/shop/storefront/availability", sampled)
	serve("level-events", "/level/shop/payments/errors", sampled)
	serve("overview-composite", "/", composed(t))
	serve("level-composite", "/level/shop/checkout/availability", composed(t))
	serve("reports", "/reports", sampled)
	serve("alerts", "/alerts", sampled)
	serve("rules", "/rules", sampled)
	serve("agreement", "/agreement/shop", sampled)
	serve("months", "/agreement/shop/months", sampled)
	serve("overview-filtered", "/?state=up&q=store", sampled)
	serve("level-no-data", "/level/shop/orders/queue", sampled)
	serve("overview-hostile", "/", hostile(t))
	serve("agreement-hostile", agreementPath(longest), hostile(t))
	serve("alerts-hostile", "/alerts", hostile(t))
	for i, s := range hostile(t).levels {
		if i == 0 || len(s.Groups) > 0 || len(s.Members) > 0 {
			serve("level-hostile-"+s.Level.ID.SLO[:4]+strconv.Itoa(i), levelPath(s.Level.ID), hostile(t))
		}
	}

	browsertest.Look(t, "look.mjs", args...)
}
