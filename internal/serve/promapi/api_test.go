package promapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// call is one request; floats is set where it concerns only what appendFloats
// writes, so that old servers can answer it too.
type call struct {
	path   string
	form   url.Values
	post   bool
	floats bool
}

func (c call) String() string {
	method := http.MethodGet
	if c.post {
		method = http.MethodPost
	}
	text := method + " " + c.path
	if len(c.form) > 0 {
		text += "?" + c.form.Encode()
	}
	readable, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return readable
}

func (c call) request(base string) *http.Request {
	if c.post {
		r := httptest.NewRequest(http.MethodPost, base+c.path, strings.NewReader(c.form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	return httptest.NewRequest(http.MethodGet, base+c.path+"?"+c.form.Encode(), nil)
}

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// instant, ranged and listing are calls that every server can answer.
func instant(query string, more ...string) call {
	return call{path: "/api/v1/query", form: form(append([]string{"query", query, "time", seconds(now)}, more...)...), floats: true}
}

func ranged(query, step string, more ...string) call {
	return call{path: "/api/v1/query_range", floats: true, form: form(append([]string{
		"query", query, "start", seconds(now.Add(-5 * time.Minute)), "end", now.Format(time.RFC3339Nano), "step", step,
	}, more...)...)}
}

func listing(path string, more ...string) call {
	return call{path: path, floats: true, form: form(append([]string{"start", seconds(epoch), "end", seconds(now)}, more...)...)}
}

func posted(c call) call { c.post = true; return c }

// latest marks a call to which a floats-only or old server responds differently.
func latest(c call) call { c.floats = false; return c }

var calls = map[string][]call{
	"query": {
		instant("http_requests_total"),
		instant(`odd{kind!="nan"}`),
		instant("temperature"),
		instant("nothing_here"),
		instant("scalar(vector(1e-7))"),
		instant(`"text <&>"`),
		instant("1 / 0"),
		instant("http_requests_total[40s]"),
		instant("sum by (job) (rate(http_requests_total[5m]))"),
		instant("absent(nothing_here{a=\"b\"})"),
		posted(instant("count(http_requests_total)")),
		instant("http_requests_total", "time", "x"),                    // the first value counts
		latest(instant("http_requests_total", "lookback_delta", "1s")), // since 2.43
		instant("http_requests_total", "timeout", "1m"),
		latest(instant("http_requests_total", "limit", "2")),
		latest(instant("http_requests_total[40s]", "limit", "1")),
		latest(instant("latency_seconds")),
		latest(instant("histogram_quantile(0.5, rate(latency_seconds[5m]))")),
		latest(call{path: "/api/v1/query", form: form("query", "time()")}),
	},
	"query_range": {
		ranged("http_requests_total", "60"),
		ranged("rate(http_requests_total[2m])", "1m"),
		posted(ranged(`odd{kind=~".*inf|small|large"}`, "150")),
		ranged("scalar(vector(2))", "100"),
		ranged("nothing_here", "15"),
		latest(ranged("latency_seconds", "200")),
		latest(ranged("http_requests_total", "60", "limit", "1")),
	},
	"errors": {
		instant("sum("),
		instant(""),
		instant("rate(http_requests_total)"),
		{path: "/api/v1/query", form: form("query", "1", "time", "yesterday"), floats: true},
		instant("1", "timeout", "soon"),
		latest(instant("1", "lookback_delta", "x")),
		latest(instant("1", "limit", "-1")),
		instant(`http_requests_total * on (job) http_requests_total`),
		latest(instant("http_requests_total[90m]", "timeout", "30s")), // more samples than the engine may hold
		ranged("1", "0"),
		ranged("1", "-5"),
		ranged("1", "often"),
		ranged("1", "0.001"),
		{path: "/api/v1/query_range", form: form("query", "1", "start", "1", "step", "1"), floats: true},
		{path: "/api/v1/query_range", form: form("query", "1", "start", "5", "end", "1", "step", "1"), floats: true},
		{path: "/api/v1/query_range", form: form("query", "1", "start", "1", "end", "9", "step", "1e40"), floats: true},
		listing("/api/v1/series"),
		listing("/api/v1/series", "match[]", "{"),
		listing("/api/v1/series", "match[]", `{job=~".*"}`),
		listing("/api/v1/labels", "match[]", "{"),
		latest(listing("/api/v1/label/a%FFb/values")),
		{path: "/api/v1/rules", form: form("type", "neither"), floats: true},
		{path: "/api/v1/metadata", form: form("limit", "few"), floats: true},
		latest(call{path: "/api/v1/rules", form: form("group_limit", "0")}),
		latest(call{path: "/api/v1/rules", form: form("group_next_token", "abc")}),
		latest(call{path: "/api/v1/rules", form: form("group_next_token", "abc", "group_limit", "1")}),
		latest(call{path: "/api/v1/status/tsdb", form: form("limit", "0")}),
		{path: "/api/v1/format_query", form: form("query", "sum("), floats: true},
		{path: "/api/v1/query_exemplars", form: form("query", "sum("), floats: true},
		{path: "/api/v1/no_such_call", floats: true},
	},
	"series": {
		listing("/api/v1/series", "match[]", "http_requests_total"),
		posted(listing("/api/v1/series", "match[]", `{room!=""}`)),
		listing("/api/v1/series", "match[]", `http_requests_total{job="web"}`, "match[]", `{code="200"}`),
		listing("/api/v1/series", "match[]", "nothing_here"),
		{path: "/api/v1/series", form: form("match[]", "temperature"), floats: true},
		{path: "/api/v1/series", form: form("match[]", "temperature", "start", "0", "end", "10"), floats: true},
		latest(listing("/api/v1/series", "match[]", `{job=~".+"}`, "limit", "1")),
		listing("/api/v1/labels", "match[]", "http_requests_total"),
		posted(listing("/api/v1/labels", "match[]", "http_requests_total", "match[]", "odd")),
		listing("/api/v1/labels", "match[]", "nothing_here"),
		latest(listing("/api/v1/labels")),
		latest(listing("/api/v1/labels", "limit", "2")),
		listing("/api/v1/label/job/values", "match[]", "http_requests_total"),
		listing("/api/v1/label/kind/values"),
		listing("/api/v1/label/kind/values", "match[]", `odd{kind=~".*inf"}`, "match[]", `odd{kind="nan"}`),
		listing("/api/v1/label/nothing/values"),
		latest(listing("/api/v1/label/__name__/values")),
		latest(listing("/api/v1/label/kind/values", "limit", "3")),
		latest(call{path: "/api/v1/query_exemplars", form: form("query", "traced_total", "start", seconds(epoch), "end", seconds(now))}),
		{path: "/api/v1/query_exemplars", form: form("query", "nothing_here"), floats: true},
	},
	"rules": {
		latest(call{path: "/api/v1/rules"}),
		latest(call{path: "/api/v1/rules", form: form("type", "alert")}),
		latest(call{path: "/api/v1/rules", form: form("type", "record", "rule_name[]", "one")}),
		latest(call{path: "/api/v1/rules", form: form("rule_group[]", "second")}),
		latest(call{path: "/api/v1/rules", form: form("file[]", "other.yml")}),
		latest(call{path: "/api/v1/rules", form: form("type", "alert", "exclude_alerts", "true")}),
		latest(call{path: "/api/v1/rules", form: form("match[]", `{team="shop"}`)}),
		latest(call{path: "/api/v1/rules", form: form("group_limit", "1", "type", "record")}),
		latest(call{path: "/api/v1/alerts"}),
	},
	"status": {
		latest(call{path: "/api/v1/status/flags"}),
		latest(call{path: "/api/v1/status/buildinfo"}),
		latest(call{path: "/api/v1/status/tsdb", form: form("limit", "100")}),
		{path: "/api/v1/format_query", form: form("query", `sum by(job)(rate(http_requests_total{code="200"}[5m]))/1`), floats: true},
		{path: "/api/v1/alertmanagers", floats: true},
		{path: "/api/v1/metadata", floats: true},
		latest(call{path: "/api/v1/scrape_pools"}),
		latest(call{path: "/api/v1/targets"}),
		latest(call{path: "/api/v1/targets", form: form("state", "active")}),
		{path: "/api/v1/targets/metadata", floats: true},
	},
}

// TestAnswers holds every answer to its golden file. They were compared with
// those of Prometheus' own web/api/v1 of the same version when recorded.
func TestAnswers(t *testing.T) {
	for name, group := range calls {
		t.Run(name, func(t *testing.T) {
			golden, err := filepath.Abs(filepath.Join("testdata", name+".golden"))
			if err != nil {
				t.Fatal(err)
			}
			handler := newWorld(t)
			var got bytes.Buffer
			for _, c := range group {
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, c.request(""))
				fmt.Fprintf(&got, "%s\n%d\n%s\n", c, recorder.Code, pretty(t, recorder.Body.Bytes()))
			}
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; record it with -update", err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("answers differ from %s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// pretty indents JSON, without what differs from run to run.
func pretty(t *testing.T, body []byte) string {
	t.Helper()
	parsed, err := parse(body)
	if err != nil {
		return string(body) // not every answer is JSON
	}
	out, err := json.MarshalIndent(parsed, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

// parse reads JSON and keeps numbers as they are written. It replaces the durations of
// evaluations, which differ from run to run.
func parse(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var parsed any
	err := decoder.Decode(&parsed)
	blank(parsed)
	return parsed, err
}

func blank(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			if key == "evaluationTime" || key == "lastEvaluation" {
				v[key] = "-"
				continue
			}
			blank(child)
		}
	case []any:
		for _, child := range v {
			blank(child)
		}
		sortCounts(v)
	}
}

// sortCounts orders the lists of status/tsdb, in which equal counts come in any
// order.
func sortCounts(items []any) {
	name := func(v any) string {
		m, _ := v.(map[string]any)
		text, _ := m["name"].(string)
		if _, counted := m["value"].(json.Number); !counted {
			return ""
		}
		return text
	}
	slices.SortStableFunc(items, func(a, b any) int { return strings.Compare(name(a), name(b)) })
}

// TestFailures holds errors of the engine to the kinds that clients know, also
// when they are wrapped.
func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want failure
	}{
		{promql.ErrQueryTimeout("query execution"), timeout},
		{promql.ErrQueryCanceled("query execution"), canceled},
		{context.Canceled, canceled},
		{promql.ErrStorage{Err: errors.New("broken")}, internal},
		{promql.ErrTooManySamples("query execution"), execution},
		{tsdb.ErrNotReady, unavailable},
		{errors.New("anything else"), execution},
	} {
		if got := failed(fmt.Errorf("around: %w", tc.err)); got.kind != tc.want {
			t.Errorf("%T %v is %v, want %v", tc.err, tc.err, got.kind, tc.want)
		}
	}
}

func TestCompressedAnswer(t *testing.T) {
	r := instant("http_requests_total").request("")
	r.Header.Set("Accept-Encoding", "gzip")
	recorder := httptest.NewRecorder()
	newWorld(t).ServeHTTP(recorder, r)
	if got := recorder.Header().Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding is %q, want gzip", got)
	}
}

func TestGlobalURL(t *testing.T) {
	for _, tc := range []struct{ target, host, want string }{
		{"http://127.0.0.1:80/metrics", "mon.example", "http://mon.example:80/metrics"},
		{"http://localhost/metrics", "mon.example", "http://mon.example/metrics"},
		{"http://[::1]:9/m", "2001:db8::1", "http://[2001:db8::1]:9/m"},
		{"http://10.0.0.1:80/metrics", "mon.example", "http://10.0.0.1:80/metrics"},
		{"http://127.0.0.1:80/metrics", "", "http://127.0.0.1:80/metrics"},
	} {
		u, err := url.Parse(tc.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := globalURL(u, tc.host); got != tc.want {
			t.Errorf("globalURL(%s, %q) = %s, want %s", tc.target, tc.host, got, tc.want)
		}
	}
}
