package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/model/rulefmt"
)

// side is a generator of rules, with its form of the same promise: 99.9 % of requests
// over 30 days.
type side struct {
	name  string
	rules func(*testing.B) []byte
	// period is an expression over its recorded series: the bad share of 30 days.
	period string
	// throughout selects the rules behind the period's share. Only these are evaluated
	// all month.
	throughout func(rulefmt.Rule) bool
}

var sides = []side{
	{"upheld", func(b *testing.B) []byte { return upheldRules(b, agreement) }, `sla:error:ratio_period`, func(rulefmt.Rule) bool { return true }},
	{"sloth", slothRules, `slo:sli_error:ratio_rate30d`, func(r rulefmt.Rule) bool { return r.Record == "slo:sli_error:ratio_rate5m" }},
	// Pyrra's rule reads the raw counters of 30 days at once.
	{"pyrra", pyrraRules, `1 - pyrra_availability`, func(rulefmt.Rule) bool { return false }},
}

const slothSpec = `version: prometheus/v1
service: checkout
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="checkout",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="checkout"}[{{.window}}]))
    alerting:
      name: Checkout
      page_alert: {}
      ticket_alert: {}
`

const pyrraSpec = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: checkout}
spec:
  target: "99.9"
  window: 30d
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{job="checkout",code=~"5.."}'}
      total: {metric: 'http_requests_total{job="checkout"}'}
`

// program is the program named by an environment variable.
func program(b *testing.B, variable string) string {
	b.Helper()
	path := os.Getenv(variable)
	if path == "" {
		b.Skipf("%s does not name the program; make bench-rules builds it", variable)
	}
	return path
}

// written writes a specification to its own file.
func written(b *testing.B, spec string) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "slo.yaml")
	if err := os.WriteFile(path, []byte(spec), 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// slothRules makes Sloth generate rules.
func slothRules(b *testing.B) []byte {
	out, err := exec.Command(program(b, "SLOTH"), "generate", "-i", written(b, slothSpec)).Output()
	if err != nil {
		b.Fatalf("sloth: %v", err)
	}
	return out
}

// pyrraRules makes Pyrra generate rules, including those from which others read its
// figures.
func pyrraRules(b *testing.B) []byte {
	dir := b.TempDir()
	said, err := exec.Command(program(b, "PYRRA"), "generate", "--generic-rules", "--config-files="+written(b, pyrraSpec), "--prometheus-folder="+dir).CombinedOutput()
	if err != nil {
		b.Fatalf("pyrra: %v\n%s", err, said)
	}
	out, err := os.ReadFile(filepath.Join(dir, "slo.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	return out
}
