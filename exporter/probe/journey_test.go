package probe_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// shop is a server with a login; who has logged in can order by a token.
func shop(t *testing.T, requests *atomic.Int64) string {
	t.Helper()
	return webServer(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		cookie, _ := r.Cookie("session")
		switch {
		case r.URL.Path == "/login" && r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `<input name="csrf" value="c s/rf&`+canary+`">`)
		case r.URL.Path == "/login":
			_ = r.ParseForm()
			if r.Form.Get("csrf") != "c s/rf&"+canary {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: canary})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
		case cookie == nil || cookie.Value != canary:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/home":
			w.Header().Set("X-Token", canary+"-token")
			fmt.Fprintf(w, `{"token": "%s-token", "order": {"id": 4711}, "items": [1]}`, canary)
		case r.Header.Get("Authorization") != "Bearer "+canary+"-token":
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/slow":
			time.Sleep(300 * time.Millisecond)
		case r.URL.Path == "/broken/"+canary+"-token":
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Path != "/orders/4711":
			w.WriteHeader(http.StatusNotFound)
		}
	}).URL
}

// ordering logs in, and then goes to a path with what it captured.
func ordering(url, path string) *sla.JourneyCheck {
	return &sla.JourneyCheck{Steps: []sla.JourneyStep{
		{Name: "form", Request: *get(url + "/login"), Captures: []sla.Capture{{Name: "csrf", Regexp: `name="csrf" value="([^"]+)"`}}},
		{
			Name: "login", Captures: []sla.Capture{{Name: "token", Header: "X-Token"}, {Name: "order", JSON: "body.order.id"}},
			Request: sla.HTTPCheck{
				URL: url + "/login?csrf=${csrf}", Method: "POST", Body: "a=b", FollowRedirects: true,
				Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
			},
		},
		{Name: "order", Request: sla.HTTPCheck{URL: url + path, Headers: map[string]string{"Authorization": "Bearer ${token}"}}},
	}}
}

func TestJourney(t *testing.T) {
	var requests atomic.Int64
	url := shop(t, &requests)
	r := mustBeGood(t, probe.Env{}, ordering(url, "/orders/${order}"))
	var steps []string
	var sum time.Duration
	for _, part := range r.Parts {
		steps = append(steps, fmt.Sprintf("%s %s %d", part.Step, strings.TrimPrefix(part.URL, url), part.Status))
		sum += part.Duration
		if part.Duration <= 0 {
			t.Errorf("%+v", part)
		}
	}
	want := "form /login 200, login /login 303, login /home 200, order /orders/${order} 200"
	if got := strings.Join(steps, ", "); got != want || requests.Load() != 4 {
		t.Errorf("%d requests: %s\nwant %s", requests.Load(), got, want)
	}
	if sum > r.Duration || r.Detail != "3 steps, the last HTTP 200" {
		t.Errorf("%s of %s, %s", sum, r.Duration, r.Detail)
	}
}

func TestFailuresOfJourneys(t *testing.T) {
	var requests atomic.Int64
	url := shop(t, &requests)
	slow := ordering(url, "/slow")
	slow.Steps[2].Timeout = 100 * time.Millisecond
	uncaught := ordering(url, "/orders/${order}")
	uncaught.Steps[0].Captures[0].Regexp = "nonce=(.*)"
	missing := ordering(url, "/orders/${order}")
	missing.Steps[1].Captures[1].JSON = "body.order.number"
	list := ordering(url, "/orders/${order}")
	list.Steps[1].Captures[1].JSON = "body.items"
	wrong := ordering(url, "/orders/${order}")
	wrong.Steps[2].Request.Headers = nil
	breaking := ordering(url, "/orders/${order}")
	breaking.Steps[2].Request.Headers = map[string]string{"X-A": "a\n${token}"}
	for name, c := range map[string]struct {
		check    *sla.JourneyCheck
		want     probe.Reason
		detail   string
		requests int64
	}{
		"a status":          {ordering(url, "/nowhere"), probe.Status, "step 3 of 3 (order): HTTP 404", 4},
		"a secret in a URL": {ordering(url, "/broken/${token}"), probe.Status, "step 3 of 3 (order): HTTP 500", 4},
		"a slow step":       {slow, probe.Timeout, "step 3 of 3 (order)", 4},
		"no match":          {uncaught, probe.CaptureFailed, "step 1 of 3 (form): HTTP 200; capture csrf: no match in the body", 1},
		"no such key":       {missing, probe.CaptureFailed, "capture order: the body has no number", 3},
		"a list":            {list, probe.CaptureFailed, "capture order: the value is neither text", 3},
		"no credentials":    {wrong, probe.Status, "step 3 of 3 (order): HTTP 403", 4},
		"nobody there":      {ordering("http://"+closedPort(t), "/"), probe.ConnectRefused, "step 1 of 3 (form)", 0},
	} {
		var r probe.Result
		for range 5 { // a probe on a busy machine may be inconclusive, and is repeated
			requests.Store(0)
			if r = prober(t, probe.Env{Excerpt: probe.DefaultExcerpt}, c.check).Probe(t.Context(), time.Time{}); r.Reason != probe.Starved {
				break
			}
		}
		if r.Reason != c.want || !strings.Contains(r.Detail, c.detail) || requests.Load() != c.requests {
			t.Errorf("%s, %d requests: %+v", name, requests.Load(), r)
		}
		if strings.Contains(fmt.Sprintf("%+v", r), canary) {
			t.Errorf("%s tells a secret: %+v", name, r)
		}
	}
	if _, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: breaking, Timeout: time.Second}); err == nil {
		t.Error("a header with a line break is no mistake")
	}
}

// TestCapturedValuesCannotBreakRequests captures what would end a header.
func TestCapturedValuesCannotBreakRequests(t *testing.T) {
	var paths []string
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.RequestURI)
		_, _ = io.WriteString(w, `{"evil": "a\r\nX-Evil: 1", "path": "../../x?y=#z"}`)
	})
	check := &sla.JourneyCheck{Steps: []sla.JourneyStep{
		{Name: "one", Request: *get(srv.URL), Captures: []sla.Capture{{Name: "evil", JSON: "body.evil"}, {Name: "path", JSON: "body.path"}}},
		{Name: "two", Request: *get(srv.URL + "/a/${path}/$${b}")},
		{Name: "three", Request: sla.HTTPCheck{URL: srv.URL, Headers: map[string]string{"X-A": "${evil}"}}},
	}}
	r := once(t, probe.Env{}, check, 5*time.Second)
	if r.Reason != probe.CaptureFailed || len(paths) != 2 || paths[1] != "/a/..%2F..%2Fx%3Fy%3D%23z/$%7Bb%7D" {
		t.Errorf("%q %+v", paths, r)
	}
}
