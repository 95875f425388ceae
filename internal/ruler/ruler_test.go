package ruler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/rulediff"
)

// client asks a handler, and notes waits instead of waiting.
func client(t *testing.T, h http.HandlerFunc) (c *Client, waits *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL + "/rules")
	if err != nil {
		t.Fatal(err)
	}
	waits = new([]time.Duration)
	return &Client{HTTP: server.Client(), URL: at, Tenant: "a", Wait: func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	}}, waits
}

func TestBusyServersAreAskedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		code  int
		after string
		times int // that it is busy
		waits []time.Duration
		fails bool
	}{
		"it says when":       {429, "7", 2, []time.Duration{7 * time.Second, 7 * time.Second}, false},
		"it does not say":    {503, "", 3, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, false},
		"it says too long":   {429, "86400", 1, []time.Duration{time.Minute}, false},
		"for ever":           {429, "1", 100, []time.Duration{time.Second, time.Second, time.Second, time.Second}, true},
		"a mistake":          {400, "1", 100, nil, true},
		"it is faulty":       {500, "", 100, nil, true},
		"an odd Retry-After": {429, "soon", 1, []time.Duration{time.Second}, false},
	} {
		t.Run(name, func(t *testing.T) {
			left := test.times
			c, waits := client(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if string(body) != "name: g" || r.Header.Get("Content-Type") != "application/yaml" || r.Header.Get("X-Scope-OrgID") != "a" || r.URL.EscapedPath() != "/rules/n%2F1" {
					t.Errorf("%s %s %q %v", r.Method, r.URL.EscapedPath(), body, r.Header)
				}
				if left--; left >= 0 {
					w.Header().Set("Retry-After", test.after)
					http.Error(w, "busy", test.code)
					return
				}
				w.WriteHeader(http.StatusAccepted)
			})
			err := c.Set(t.Context(), "n/1", []byte("name: g"))
			var status *StatusError
			if (err != nil) != test.fails || err != nil && (!errors.As(err, &status) || status.Code != test.code || status.Body != "busy") {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(test.waits, *waits); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRetryAfterIsATimeToo(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		now.Add(3 * time.Second).Format(http.TimeFormat): 3 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0, "0": 0, "-5": 0, "": 0, "99999999999999999999": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestNothingThereIsNoError(t *testing.T) {
	c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no rule groups found", http.StatusNotFound)
	})
	if all, err := c.Namespaces(t.Context()); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
	if err := c.Delete(t.Context(), "n", "g"); err != nil {
		t.Error(err)
	}
	c, _ = client(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "404 page not found", http.StatusNotFound) })
	if _, err := c.Namespaces(t.Context()); err == nil {
		t.Error("a path that is not there is taken for no rules")
	}
	c, _ = client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>login</html>") })
	if _, err := c.Namespaces(t.Context()); err == nil || !strings.Contains(err.Error(), "did not answer with rule groups") {
		t.Errorf("a page is taken for rules: %v", err)
	}
}

func group(name string, exprs ...string) rulediff.Group {
	g := rulediff.Group{Name: name, Interval: "1m"}
	for _, e := range exprs {
		g.Rules = append(g.Rules, rulediff.Rule{Record: "r", Expr: e})
	}
	return g
}

func steps(p Plan) []string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, s.String())
	}
	return all
}

// Only groups that carry both of our names are deleted, and only where an agreement is named, or
// with Prune.
func TestOnlyOursIsDeleted(t *testing.T) {
	have := map[string][]rulediff.Group{
		"theirs":     {group("upheld:a:b:c", "1")},
		"upheld-a":   {group("upheld:a:same", "x  + y"), group("upheld:a:differs", "1"), group("upheld:a:gone", "1"), group("by-hand", "1")},
		"upheld-old": {group("upheld:old:x", "1"), group("by-hand", "1")},
	}
	want := []Namespace{{Name: "upheld-a", Groups: []Wanted{
		{Group: group("upheld:a:new", "1")}, {Group: group("upheld:a:same", "x + y")}, {Group: group("upheld:a:differs", "2")},
	}}}
	own := Ownership{Namespaces: "upheld-", Groups: "upheld:"}
	p := Make(want, have, own)
	if d := cmp.Diff([]string{"set upheld-a/upheld:a:new", "set upheld-a/upheld:a:differs", "delete upheld-a/upheld:a:gone"}, steps(p)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"upheld-a/by-hand", "upheld-old/by-hand", "upheld-old/upheld:old:x"}, p.Left); d != "" {
		t.Error(d)
	}
	own.Prune = true
	p = Make(want, have, own)
	if d := cmp.Diff([]string{"set upheld-a/upheld:a:new", "set upheld-a/upheld:a:differs", "delete upheld-a/upheld:a:gone", "delete upheld-old/upheld:old:x"}, steps(p)); d != "" {
		t.Error(d)
	}
}

// What differs in order, interval, offset or limit is set again; a layout that differs is not.
func TestWhatIsSetAgain(t *testing.T) {
	base := group("g", "a", "b")
	for name, change := range map[string]func(*rulediff.Group){
		"order":    func(g *rulediff.Group) { g.Rules[0], g.Rules[1] = g.Rules[1], g.Rules[0] },
		"interval": func(g *rulediff.Group) { g.Interval = "2m" },
		"offset":   func(g *rulediff.Group) { g.Offset = "1m" },
		"limit":    func(g *rulediff.Group) { g.Limit = 3 },
		"label":    func(g *rulediff.Group) { g.Rules[0].Labels = map[string]string{"a": "b"} },
		"fewer":    func(g *rulediff.Group) { g.Rules = g.Rules[:1] },
	} {
		other := group("g", "a", "b")
		change(&other)
		want := []Namespace{{Name: "n", Groups: []Wanted{{Group: base}}}}
		if p := Make(want, map[string][]rulediff.Group{"n": {other}}, Ownership{Namespaces: "n"}); len(p.Steps) != 1 {
			t.Errorf("another %s is no reason to set a group", name)
		}
	}
}

// A step that fails ends it, and says what was done.
func TestApplyStopsAtAFailure(t *testing.T) {
	c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "bad") {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	p := Plan{Steps: []Step{{Namespace: "good", Group: "a"}, {Namespace: "bad", Group: "b"}, {Namespace: "good", Group: "c", Delete: true}}}
	done := 0
	err := p.Apply(t.Context(), c, func(Step) { done++ })
	if err == nil || done != 1 || !strings.Contains(err.Error(), "set bad/b: 400 Bad Request: no; 1 of 3 requests are done") {
		t.Error(done, err)
	}
}
