package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/sla"
)

func handlerFor(t *testing.T, source Source) http.Handler {
	t.Helper()
	h, err := New(Options{Source: source, Version: "1.2.3", Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// stable replaces the fingerprint of the assets, which changes often.
func stable(h http.Handler, body string) []byte {
	return []byte(strings.ReplaceAll(body, h.(*pages).assets, "ASSETS"))
}

func TestPages(t *testing.T) {
	sampled := fixed{levels: sample()}
	for _, c := range []struct {
		name, path string
		source     Source
		status     int
	}{
		{"overview", "/", sampled, 200},
		{"overview-empty", "/", fixed{}, 200},
		{"overview-error", "/", fixed{err: errors.New("storage is closed")}, 503},
		{"level-failing", "/level/shop/storefront/availability", sampled, 200},
		{"level-events", "/level/shop/payments/errors", sampled, 200},
		{"level-no-data", "/level/shop/orders/queue", sampled, 200},
		{"level-unknown", "/level/shop/storefront/nothing", sampled, 404},
		{"no-page", "/nothing", sampled, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := handlerFor(t, c.source)
			w := get(t, h, c.path)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if !strings.HasSuffix(strings.TrimSpace(w.Body.String()), "</html>") {
				t.Error("the page is not complete")
			}
			golden.Equal(t, "testdata/"+c.name+".html", stable(h, w.Body.String()))
		})
	}
}

func TestEveryAnswerCarriesSecurityHeaders(t *testing.T) {
	h := handlerFor(t, fixed{levels: sample()})
	for _, path := range []string{"/", "/level/shop/storefront/availability", "/nothing", "/assets/style.css"} {
		header := get(t, h, path).Header()
		if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: content may be sniffed", path)
		}
	}
	if got := get(t, h, "/").Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page may be cached: %q", got)
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
	s := sample()[0]
	s.Level = level(evil, evil, "99.9", &sla.Events{Bad: sla.Query{Text: evil}, Total: sla.Query{Text: evil}})
	s.Level.Description = evil
	s.Failures = []Failure{{At: noon, Reason: evil, Detail: evil}}
	s.Queries = []Query{{evil, evil}}
	s.Alerts[0].Name, s.Alerts[0].Tier, s.Alerts[0].Severity = evil, evil, evil
	h := handlerFor(t, fixed{levels: []LevelStatus{s}})
	for _, path := range []string{"/", levelPath(s.Level.ID), "/%22%3E%3Cscript%3Ealert(1)"} {
		body := get(t, h, path).Body.String()
		for _, raw := range []string{"<script>alert", "<img src=x", `"><script`} {
			if strings.Contains(body, raw) {
				t.Errorf("%s: %q is in the page unescaped", path, raw)
			}
		}
	}
	body := get(t, h, "/").Body.String()
	if !strings.Contains(body, `href="/level/shop/%22%3E%3Cscript%3E`) {
		t.Error("the link to the level does not carry its escaped name")
	}
	if w := get(t, h, levelPath(s.Level.ID)); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "&lt;script&gt;alert(1)") {
		t.Errorf("the level's own page answers %d or hides the text", w.Code)
	}
}

func TestATemplateErrorIsNoHalfPage(t *testing.T) {
	broken := sample()[0]
	h := handlerFor(t, fixed{levels: []LevelStatus{broken}}).(*pages)
	delete(h.templates, "overview")
	h.templates["overview"] = h.templates["level"] // asks for fields that an overview has not
	w := get(t, h, "/")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "<html") {
		t.Errorf("status %d with body %q", w.Code, w.Body)
	}
}

func TestNewRefusesToShowNothing(t *testing.T) {
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "Source") {
		t.Errorf("error %v does not name what is missing", err)
	}
}

func TestNoDirectoryIsListed(t *testing.T) {
	h := handlerFor(t, fixed{levels: sample()})
	for _, path := range []string{"/assets/", "/assets", "/assets/../assets/"} {
		if w := get(t, h, path); w.Code == http.StatusOK {
			t.Errorf("%s is answered with %d %.80s", path, w.Code, w.Body)
		}
	}
}

func TestANoticeIsOnEveryPage(t *testing.T) {
	notice := "the disk is <full>"
	h, err := New(Options{Source: fixed{levels: sample()}, Notice: func() string { return notice }})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/level/shop/storefront/availability", "/nothing"} {
		if body := get(t, h, path).Body.String(); !strings.Contains(body, "the disk is &lt;full&gt;") {
			t.Errorf("%s does not say it", path)
		}
	}
	notice = ""
	if body := get(t, h, "/").Body.String(); strings.Contains(body, `role="alert"`) {
		t.Error("without anything to say there is a notice")
	}
}

func TestANoteIsOnEveryPage(t *testing.T) {
	h, err := New(Options{Source: fixed{levels: sample()}, Note: "the past is <simulated>"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/level/shop/storefront/availability", "/nothing"} {
		if body := get(t, h, path).Body.String(); !strings.Contains(body, `role="note">the past is &lt;simulated&gt;</p>`) {
			t.Errorf("%s does not say it", path)
		}
	}
}

// counting counts how often all levels are read, which takes a second.
type counting struct {
	fixed
	reads *atomic.Int32
}

func (c counting) Levels(ctx context.Context) ([]LevelStatus, error) {
	c.reads.Add(1)
	time.Sleep(time.Second)
	return c.fixed.Levels(ctx)
}

func TestWhoAsksTogetherSharesAnOverview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := counting{fixed{levels: sample()}, new(atomic.Int32)}
		h := handlerFor(t, source)
		var all sync.WaitGroup
		for range 75 {
			all.Go(func() {
				if w := get(t, h, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "storefront") {
					t.Errorf("status %d with body %.200q", w.Code, w.Body)
				}
			})
		}
		all.Wait()
		if n := source.reads.Load(); n != 1 {
			t.Errorf("the levels are read %d times", n)
		}
		get(t, h, "/")
		if n := source.reads.Load(); n != 2 {
			t.Errorf("who asks later is shown what others were: %d reads", n)
		}
	})
}
