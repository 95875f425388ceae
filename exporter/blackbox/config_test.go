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
		if name == "blackbox-good.yml" && want == nil { // whose module for gRPC names a prober that there is not, which newer versions refuse
			if got == nil || !strings.Contains(got.Error(), `there is no prober "grpc_probe"`) {
				t.Errorf("%s: %v", name, got)
			}
			continue
		}
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
		for _, w := range warnings {
			elsewhere := strings.Contains(w, "no such file") || name == "example.yml" && strings.Contains(w, `no response has "HTTP/2"`) // it is of HTTP/2.0
			if !elsewhere {
				t.Errorf("%s: %q", name, w)
			}
		}
		if len(modules) != len(theirs.C.Modules) {
			t.Errorf("%s: %d modules, want %d", name, len(modules), len(theirs.C.Modules))
		}
		for name, m := range modules {
			m.Websocket = websocketSettings{} // which is of a newer version
			if got, want := toYAML(m.settings), toYAML(theirs.C.Modules[name]); got != want {
				t.Errorf("module %s is\n%swant\n%s", name, got, want)
			}
		}
	}
	if good < 2 {
		t.Errorf("only %d files are good", good)
	}
}

// TestProbersThatAreNotThereAreRefused as v0.29.0 does, with their places.
func TestProbersThatAreNotThereAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blackbox.yml")
	for text, want := range map[string]string{
		"modules:\n  a:\n    prober: ftp\n  b: {prober: tcp}\n  c: {prober: TCP}\n": file + `:3: there is no prober "ftp"; write one of dns, grpc, http, icmp, tcp, unix, websocket` + "\n" + file + `:5: there is no prober "TCP"; write one of dns, grpc, http, icmp, tcp, unix, websocket`,
		"modules: {a: {timeout: 5s}}":   file + ": module a names no prober; write prober: and one of dns, ",
		"modules: {a: {prober: [tcp]}}": file + ":1: cannot unmarshal",
		"modules: {a: {prober: \"\"}}":  file + `:1: there is no prober ""`,
	} {
		writePlain(t, file, text)
		if _, _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\nis %v\nwant %s", text, err, want)
		}
	}
}

func TestLint(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blackbox.yml")
	writePlain(t, file, `
modules:
  b: {prober: tcp, tcp: {source_ip_address: here, query_response: [{expect: x, labels: [{value: y}]}]}}
  c: {prober: dns, dns: {query_name: x, transport_protocol: sctp, valid_rcodes: [STRANGE], validate_answer_rrs: {fail_if_matches_regexp: ["("]}}}
  d: {prober: dns, dns: {query_name: x, dns_over_tls: true}}
  e: {prober: http}
`)
	modules, warnings, err := Load(file)
	if err != nil || len(modules) != 4 {
		t.Fatal(modules, err)
	}
	for _, want := range []string{
		`module b: source_ip_address is "here"`, `module b: a label of query_response has no name`,
		`module c: transport_protocol is "sctp"`, `module c: valid_rcodes: there is no DNS code "STRANGE"`, "module c: error parsing regexp: missing closing ): `(`",
		`module d: dns_over_tls needs transport_protocol: tcp`,
	} {
		if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("no warning %q in %q", want, warnings)
		}
	}
	if len(warnings) != 6 {
		t.Errorf("%d warnings: %q", len(warnings), warnings)
	}
}

// TestModulesThatAlwaysFailAreFound, each with its reason, and no others.
func TestModulesThatAlwaysFailAreFound(t *testing.T) {
	for module, want := range map[string]string{
		`http: {valid_http_versions: ["HTTP/2"]}`:                        `no response has "HTTP/2"`,
		`http: {valid_http_versions: ["HTTP/1.1", "HTTP/2"]}`:            `no response has "HTTP/2"`,
		`http: {valid_http_versions: ["1.1"]}`:                           `no response has "1.1"`,
		`http: {valid_http_versions: ["HTTP/2.0"], enable_http2: false}`: "one of HTTP/1.0, HTTP/1.1",
		`http: {fail_if_ssl: true, fail_if_not_ssl: true}`:               "exclude each other",
		`http: {method: "GE T"}`:                                         "none of HTTP",
		`http: {valid_status_codes: [20]}`:                               "three digits",
		`http: {headers: {"Bad Name": x}}`:                               "not the name of a header",
		`http: {headers: {"X": "a\nb"}}`:                                 "the value of X",
		`http: {bearer_token_file: /nope}`:                               "bearer_token_file: open /nope",
		`http: {body_file: /nope}`:                                       "body_file: open /nope",
		`http: {tls_config: {ca_file: /nope}}`:                           "tls_config: ca_file: open /nope",
		`http: {basic_auth: {username: u, password_file: /nope}}`:        "password_file: open /nope",
		`http: {proxy_url: "proxy.example:3128"}`:                        "proxy_url is no URL",
		`http: {proxy_url: "http://"}`:                                   "proxy_url is no URL",
		`http: {compression: foo}`:                                       `compression is "foo"`,
		`http: {fail_if_body_json_not_matches_cel: "1"}`:                 "neither true nor false",
		`tcp: {tls_config: {ca_file: /nope}}`:                            "tls_config: ca_file: open /nope",
		`icmp: {payload_size: 70000}`:                                    "payload_size is 70000",
		`icmp: {payload_size: -5}`:                                       "",
		`http: {valid_http_versions: ["HTTP/1.1", "HTTP/2.0"], method: PURGE, valid_status_codes: [20, 200], proxy_url: "http://proxy.example:3128", compression: gzip, fail_if_body_json_matches_cel: "body.x", headers: {Host: a.example}}`: "",
	} {
		kind, _, _ := strings.Cut(module, ":")
		file := filepath.Join(t.TempDir(), "blackbox.yml")
		writePlain(t, file, "modules: {a: {prober: "+kind+", "+module+"}}")
		_, warnings, err := Load(file)
		if err != nil {
			t.Errorf("%s: %v", module, err)
		}
		if got := strings.Join(warnings, "\n"); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", module, got, want)
		}
	}
}

// TestMetricsAreDocumented compares the table of metrics with the page.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/blackbox.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range metricNames() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/blackbox.md does not mention %s", name)
		}
	}
}
