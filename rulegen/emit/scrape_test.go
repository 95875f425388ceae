package emit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

func probed(agreement, service, slo string) *sla.ServiceLevel {
	l := counted(agreement, service, slo)
	l.Indicator = &sla.Probe{
		Check:    &sla.HTTPCheck{URL: "https://shop.example/health", Method: "GET"},
		Interval: 15 * time.Second, Timeout: 5 * time.Second,
	}
	return l
}

func counted(agreement, service, slo string) *sla.ServiceLevel {
	period := sla.Period{Rolling: 30 * 24 * time.Hour}
	return &sla.ServiceLevel{
		ID:        sla.ID{SLA: agreement, Service: service, SLO: slo},
		Indicator: &sla.Events{Bad: sla.Query{Text: "errors_total"}, Total: sla.Query{Text: "requests_total"}},
		Target:    sla.MustDecimal("99.9"),
		Objective: sla.MustDecimal("99.9"),
		Period:    period,
		Alerting:  sla.Alerting{Tiers: sla.DefaultTiers(period)},
	}
}

func twoAgreements() []*sla.Agreement {
	return []*sla.Agreement{
		{Name: "shop", Levels: []*sla.ServiceLevel{probed("shop", "storefront", "availability")}},
		{Name: "bank", Levels: []*sla.ServiceLevel{probed("bank", "ledger", "availability"), counted("bank", "ledger", "errors")}},
	}
}

func must(t *testing.T, bytes []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// tool skips the test where a command is not installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestScrapeGolden(t *testing.T) {
	scrape, err := emit.Scrape(twoAgreements(), emit.ScrapeOptions{})
	golden.Equal(t, "testdata/scrape.yaml", must(t, scrape, err))
	complete, err := emit.PrometheusConfig(twoAgreements(), emit.ScrapeOptions{})
	golden.Equal(t, "testdata/scrape-prometheus.yml", must(t, complete, err))
}

func TestPrometheusLoadsWhatIsScraped(t *testing.T) {
	opts := emit.ScrapeOptions{Exporters: []string{"probe-a.example:9799", "[::1]:9799"}, Interval: 5 * time.Second}
	dir := t.TempDir()
	scrape, err := emit.Scrape(twoAgreements(), opts)
	write(t, filepath.Join(dir, "scrape.yaml"), must(t, scrape, err))
	complete, err := emit.PrometheusConfig(twoAgreements(), opts)
	write(t, filepath.Join(dir, "prometheus.yml"), must(t, complete, err))
	write(t, filepath.Join(dir, "including.yml"), []byte("scrape_config_files: [scrape.yaml]\n"))

	for _, file := range []string{"prometheus.yml", "including.yml", "scrape.yaml"} {
		cfg, err := config.LoadFile(filepath.Join(dir, file), false, promslog.NewNopLogger())
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		jobs, err := cfg.GetScrapeConfigs()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(jobs) != 1 || jobs[0].JobName != "upheld-exporter" {
			t.Fatalf("%s: want the one job upheld-exporter, got %v", file, jobs)
		}
		if got := time.Duration(jobs[0].ScrapeInterval); got != opts.Interval {
			t.Errorf("%s: scrape interval %s, want %s", file, got, opts.Interval)
		}
		if jobs[0].ScrapeTimeout > jobs[0].ScrapeInterval {
			t.Errorf("%s: timeout %s is over the interval %s", file, jobs[0].ScrapeTimeout, jobs[0].ScrapeInterval)
		}
	}
}

func TestPromtoolAcceptsTheConfiguration(t *testing.T) {
	promtool := tool(t, "promtool")
	dir := t.TempDir()
	rule := "groups:\n  - name: one\n    rules:\n      - {record: 'job:up:sum', expr: sum by (job) (up)}\n"
	write(t, filepath.Join(dir, "rules", "shop.yaml"), []byte(rule))
	path := filepath.Join(dir, "prometheus", "prometheus.yml")
	for name, agreements := range map[string][]*sla.Agreement{
		"probes":    twoAgreements(),
		"no probes": {{Name: "api", Levels: []*sla.ServiceLevel{counted("api", "api", "errors")}}},
		"nothing":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			complete, err := emit.PrometheusConfig(agreements, emit.ScrapeOptions{})
			write(t, path, must(t, complete, err))
			out := run(t, promtool, "check", "config", path)
			if !strings.Contains(out, "1 rule files found") || !strings.Contains(out, "shop.yaml") {
				t.Errorf("promtool did not find the rules beside the configuration:\n%s", out)
			}
			scrape, err := emit.Scrape(agreements, emit.ScrapeOptions{})
			alone := filepath.Join(dir, "prometheus", "scrape.yaml")
			write(t, alone, must(t, scrape, err))
			run(t, promtool, "check", "config", alone)
		})
	}
}

func TestAgreementsWithoutProbesAreNotScraped(t *testing.T) {
	scrape, err := emit.Scrape([]*sla.Agreement{{Name: "api", Levels: []*sla.ServiceLevel{counted("api", "api", "errors")}}}, emit.ScrapeOptions{})
	text := string(must(t, scrape, err))
	if !strings.Contains(text, "scrape_configs: []") {
		t.Errorf("want an empty list of jobs, got\n%s", text)
	}
}

func TestRetentionCoversTheLongestPeriod(t *testing.T) {
	agreements := twoAgreements()
	agreements[0].Levels[0].Period.Rolling = 90 * 24 * time.Hour
	complete, err := emit.PrometheusConfig(agreements, emit.ScrapeOptions{})
	if text := string(must(t, complete, err)); !strings.Contains(text, "retention.time=93d") {
		t.Errorf("want a hint to keep 93 days, got\n%s", text)
	}
}

func TestScrapeRefusesAddressesWithoutPort(t *testing.T) {
	for _, opts := range []emit.ScrapeOptions{
		{Exporters: []string{"probe.example"}},
		{Alertmanagers: []string{"http://alerts.example/"}},
		{Interval: time.Microsecond},
	} {
		if _, err := emit.Scrape(twoAgreements(), opts); err == nil {
			t.Errorf("Scrape accepted %+v", opts)
		}
		if _, err := emit.PrometheusConfig(twoAgreements(), opts); err == nil {
			t.Errorf("PrometheusConfig accepted %+v", opts)
		}
	}
}
