package exporter_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// TestWithoutAVantagePointNobodyIsBlamed fails targets with and without
// references that answer.
func TestWithoutAVantagePointNobodyIsBlamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer broken.Close()
	const dead = "tcp://127.0.0.1:1"
	for name, c := range map[string]struct {
		references []string
		target     string
		outcome    probe.Outcome
		reason     probe.Reason
		seen       string
	}{
		"no references":                     {nil, "http://127.0.0.1:1/", probe.Bad, probe.ConnectRefused, ""},
		"one answers":                       {[]string{dead, "tcp://" + l.Addr().String()}, "http://127.0.0.1:1/", probe.Bad, probe.ConnectRefused, "1"},
		"one answers, with an error":        {[]string{broken.URL}, "http://127.0.0.1:1/", probe.Bad, probe.ConnectRefused, "1"},
		"none answers":                      {[]string{dead, "http://127.0.0.1:1/"}, "http://127.0.0.1:1/", probe.Inconclusive, probe.Vantage, "0"},
		"none answers, but the target does": {[]string{dead}, broken.URL, probe.Bad, probe.Status, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			e := exporter.New(exporter.Options{References: c.references})
			target := webTarget("availability", c.target, 50*time.Millisecond)
			if err := e.Apply([]sla.ProbeTarget{target}); err != nil {
				t.Fatal(err)
			}
			start(t, e)
			eventually(t, "a few results", func() bool { return len(e.Recent(target.ID)) > 3 })
			for _, r := range e.Recent(target.ID) {
				if r.Outcome != c.outcome && r.Outcome != probe.Missed || r.Outcome == c.outcome && r.Reason != c.reason {
					t.Errorf("%+v", r)
				}
				if r.Reason == probe.Vantage && !strings.HasPrefix(r.Detail, "connect_refused: ") {
					t.Errorf("the detail hides the cause: %q", r.Detail)
				}
			}
			const metric = "upheld_exporter_vantage_good"
			eventually(t, "metric "+c.seen, func() bool {
				text := scrape(t, e.Metrics())
				if c.seen == "" {
					return !strings.Contains(text, metric)
				}
				return strings.Contains(text, "\n"+metric+" "+c.seen+"\n")
			})
		})
	}
}

// TestAHeaderThatBreaksOffMayBeTheNetworks: half of a line says nothing against
// the target while no reference answers.
func TestAHeaderThatBreaksOffMayBeTheNetworks(t *testing.T) {
	url := "http://" + talker(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
	})
	e := exporter.New(exporter.Options{References: []string{"tcp://127.0.0.1:1"}})
	target := webTarget("availability", url, 200*time.Millisecond)
	if err := e.Apply([]sla.ProbeTarget{target}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "results that blame nobody", func() bool {
		judged := 0
		for _, r := range e.Recent(target.ID) {
			switch {
			case r.Outcome == probe.Bad:
				t.Fatalf("%+v", r)
			case r.Reason == probe.Vantage && strings.HasPrefix(r.Detail, "reset: "):
				judged++
			}
		}
		return judged >= 3
	})
}

func TestReferencesAreChecked(t *testing.T) {
	err := exporter.CheckReferences([]string{"tcp://192.0.2.1:53", "https://shop.example/", "tcp://nowhere", "ftp://shop.example"})
	if err == nil || !strings.Contains(err.Error(), `"tcp://nowhere"`) || !strings.Contains(err.Error(), `"ftp://shop.example"`) || strings.Contains(err.Error(), "192.0.2.1") {
		t.Error(err)
	}
}

// TestManyFailuresAskTheReferencesOnce has many targets fail at once while
// every reference hangs.
func TestManyFailuresAskTheReferencesOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // accepts in the kernel only, and never answers HTTP
	e := exporter.New(exporter.Options{References: []string{"http://" + l.Addr().String()}})
	targets := manyTargets(200, "http://127.0.0.1:1", 1500*time.Millisecond)
	if err := e.Apply(targets); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	text := ""
	within(t, 2*time.Minute, "as many inconclusive results as there are targets", func() bool {
		text = scrape(t, e.Metrics())
		return counter(t, text, "upheld_probe_results_total", `outcome="inconclusive"`) >= 200
	})
	if n := counter(t, text, "upheld_probe_results_total", `outcome="bad"`); n != 0 {
		t.Errorf("%v targets are blamed", n)
	}
}
