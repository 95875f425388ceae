package exporter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// TestHistoryListsHopsAndStepsWithoutSecrets looks for what a journey captured
// in everything that the exporter serves.
func TestHistoryListsHopsAndStepsWithoutSecrets(t *testing.T) {
	const canary = "s3cret-canary"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			http.Redirect(w, r, "/home?session="+canary, http.StatusFound)
		case "/home":
			w.Header().Set("X-Token", canary)
		default:
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprintf(w, "<b>no cart</b> of %s", r.Header.Get("X-Token"))
		}
	}))
	defer srv.Close()
	target := webTarget("journey", srv.URL, 50*time.Millisecond)
	target.Probe.Check = &sla.JourneyCheck{Steps: []sla.JourneyStep{
		{Name: "login", Request: sla.HTTPCheck{URL: srv.URL + "/login", FollowRedirects: true}, Captures: []sla.Capture{{Name: "token", Header: "X-Token"}}},
		{Name: "cart", Request: sla.HTTPCheck{URL: srv.URL + "/carts/${token}", Headers: map[string]string{"X-Token": "${token}"}}},
	}}
	e := exporter.New(exporter.Options{Probe: probe.Env{Excerpt: probe.DefaultExcerpt}})
	if err := e.Apply([]sla.ProbeTarget{target}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "a bad result that was in time", func() bool { // a busy machine times not every one
		return len(e.Failures(target.ID)) > 0 && strings.Contains(scrape(t, e.Metrics()), `step="cart"`)
	})
	h := e.Handler("/metrics")
	for path, wants := range map[string][]string{
		"/history?level=shop%3Astorefront%2Fjourney": {
			"step 2 of 2 (cart): HTTP 418", "login: " + srv.URL + "/login, HTTP 302", "login: " + srv.URL + "/home, HTTP 200", "cart: " + srv.URL + "/carts/${token}, HTTP 418", "processing",
			"HTTP/1.1 418 I&#39;m a teapot", "&lt;b&gt;no cart&lt;/b&gt; of &lt;hidden&gt;",
		},
		"/metrics": {`upheld_probe_step_duration_seconds_count{`, `step="cart"`},
		"/":        {"journey"},
	} {
		code, page := ask(h, http.MethodGet, path)
		if code != http.StatusOK || strings.Contains(page, canary) {
			t.Errorf("%s: %d, or a secret in\n%s", path, code, page)
		}
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %q in\n%s", path, want, page)
			}
		}
	}
}
