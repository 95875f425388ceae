package web

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/browsertest"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// TestBrowser looks at every kind of page in a real Chromium, wide and narrow,
// light and dark: see tools/browser/look.mjs for what may not be. A short run looks at some.
func TestBrowser(t *testing.T) {
	browsertest.Require(t)
	var args []string
	sampled := []string{"overview-composite", "level-failing", "agreement", "overview-hostile"}
	serve := func(name, path string, source Source) {
		if !testsize.All() && !slices.Contains(sampled, name) {
			return
		}
		h, err := New(Options{Source: source, Reports: sampleReports(), Refresh: 400 * time.Millisecond, Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		args = append(args, name+"="+server.URL+path)
	}
	usual := fixed{levels: sample()}
	serve("overview", "/", usual)
	serve("overview-empty", "/", fixed{})
	serve("overview-error", "/", fixed{err: errors.New("storage is closed")})
	serve("level-failing", "/level/shop/storefront/availability", usual)
	serve("level-events", "/level/shop/payments/errors", usual)
	serve("overview-composite", "/", composed(t))
	serve("level-composite", "/level/shop/checkout/availability", composed(t))
	serve("reports", "/reports", usual)
	serve("alerts", "/alerts", usual)
	serve("rules", "/rules", usual)
	serve("agreement", "/agreement/shop", usual)
	serve("months", "/agreement/shop/months", usual)
	serve("overview-filtered", "/?state=up&q=store", usual)
	serve("level-no-data", "/level/shop/orders/queue", usual)
	serve("overview-hostile", "/", hostile(t))
	serve("agreement-hostile", agreementPath(longest), hostile(t))
	serve("alerts-hostile", "/alerts", hostile(t))
	for i, s := range hostile(t).levels {
		if i == 0 || len(s.Groups) > 0 || len(s.Members) > 0 {
			serve("level-hostile-"+s.Level.ID.SLO[:4]+strconv.Itoa(i), levelPath(s.Level.ID), hostile(t))
		}
	}

	if len(args) < len(sampled) {
		t.Errorf("of %q there is only %q", sampled, args)
	}
	browsertest.Look(t, "look.mjs", args...)
}
