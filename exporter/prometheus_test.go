package exporter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/sla"
)

// server is a real Prometheus that scrapes.
type server struct {
	t   *testing.T
	url string
}

// scraping starts the Prometheus at path on a target.
func scraping(t *testing.T, path, target, options string, flags ...string) server {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no Prometheus to scrape with: %v", err)
	}
	// Between the choice of a port and the server's start another test may be given
	// the port; on Linux an address of this process's own keeps it.
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.83.%d.%d", os.Getpid()>>8&255, os.Getpid()&255)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("scrape_configs:\n- job_name: upheld\n  scrape_interval: 300ms\n  scrape_timeout: 300ms\n%s  static_configs: [{targets: [%q]}]\n", options, target)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, append(flags, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)...)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s:\n%s", path, text)
		}
	})
	return server{t, "http://" + address}
}

// data is the "data" of an answer of the API, nil while there is none.
func (s server) data(path string, values url.Values) json.RawMessage {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path+"?"+values.Encode(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var body struct{ Data json.RawMessage }
	if json.NewDecoder(answer.Body).Decode(&body) != nil {
		return nil
	}
	return body.Data
}

// value is that of a query with one result.
func (s server) value(query string) string {
	var answer struct {
		Result []struct{ Value [2]any }
	}
	if json.Unmarshal(s.data("/api/v1/query", url.Values{"query": {query}}), &answer) != nil || len(answer.Result) != 1 {
		return ""
	}
	return fmt.Sprint(answer.Result[0].Value[1])
}

// exemplars are the probes that exemplars name.
func (s server) exemplars() (ids []string) {
	var answer []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	_ = json.Unmarshal(s.data("/api/v1/query_exemplars", url.Values{
		"query": {"upheld_probe_duration_seconds_bucket or upheld_probe_duration_seconds"},
		"start": {fmt.Sprint(time.Now().Add(-time.Hour).Unix())}, "end": {fmt.Sprint(time.Now().Add(time.Minute).Unix())},
	}), &answer)
	for _, series := range answer {
		for _, e := range series.Exemplars {
			ids = append(ids, e.Labels["probe_id"])
		}
	}
	return ids
}

// TestPrometheusTakesEveryFormat has real servers scrape: the one of Debian in
// OpenMetrics and, with its first native histograms, in protobuf; and a current
// one in protobuf and in text.
func TestPrometheusTakesEveryFormat(t *testing.T) {
	const debian = "/usr/bin/prometheus"
	current, err := filepath.Abs(filepath.Join("..", "bin", "tools", "prometheus"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, options string
		flags               []string
		native, exemplars   bool
	}{
		{"Debian, OpenMetrics", debian, "", []string{"--enable-feature=exemplar-storage"}, false, true},
		{"Debian, protobuf", debian, "", []string{"--enable-feature=exemplar-storage,native-histograms"}, true, true},
		{"current, protobuf", current, "  scrape_native_histograms: true\n  always_scrape_classic_histograms: true\n", []string{"--enable-feature=exemplar-storage"}, true, true},
		{"current, text", current, "  scrape_protocols: [PrometheusText0.0.4]\n", nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := exporter.New(exporter.Options{Location: "fra1"})
			if err := e.Apply([]sla.ProbeTarget{
				webTarget("well", wellServer(t), 100*time.Millisecond, time.Second),
				webTarget("refused", "http://127.0.0.1:1/", 100*time.Millisecond),
			}); err != nil {
				t.Fatal(err)
			}
			start(t, e)
			srv := httptest.NewServer(e.Handler("/metrics"))
			t.Cleanup(srv.Close)
			s := scraping(t, c.path, srv.Listener.Addr().String(), c.options, c.flags...)
			eventually(t, "a scrape", func() bool { return s.value(`up`) == "1" })
			eventually(t, "good results", func() bool { v := s.value(`upheld_probe_results_total{outcome="good",slo="well"} > 3`); return v != "" })
			if v := s.value(`sum(upheld_probe_results_total) - sum(upheld_probe_scheduled_total)`); v != "0" {
				t.Errorf("outcomes and what was owed differ by %q", v)
			}
			// increase() must see the first failures, too.
			eventually(t, "failures that began at 0", func() bool {
				return s.value(`min_over_time(upheld_probe_failures_total{reason="connect_refused",slo="refused"}[1h]) == 0 and upheld_probe_failures_total > 0`) != ""
			})
			if v := s.value(`count(upheld_probe_phase_duration_seconds{phase="connect"})`); c.native != (v == "2") {
				t.Errorf("%q native histograms of a phase", v)
			}
			if c.native {
				eventually(t, "a native quantile", func() bool {
					return s.value(`histogram_quantile(0.9, upheld_probe_duration_seconds{slo="well"}) < 1`) != ""
				})
			} else if v := s.value(`histogram_quantile(0.9, upheld_probe_duration_seconds_bucket{slo="well"}) < 1`); v == "" {
				t.Error("no classic quantile")
			}
			if c.exemplars {
				eventually(t, "exemplars", func() bool { ids := s.exemplars(); return len(ids) > 0 && len(ids[0]) == 16 })
			}
		})
	}
}

// TestPromtoolFindsNothing has promtool lint a scrape.
func TestPromtoolFindsNothing(t *testing.T) {
	promtool, err := filepath.Abs(filepath.Join("..", "bin", "tools", "promtool"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{promtool, "/usr/bin/promtool"} {
		if _, err := os.Stat(path); err != nil {
			t.Logf("not there: %v", err)
			continue
		}
		e := exporter.New(exporter.Options{})
		if err := e.Apply([]sla.ProbeTarget{webTarget("refused", "http://127.0.0.1:1/", 50*time.Millisecond, time.Second)}); err != nil {
			t.Fatal(err)
		}
		start(t, e)
		eventually(t, "a result", func() bool { return len(e.Recent(sla.ID{SLA: "shop", Service: "storefront", SLO: "refused"})) > 0 })
		command := exec.Command(path, "check", "metrics")
		stdin, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer stdin.Close()
			_, _ = stdin.Write([]byte(scrape(t, e.Metrics())))
		}()
		if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
}
