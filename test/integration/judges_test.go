//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// checkAgainst has `upheld check` ask the server for what is there, and then for
// what is not.
func (l *loop) checkAgainst(t *testing.T) {
	url := "--prometheus.url=http://" + l.addresses.prometheus
	output := run(t, ".", l.built.upheld, "check", url, l.spec)
	for _, want := range []string{
		`: 0 errors, 3 warnings`, // of thresholds, which the server has nothing to do with
		`it keeps 33d; the rules would touch about [0-9]{3,} samples a second, [0-9]+ of them raw, and record [0-9]{3} series`,
	} {
		if !regexp.MustCompile(want).MatchString(output) {
			t.Errorf("check says\n%s\nwant %s", output, want)
		}
	}
	text, err := os.ReadFile(l.spec)
	if err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	for _, edit := range []struct{ from, to, want string }{
		{"threshold: 300ms", "threshold: 400ms", "has no bucket of 0.4 s.*"},
		{`total: 'http_requests_total{service="api"}'`, `total: 'http_request_total{service="api"}'`, `no series called http_request_total`},
	} {
		if err := os.WriteFile(wrong, []byte(strings.Replace(string(text), edit.from, edit.to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		output := run(t, ".", l.built.upheld, "check", url, wrong)
		if !regexp.MustCompile(edit.want).MatchString(output) {
			t.Errorf("%s: check says\n%s\nwant %s", edit.to, output, edit.want)
		}
	}
}

// pintConfig lets pint ask the server. What is turned off, and why: alerts/count
// tells how often each alert would have fired, which is no fault; of two
// services that are so by intent pint finds what they lack, which is the error
// series of one that never failed, and the ratios of one without traffic; and
// SLABudgetBurn reads which tiers burn, which is recorded only while they do. The
// third layer records every 30 minutes, for readers over two hours: pint takes that
// for gaps, and a server that runs for a minute has nothing of it yet for the sums of
// the period.
const pintConfig = `
prometheus "live" {
  uri     = %q
  timeout = "30s"
}
checks {
  disabled = ["alerts/count", "group/interval"]
}
rule {
  match {
    name = "sla:.+_period"
  }
  disable = ["promql/series"]
}
rule {
  match {
    label "service" {
      value = "clean|idle"
    }
  }
  disable = ["promql/series"]
}
rule {
  match {
    name = "SLABudgetBurn"
  }
  disable = ["promql/series"]
}
`

// checkByPint has pint judge the rules with the server that evaluates them.
func (l *loop) checkByPint(t *testing.T) {
	pint := program(t, root+"/bin/tools/pint", "run make prometheus-tools")
	config := filepath.Join(t.TempDir(), "pint.hcl")
	if err := os.WriteFile(config, fmt.Appendf(nil, pintConfig, "http://"+l.addresses.prometheus), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, ".", pint, "--no-color", "--config="+config, "lint", "--min-severity=info", "--fail-on=info", filepath.Join(l.generated, "rules"))
}
