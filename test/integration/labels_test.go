//go:build integration

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTargetLabelsOfTheExportersNames has a Prometheus put labels on the scraped
// exporter as the operator does for a ServiceMonitor.
func TestTargetLabelsOfTheExportersNames(t *testing.T) {
	t.Parallel()
	const install = "install the package prometheus"
	servers := map[string]string{
		"distribution": program(t, "/usr/bin/prometheus", install),
		"current":      program(t, root+"/bin/tools/prometheus", "run make prometheus-tools"),
	}
	built := build(t)
	for name, server := range servers {
		for _, honoured := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, honoured %t", name, honoured), func(t *testing.T) {
				t.Parallel()
				checkTargetLabels(t, built, server, honoured)
			})
		}
	}
}

func checkTargetLabels(t *testing.T, built programs, program string, honoured bool) {
	dir := t.TempDir()
	spec, generated := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "generated")
	text := fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: health
      service: api
      indicator: {probe: {http: %q, interval: 1s}}
      target: "99.9"
`, newFixture(t).http.URL+"/ok")
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	exporter, address := freeAddress(t), freeAddress(t)
	run(t, ".", built.upheld, "generate", spec, "-o", generated, "--rules.interval=1s", "--scrape.interval=1s", "--exporter.address="+exporter)
	awaitReady(t, start(t, "upheld-exporter", built.exporter, "--spec.file="+spec, "--web.listen-address="+exporter), exporter)

	config := filepath.Join(generated, "prometheus", "edited.yml")
	copyTo(t, filepath.Join(generated, "prometheus", "prometheus.yml"), config)
	patch(t, config, func(document map[string]any) {
		job := document["scrape_configs"].([]any)[0].(map[string]any)
		job["honor_labels"] = honoured && job["honor_labels"].(bool)
		job["static_configs"].([]any)[0].(map[string]any)["labels"] = map[string]any{
			"namespace": "monitoring", "service": "upheld-exporter", "pod": "upheld-exporter-0", "endpoint": "http",
		}
	})
	p := start(t, "prometheus", program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--storage.tsdb.retention.time="+retention)
	awaitReady(t, p, address)
	server := prometheus{address}

	probes := `upheld_probe_results_total{outcome="good",namespace="monitoring"}`
	await(t, settle, "results of probes", func() error { return some(server, probes+" > 3") })
	check, err := exec.Command(built.upheld, "check", spec, "--prometheus.url=http://"+address).CombinedOutput()
	if !honoured {
		if err == nil || !strings.Contains(string(check), "error: the exporter's results of api/health have exported_service in place of service") {
			t.Errorf("check of a server that renamed the labels: %v\n%s", err, check)
		}
		return
	}
	if err != nil || strings.Contains(string(check), "exported_") {
		t.Errorf("check of a server that kept the labels: %v\n%s", err, check)
	}
	await(t, settle, "the level is measured", func() error { return some(server, `sla:total:rate5m{sla="shop",service="api",slo="health"} > 0`) })
}

// some is an error while an expression has no result.
func some(server prometheus, expr string) error {
	found, err := server.query(expr)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no result", expr)
	}
	return err
}
