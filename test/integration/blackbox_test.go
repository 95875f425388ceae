//go:build integration

package integration

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const modules = `modules:
  http_2xx: {prober: http, timeout: 2s}
  http_503: {prober: http, http: {valid_status_codes: [503]}}
  tcp_connect: {prober: tcp}
  tcp_banner: {prober: tcp, tcp: {query_response: [{expect: "^hello"}]}}
  grpc: {prober: grpc, grpc: {}}
  dns: {prober: dns, timeout: 1s, dns: {query_name: example.com}}
`

// scrapes has one job for each of the two exporters, over the same targets: the
// usual relabeling, with the module from a label.
const scrapes = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
{{range}}
  - job_name: {{job}}
    metrics_path: /probe
    static_configs: [{{targets}}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {source_labels: [module], target_label: __param_module}
      - {target_label: __address__, replacement: "{{exporter}}"}
{{end}}
`

// TestInThePlaceOfBlackboxExporter has real Prometheus servers scrape
// upheld-exporter and blackbox_exporter over the same targets, through
// relabeling, and compares what they stored.
func TestInThePlaceOfBlackboxExporter(t *testing.T) {
	oracle := program(t, root+"/bin/tools/blackbox_exporter", "run make bin/tools/blackbox_exporter")
	servers := map[string]string{
		"distribution": program(t, "/usr/bin/prometheus", "install the package prometheus"),
		"current":      program(t, root+"/bin/tools/prometheus", "run make prometheus-tools"),
	}
	built := build(t)
	f := newFixture(t)
	config := filepath.Join(t.TempDir(), "blackbox.yml")
	if err := os.WriteFile(config, []byte(modules), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, theirs := freeAddress(t), freeAddress(t)
	awaitReady(t, start(t, "upheld-exporter", built.exporter, "--config.file="+config, "--web.listen-address="+ours), ours)
	start(t, "blackbox_exporter", oracle, "--config.file="+config, "--web.listen-address="+theirs)
	targets := map[string]string{ // each once, with its module
		f.http.URL + "/ok": "http_2xx", f.http.URL + "/broken": "http_2xx", f.http.URL + "/broken?": "http_503", "http://" + f.refused: "http_2xx",
		f.tcp.Addr().String(): "tcp_connect", f.refused: "tcp_connect", "localhost" + strings.TrimPrefix(f.tcp.Addr().String(), "127.0.0.1"): "tcp_banner",
		strings.TrimPrefix(f.http.URL, "http://"): "grpc", "127.0.0.1:1": "dns",
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			p := startScraper(t, server, scrapeConfig(targets, map[string]string{"ours": ours, "theirs": theirs}))
			var seen map[string]map[string]string
			await(t, time.Minute, "both have probed everything", func() (err error) {
				seen, err = p.probes()
				if err == nil && (len(seen["ours"]) < 9*len(targets) || len(seen["ours"]) != len(seen["theirs"])) {
					err = fmt.Errorf("%d and %d series", len(seen["ours"]), len(seen["theirs"]))
				}
				return err
			})
			if !maps.Equal(seen["ours"], seen["theirs"]) {
				for _, series := range slices.Sorted(maps.Keys(seen["theirs"])) {
					if got, want := seen["ours"][series], seen["theirs"][series]; got != want {
						t.Errorf("%s is %q, want %s", series, got, want)
					}
				}
			}
			good, err := p.query(`count(probe_success{job="ours"} == 1)`)
			if err != nil || len(good) != 1 || good[0].value() != 3 {
				t.Errorf("good targets: %v, %v; want 3", good, err)
			}
			t.Logf("%d series of %d targets are the same", len(seen["ours"]), len(targets))
		})
	}
}

func scrapeConfig(targets, exporters map[string]string) string {
	var groups []string
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		groups = append(groups, fmt.Sprintf("{targets: [%q], labels: {module: %s}}", target, targets[target]))
	}
	head, rest, _ := strings.Cut(scrapes, "{{range}}")
	job, tail, _ := strings.Cut(rest, "{{end}}")
	text := head
	for name, address := range exporters {
		text += strings.NewReplacer("{{job}}", name, "{{exporter}}", address, "{{targets}}", strings.Join(groups, ", ")).Replace(job)
	}
	return text + tail
}

func startScraper(t *testing.T, path, config string) prometheus {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	awaitReady(t, start(t, "prometheus", path, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(t.TempDir(), "data"), "--web.listen-address="+address), address)
	return prometheus{address}
}

// probes is every series of probes that is stored at this moment, by job:
// without the job its name and labels, and its value unless that is a time
// which no two probes share.
func (p prometheus) probes() (map[string]map[string]string, error) {
	samples, err := p.query(`{__name__=~"probe_.+|up",__name__!="probe_timeout_seconds"}`)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, s := range samples {
		name, job, value := s.Metric["__name__"], s.Metric["job"], fmt.Sprint(s.Value[1])
		if strings.HasSuffix(name, "_duration_seconds") || name == "probe_dns_lookup_time_seconds" {
			value = fmt.Sprint(s.value() > 0)
		}
		delete(s.Metric, "job")
		if all[job] == nil {
			all[job] = map[string]string{}
		}
		all[job][fmt.Sprint(s.Metric)] = value
	}
	return all, nil
}
