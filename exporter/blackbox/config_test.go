package blackbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	oracleconfig "github.com/prometheus/blackbox_exporter/config"
	"github.com/prometheus/client_golang/prometheus"
)

// TestFilesOfBlackboxExporter loads every file that blackbox_exporter ships:
// its default, its examples, and those of its tests, good and bad.
func TestFilesOfBlackboxExporter(t *testing.T) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/blackbox_exporter").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(folder))
	files := []string{filepath.Join(root, "blackbox.yml"), filepath.Join(root, "example.yml")}
	tests, err := filepath.Glob(filepath.Join(root, "config", "testdata", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, tests...)
	if len(files) < 20 {
		t.Fatalf("%s has only %d files", root, len(files))
	}
	good := 0
	for _, file := range files {
		name := filepath.Base(file)
		theirs := oracleconfig.NewSafeConfig(prometheus.NewRegistry())
		want := theirs.ReloadConfig(file, nil)
		modules, warnings, got := Load(file)
		if (got == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", name, got, want)
			continue
		}
		if got != nil {
			if !strings.Contains(got.Error(), name) {
				t.Errorf("%s is not named: %v", name, got)
			}
			continue
		}
		good++
		if len(warnings) > 0 && name != "blackbox-good.yml" { // whose module for gRPC names a prober that there is not
			t.Errorf("%s: %q", name, warnings)
		}
		if len(modules) != len(theirs.C.Modules) {
			t.Errorf("%s: %d modules, want %d", name, len(modules), len(theirs.C.Modules))
		}
		for name, m := range modules {
			if got, want := show(m.Module), show(theirs.C.Modules[name]); got != want {
				t.Errorf("module %s is\n%swant\n%s", name, got, want)
			}
		}
	}
	if good < 3 {
		t.Errorf("only %d files are good", good)
	}
}

func TestLint(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blackbox.yml")
	writePlain(t, file, `
modules:
  a: {prober: ftp}
  b: {prober: tcp, tcp: {source_ip_address: here, query_response: [{expect: x, labels: [{value: y}]}]}}
  c: {prober: dns, dns: {query_name: x, transport_protocol: sctp, valid_rcodes: [STRANGE], validate_answer_rrs: {fail_if_matches_regexp: ["("]}}}
  d: {prober: dns, dns: {query_name: x, dns_over_tls: true}}
  e: {prober: http}
`)
	modules, warnings, err := Load(file)
	if err != nil || len(modules) != 5 {
		t.Fatal(modules, err)
	}
	for _, want := range []string{
		`module a: there is no prober "ftp"`, `module b: source_ip_address is "here"`, `module b: a label of query_response has no name`,
		`module c: transport_protocol is "sctp"`, `module c: valid_rcodes: there is no DNS code "STRANGE"`, "module c: error parsing regexp: missing closing ): `(`",
		`module d: dns_over_tls needs transport_protocol: tcp`,
	} {
		if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("no warning %q in %q", want, warnings)
		}
	}
	if len(warnings) != 7 {
		t.Errorf("%d warnings: %q", len(warnings), warnings)
	}
}

// TestMetricsAreDocumented compares the table of metrics with the page.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/blackbox.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range MetricNames() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/blackbox.md does not tell of %s", name)
		}
	}
}
