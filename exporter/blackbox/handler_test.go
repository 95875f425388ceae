package blackbox

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func get(t *testing.T, handler http.Handler, path string, header map[string]string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// TestRequests holds the answers to requests that are not simply in order to
// blackbox_exporter's.
func TestRequests(t *testing.T) {
	srv := httptest.NewServer(pages())
	defer srv.Close()
	p := newPair(t, `
modules:
  http_2xx: {prober: http}
  host: {prober: http, http: {headers: {host: a.example}}}
`)
	for _, c := range []struct {
		name   string
		query  url.Values
		header map[string]string
	}{
		{"no target", url.Values{"module": {"http_2xx"}}, nil},
		{"nothing", url.Values{}, nil},
		{"the default module", url.Values{"target": {srv.URL}}, nil},
		{"unknown module", query("nope", srv.URL), nil},
		{"unknown module, no target", url.Values{"module": {"nope"}}, nil},
		{"header that is no number", query("http_2xx", srv.URL), map[string]string{timeoutHeader: "soon"}},
		{"header that is no number, no target", url.Values{}, map[string]string{timeoutHeader: "soon"}},
		{"header", query("http_2xx", srv.URL), map[string]string{timeoutHeader: "3.5"}},
		{"header of 0", query("http_2xx", srv.URL), map[string]string{timeoutHeader: "0"}},
		{"other host", url.Values{"module": {"host"}, "target": {srv.URL}, "hostname": {"b.example"}}, nil},
		{"same host", url.Values{"module": {"host"}, "target": {srv.URL}, "hostname": {"a.example"}}, nil},
		{"protobuf", query("http_2xx", "http://127.0.0.1:1"), map[string]string{"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}},
		{"what Prometheus 3 accepts", query("http_2xx", srv.URL), map[string]string{"Accept": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2"}},
	} {
		t.Run(c.name, func(t *testing.T) { p.both(t, c.query, c.header) })
	}
	if got := p.ours.Facts().UnknownModules; got != 2 {
		t.Errorf("%d unknown modules counted, want 2", got)
	}
	t.Run("gzip and protobuf", func(t *testing.T) {
		got := ask(t, p.handler, query("http_2xx", srv.URL), map[string]string{
			"Accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "Accept-Encoding": "gzip",
		})
		want := ask(t, p.theirs, query("http_2xx", srv.URL), map[string]string{
			"Accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "Accept-Encoding": "gzip",
		})
		for _, name := range []string{"Content-Type", "Content-Encoding"} {
			if got.header.Get(name) != want.header.Get(name) {
				t.Errorf("%s %q, want %q", name, got.header.Get(name), want.header.Get(name))
			}
		}
	})
}

// TestTimeoutIsReported as v0.29.0 does: what the probe had, in seconds.
func TestTimeoutIsReported(t *testing.T) {
	p := newPair(t, "modules: {free: {prober: tcp}, bound: {prober: tcp, timeout: 1500ms}}")
	for _, c := range []struct{ module, header, want string }{
		{"free", "", "119.5"}, {"free", "3", "2.5"}, {"bound", "", "1.5"}, {"bound", "1.75", "1.25"}, {"bound", "0.4", "0.2"},
	} {
		if got := ask(t, p.handler, query(c.module, "127.0.0.1:1"), map[string]string{timeoutHeader: c.header}); got.value("probe_timeout_seconds") != c.want {
			t.Errorf("%s, header %q: %s, want %s", c.module, c.header, got.value("probe_timeout_seconds"), c.want)
		}
	}
}

func TestTimeout(t *testing.T) {
	for _, c := range []struct {
		header         string
		module, offset time.Duration
		want           time.Duration // 0: refused
	}{
		{"", 0, 500 * time.Millisecond, 119500 * time.Millisecond},
		{"", 5 * time.Second, 500 * time.Millisecond, 5 * time.Second},
		{"0", 0, 500 * time.Millisecond, 119500 * time.Millisecond},
		{"10", 0, 500 * time.Millisecond, 9500 * time.Millisecond},
		{"10", 5 * time.Second, 500 * time.Millisecond, 5 * time.Second},
		{"5", 5 * time.Second, 500 * time.Millisecond, 4500 * time.Millisecond},
		{"5", 15 * time.Second, 0, 5 * time.Second},
		{"1e1", 15 * time.Second, time.Second, 9 * time.Second},
		// The hole of blackbox_exporter, which would take the module's 5 s, or 0.
		{"0.4", 5 * time.Second, 500 * time.Millisecond, 200 * time.Millisecond},
		{"0.4", 0, 500 * time.Millisecond, 200 * time.Millisecond},
		{"0.5", 5 * time.Second, 500 * time.Millisecond, 250 * time.Millisecond},
		{"0.4", 100 * time.Millisecond, 500 * time.Millisecond, 100 * time.Millisecond},
		{"0.6", 5 * time.Second, 500 * time.Millisecond, 100 * time.Millisecond},
		{"1e300", 0, 0, time.Hour},
		{"soon", 0, 0, 0},
		{"-1", 5 * time.Second, 0, 0},
		{"NaN", 5 * time.Second, 0, 0},
		{"-Inf", 0, 0, 0},
	} {
		got, err := timeout(c.header, c.module, c.offset)
		if (err != nil) != (c.want == 0) || got-c.want > time.Microsecond || c.want-got > time.Microsecond {
			t.Errorf("timeout(%q, %s, %s) is %s, %v; want %s", c.header, c.module, c.offset, got, err, c.want)
		}
	}
}

// TestAnAnswerComesBeforeTheScrapeEnds probes something slow with timeouts of
// scrapes, also below the offset.
func TestAnAnswerComesBeforeTheScrapeEnds(t *testing.T) {
	srv := httptest.NewServer(pages())
	defer srv.Close()
	p := newPair(t, "modules: {http_2xx: {prober: http, timeout: 5s}}")
	for _, scrape := range []float64{0.4, 0.5, 0.9} {
		took := math.Inf(1)
		for range 5 { // a busy machine is late now and then
			start := time.Now()
			got := ask(t, p.handler, query("http_2xx", srv.URL+"/slow"), map[string]string{timeoutHeader: strconv.FormatFloat(scrape, 'g', -1, 64)})
			if got.value("probe_success") != "0" {
				t.Errorf("a scrape of %g s: %s", scrape, got.text)
			}
			if took = min(took, time.Since(start).Seconds()); took <= scrape+0.3 {
				break
			}
		}
		if took > scrape+0.3 {
			t.Errorf("a scrape of %g s was answered after %g s", scrape, took)
		}
	}
}

func TestDebug(t *testing.T) {
	srv := httptest.NewServer(pages())
	defer srv.Close()
	p := newPair(t, `
modules:
  http_2xx:
    prober: http
    http:
      headers: {X-Api-Key: headersecret, Accept: text/html}
      basic_auth: {username: user, password: passwordsecret}
      http_headers: {X-Other: {secrets: [othersecret]}}
  grpc: {prober: grpc, grpc: {metadata: {authorization: [metadatasecret], colour: [blue]}}}
  proxied: {prober: http, http: {proxy_url: "http://me:proxypassword@127.0.0.1:1", proxy_connect_header: {X-Proxy: [proxysecret]}}}
`)
	target := strings.Replace(srv.URL, "http://", "http://me:targetsecret@", 1)
	q := query("http_2xx", target)
	q.Set("debug", "true")
	got := ask(t, p.handler, q, nil)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/plain" {
		t.Error(got.status, got.header)
	}
	for _, want := range []string{"Logs for the probe:\n", "Metrics that would have been returned:\n", "probe_success 1\n", "Module configuration:\n", "prober: http\n", "Accept: text/html", "Probe succeeded"} {
		if !strings.Contains(got.text, want) {
			t.Errorf("no %q in\n%s", want, got.text)
		}
	}
	pages := got.text + get(t, p.handler, "/config", nil).text + get(t, p.handler, "/logs?id=0", nil).text + fmt.Sprint(p.ours.Recent())
	for _, secret := range []string{"headersecret", "passwordsecret", "proxysecret", "othersecret", "metadatasecret", "proxypassword", "targetsecret"} {
		if strings.Contains(pages, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	if config := get(t, p.handler, "/config", nil); !strings.Contains(config.text, "colour") || !strings.Contains(config.text, "http_2xx:") {
		t.Error(config.text)
	}
}

func TestLogs(t *testing.T) {
	srv := httptest.NewServer(pages())
	defer srv.Close()
	p := newPair(t, "modules: {http_2xx: {prober: http}, other: {prober: http}}")
	p.ours.history.limit = 3
	for i := range 10 {
		path := "/"
		if i%2 == 0 {
			path = "/status/500"
		}
		ask(t, p.handler, query("http_2xx", srv.URL+path), nil)
	}
	var kept []string
	for _, r := range p.ours.Recent() {
		kept = append(kept, fmt.Sprintf("%d %t", r.ID, r.Success))
	}
	if got := strings.Join(kept, ", "); got != "9 true, 8 false, 7 true, 6 false, 4 false, 2 false" {
		t.Errorf("remembered: %s", got)
	}
	for path, want := range map[string]int{
		"/logs": 400, "/logs?module=http_2xx": 400, "/logs?id=x": 400, "/logs?id=9&target=x": 400, "/logs?id=0": 404, "/logs?target=nope": 404,
		"/logs?id=9": 200, "/logs?target=" + url.QueryEscape(srv.URL+"/"): 200, "/logs?module=http_2xx&target=" + url.QueryEscape(srv.URL+"/"): 200,
		"/logs?module=other&target=" + url.QueryEscape(srv.URL+"/"): 404,
	} {
		if got := get(t, p.handler, path, nil); got.status != want {
			t.Errorf("%s: %d, want %d: %s", path, got.status, want, got.text)
		}
	}
}

func TestAHistoryOfNothing(t *testing.T) {
	h := history{}
	for range 3 {
		h.add(&record{})
	}
	if n := len(h.list()); n != 0 {
		t.Errorf("%d are remembered", n)
	}
}

func TestBounds(t *testing.T) {
	began, release := make(chan struct{}, 10), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		began <- struct{}{}
		<-release
	}))
	defer srv.Close()
	p := newPair(t, "modules: {http_2xx: {prober: http, timeout: 10s}}")
	p.ours.opts.MaxConcurrency = 2
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { ask(t, p.handler, query("http_2xx", srv.URL), nil) })
		<-began
	}
	got := ask(t, p.handler, query("http_2xx", srv.URL), nil)
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" || !strings.Contains(got.text, "2 probes are running") {
		t.Error(got)
	}
	if f := p.ours.Facts(); f.Running != 2 || f.RejectedByConcurrency != 1 {
		t.Errorf("%+v", f)
	}
	close(release)
	running.Wait()

	p.ours.opts.MaxRate, p.ours.rate = 0.25, newLimiter(0.25)
	ask(t, p.handler, query("http_2xx", srv.URL), nil)
	got = ask(t, p.handler, query("http_2xx", srv.URL), nil)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "4" || !strings.Contains(got.text, "0.25 probes a second") {
		t.Error(got)
	}
	if f := p.ours.Facts(); f.Running != 0 || f.RejectedByRate != 1 {
		t.Errorf("%+v", f)
	}
}

func TestLimiter(t *testing.T) {
	l := newLimiter(10)
	now := l.at
	l.now = func() time.Time { return now }
	begun := 0
	for range 1000 { // of 10 s
		if _, ok := l.take(); ok {
			begun++
		}
		now = now.Add(10 * time.Millisecond)
	}
	if begun < 108 || begun > 110 { // 10 at once, and 10 in each second
		t.Errorf("%d began, want 109", begun)
	}
}

func TestAProbeEndsWithItsRequest(t *testing.T) {
	srv := httptest.NewServer(pages())
	defer srv.Close()
	p := newPair(t, "modules: {http_2xx: {prober: http, timeout: 100s}}")
	web := httptest.NewServer(p.handler)
	defer web.Close()
	client := &http.Client{Timeout: 200 * time.Millisecond}
	if _, err := client.Get(web.URL + "/probe?" + query("http_2xx", srv.URL+"/slow").Encode()); err == nil {
		t.Fatal("answered")
	}
	for end := time.Now().Add(20 * time.Second); p.ours.Facts().Running != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the probe goes on")
		}
	}
}

func TestReload(t *testing.T) {
	p := newPair(t, "modules: {http_2xx: {prober: http}}")
	if f := p.ours.Facts(); !f.ReloadSuccessful || time.Since(f.ReloadedAt) > time.Minute {
		t.Errorf("%+v", f)
	}
	writePlain(t, p.ours.opts.ConfigFile, "modules: {http_2xx: {prober: http, colour: blue}}")
	err := p.ours.Reload()
	if err == nil || !strings.Contains(err.Error(), "blackbox.yml:1: there is no field colour here") {
		t.Error(err)
	}
	if f := p.ours.Facts(); f.ReloadSuccessful || (*p.ours.modules.Load())["http_2xx"] == nil {
		t.Errorf("%+v", f)
	}
	if err := os.Remove(p.ours.opts.ConfigFile); err != nil {
		t.Fatal(err)
	}
	if err := p.ours.Reload(); err == nil {
		t.Error("a file that is gone was loaded")
	}
	writePlain(t, p.ours.opts.ConfigFile, "modules: {other: {prober: tcp}}")
	if err := p.ours.Reload(); err != nil || (*p.ours.modules.Load())["other"] == nil || (*p.ours.modules.Load())["http_2xx"] != nil {
		t.Error(err)
	}
}

// TestReloadsUnderProbes is for the race detector.
func TestReloadsUnderProbes(t *testing.T) {
	srv := httptest.NewServer(pages())
	defer srv.Close()
	p := newPair(t, "modules: {http_2xx: {prober: http}}")
	var background sync.WaitGroup
	for range 4 {
		background.Go(func() {
			for range 20 {
				if got := ask(t, p.handler, query("http_2xx", srv.URL+"/redirect/2"), nil); got.value("probe_success") != "1" {
					t.Error(got.text)
				}
				get(t, p.handler, "/logs?id=0", nil)
				get(t, p.handler, "/config", nil)
			}
		})
	}
	for range 20 {
		if err := p.ours.Reload(); err != nil {
			t.Error(err)
		}
	}
	background.Wait()
}
