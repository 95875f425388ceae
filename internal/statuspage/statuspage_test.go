package statuspage_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/sla"
)

func atNoon() time.Time { return noon }

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var paths = map[string]string{"page.html": "/status/acme", "status.json": "/status/acme/status.json", "feed.atom": "/status/acme/feed.atom"}

func TestPage(t *testing.T) {
	pages := rendered(t, sample(t), atNoon)
	for file, path := range paths {
		w := get(pages, path)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		golden.Equal(t, "testdata/"+file, w.Body.Bytes())
	}
}

// Nothing of an agreement is public but what its status page says and how those levels
// are, and no text of it does anything in a browser or a reader of feeds.
func TestNothingElseIsPublic(t *testing.T) {
	pages := rendered(t, sample(t), atNoon)
	for file, path := range paths {
		body := get(pages, path).Body.String()
		for _, secret := range []string{"internal", "INTERNAL", "99.87", "13.57", "web/", "pay/"} {
			if i := strings.Index(body, secret); i >= 0 {
				t.Errorf("%s has %q: …%s…", file, secret, body[max(0, i-40):min(len(body), i+40)])
			}
		}
		if file != "status.json" {
			for _, live := range []string{"<script", "<img", "<b>", "' onload"} {
				if strings.Contains(body, live) {
					t.Errorf("%s has %q", file, live)
				}
			}
		}
	}
	var feed struct {
		Title   string `xml:"title"`
		Entries []struct {
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(get(pages, paths["feed.atom"]).Body.Bytes(), &feed); err != nil || feed.Title != `Acme <script>alert(1)</script> & "friends"` || len(feed.Entries) == 0 {
		t.Errorf("%v: %+v", err, feed)
	}
}

// Without opting in there is no page, and no sign of the agreement.
func TestNothingIsPublicByDefault(t *testing.T) {
	source := sample(t)
	private := *source.agreements[0]
	private.StatusPage = nil
	source.agreements = []*sla.Agreement{&private}
	pages := rendered(t, source, atNoon)
	secret, missing := get(pages, "/status/acme"), get(pages, "/status/nothing")
	if secret.Code != http.StatusNotFound || secret.Body.String() != missing.Body.String() || source.calls > 0 {
		t.Errorf("%d %q, %d %q, %d calls", secret.Code, secret.Body, missing.Code, missing.Body, source.calls)
	}
	for _, path := range []string{"/", "/status", "/status/", "/metrics", "/api/v1/query", "/level/acme/web/internal-availability", "/status/acme/../../metrics"} {
		if w := get(pages, path); w.Code == http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Visitors get copies: however many there are, the source is not asked.
func TestVisitorsAskNothingOfTheSource(t *testing.T) {
	source := sample(t)
	pages := rendered(t, source, atNoon)
	before := source.calls
	for range 200 {
		for _, path := range paths {
			get(pages, path)
		}
	}
	if source.calls != before {
		t.Errorf("%d calls by visitors", source.calls-before)
	}
	pages.Render(context.Background()) // the days before today are known
	if more := source.calls - before; more > 5 {
		t.Errorf("%d calls to render it again", more)
	}
}

func TestPagesMayBeCached(t *testing.T) {
	source, now := sample(t), noon
	pages := rendered(t, source, func() time.Time { return now })
	for _, path := range paths {
		first := get(pages, path)
		for name, want := range map[string]string{"Cache-Control": "public, max-age=30", "Last-Modified": noon.Format(http.TimeFormat)} {
			if got := first.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		etag := first.Header().Get("ETag")
		if w := get(pages, path, "If-None-Match", etag); etag == "" || w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: %q, %d with %d bytes", path, etag, w.Code, w.Body.Len())
		}
		if policy := first.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
	etag := get(pages, "/status/acme").Header().Get("ETag")
	now = now.Add(20 * time.Second) // in the same minute nothing changes
	pages.Render(context.Background())
	if w := get(pages, "/status/acme", "If-None-Match", etag); w.Code != http.StatusNotModified {
		t.Errorf("%d within the minute", w.Code)
	}
	now = now.Add(time.Minute)
	pages.Render(context.Background())
	if w := get(pages, "/status/acme", "If-None-Match", etag); w.Code != http.StatusOK || w.Header().Get("Last-Modified") != now.Format(http.TimeFormat) {
		t.Errorf("%d %v a minute later", w.Code, w.Header())
	}
}

// An old copy is shown for some minutes, then none: it may say that all is well.
func TestOldCopiesAreNotShown(t *testing.T) {
	source, now := sample(t), noon
	pages, err := statuspage.New(statuspage.Options{Source: source, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if w := get(pages, "/status/acme"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("before the first copy: %d", w.Code)
	}
	pages.Render(context.Background())
	source.err = errors.New("internal: storage is closed")
	for _, c := range []struct {
		after time.Duration
		code  int
	}{{time.Minute, 200}, {9 * time.Minute, 200}, {11 * time.Minute, 503}} {
		now = noon.Add(c.after)
		pages.Render(context.Background())
		if w := get(pages, "/status/acme"); w.Code != c.code || strings.Contains(w.Body.String(), "internal") {
			t.Errorf("after %s: %d %s, want %d", c.after, w.Code, w.Body, c.code)
		}
	}
	source.err = nil
	pages.Render(context.Background())
	if w := get(pages, "/status/acme"); w.Code != http.StatusOK {
		t.Errorf("when it is back: %d", w.Code)
	}
	source.agreements = nil
	pages.Render(context.Background())
	if w := get(pages, "/status/acme"); w.Code != http.StatusNotFound {
		t.Errorf("when it is public no more: %d", w.Code)
	}
}

// jsonOf is the page of a source as JSON.
func jsonOf(t *testing.T, source *fake, now time.Time) statuspage.Page {
	t.Helper()
	body, err := io.ReadAll(get(rendered(t, source, func() time.Time { return now }), "/status/acme/status.json").Body)
	if err != nil {
		t.Fatal(err)
	}
	var p statuspage.Page
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return p
}

func TestSentence(t *testing.T) {
	const text = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: acme}
spec:
  timeZone: Europe/Berlin
  calendars: {weekdays: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}]}}
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-11-28T12:00", to: "2026-11-28T13:00"}]}
  statusPage: {title: Acme, levels: [{level: a, name: Shop}, {level: b, name: Search}, {level: c, name: Payment}]}
  serviceLevels:
    - {name: a, target: "99", exclusions: [], indicator: {condition: {expr: a == 1}}}
    - {name: b, target: "99", serviceHours: weekdays, exclusions: [], indicator: {condition: {expr: b == 1}}}
    - {name: c, target: "99", indicator: {condition: {expr: c == 1}}}
`
	up, down, degraded := sla.StateUp, sla.StateDown, sla.StateDegraded
	for want, states := range map[string]map[string]sla.State{
		"Everything works.":             {"a": up, "b": sla.StateOutOfHours, "c": up},
		"Payment is under maintenance.": {"a": up},
		"How Shop is doing is not known; Payment is under maintenance.": {},
		"Shop has been down since 11:50 CET.":                           {"a": down, "b": up, "c": up},
		"Shop, Search and Payment have been down since 11:50 CET.":      {"a": down, "b": down, "c": down},
		"Search is down; Shop has worked only in part since 11:50 CET.": {"a": degraded, "b": down, "c": up},
	} {
		source := &fake{agreements: []*sla.Agreement{agreementOf(t, text)}, states: states, bad: func(slo string, at time.Time) float64 {
			if slo == "a" && noon.Truncate(time.Minute).Sub(at) <= 40*time.Minute && states["a"] >= degraded {
				return 0.3
			}
			return 0
		}}
		if got := jsonOf(t, source, noon).Sentence; got != want {
			t.Errorf("%v: %q, want %q", states, got, want)
		}
	}
}

// Days are those of the agreement's zone, also when clocks change, and the day that runs
// has what was measured of it until now.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	for zone, firstHour := range map[string]string{"Europe/Berlin": "2026-10-25T00:00:00+02:00", "Asia/Kathmandu": "2026-10-25T00:00:00+05:45", "UTC": "2026-10-25T00:00:00Z"} {
		start, err := time.Parse(time.RFC3339, firstHour)
		if err != nil {
			t.Fatal(err)
		}
		a := agreementOf(t, contract)
		a.Zone = zone
		source := sample(t)
		source.agreements = []*sla.Agreement{a}
		source.bad = func(slo string, at time.Time) float64 { // the first half hour of a Sunday
			if at.Before(start) || slo != "internal-availability" {
				return 0
			}
			if at.Before(start.Add(30 * time.Minute)) {
				return 1
			}
			return 0
		}
		hours := 24.
		if zone == "Europe/Berlin" {
			hours = 25
		}
		var bad []string
		days := jsonOf(t, source, noon).Components[0].Days
		for _, d := range days {
			if d.BadShare == nil {
				t.Errorf("%s: %s is not measured", zone, d.Date)
			} else if *d.BadShare > 0 {
				bad = append(bad, fmt.Sprintf("%s %.6f", d.Date, *d.BadShare))
			}
		}
		if want := []string{fmt.Sprintf("2026-10-25 %.6f", 0.5/hours)}; !cmp.Equal(bad, want) || len(days) != sla.StatusPageDays {
			t.Errorf("%s: %q of %d days, want %q", zone, bad, len(days), want)
		}
	}
}

// Outages are listed with their recorded times, over midnight too, and short partial ones
// are only in the bar of their day.
func TestOutagesAreThoseThatWere(t *testing.T) {
	midnight := time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC) // in Berlin
	was := []struct {
		from   time.Time
		length time.Duration
		share  float64
		state  string // "" if it is none to the public
	}{
		{midnight.Add(-20 * 24 * time.Hour), 4 * time.Minute, 1, "down"},
		{midnight.Add(-10 * 24 * time.Hour), 40 * time.Minute, 0.2, "degraded"},
		{midnight.Add(-9 * 24 * time.Hour), 4 * time.Minute, 0.2, ""},
		{midnight.Add(-20 * time.Minute), 50 * time.Minute, 1, "down"},
	}
	source := sample(t)
	source.states["internal-availability"] = sla.StateUp
	source.bad = func(slo string, at time.Time) float64 {
		for _, o := range was {
			if slo == "internal-availability" && !at.Before(o.from) && at.Before(o.from.Add(o.length)) {
				return o.share
			}
		}
		return 0
	}
	got := jsonOf(t, source, noon).Outages
	for _, o := range slices.Backward(was) {
		if o.state == "" {
			continue
		}
		if len(got) == 0 {
			t.Fatalf("the outage of %s is missing", o.from)
		}
		begun, ended := got[0].Start.Sub(o.from), time.Duration(0)
		if got[0].End == nil {
			t.Fatalf("%+v goes on", got[0])
		}
		ended = got[0].End.Sub(o.from.Add(o.length))
		if got[0].State != o.state || begun != 0 || ended != 0 {
			t.Errorf("%s for %s: %s, %s late, ended %s late", o.from, o.length, got[0].State, begun, ended)
		}
		got = got[1:]
	}
	if len(got) > 0 {
		t.Errorf("more than there were: %+v", got)
	}
}
