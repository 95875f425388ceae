package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const twoModules = `modules:
  http_2xx: {prober: http, http: {headers: {Authorization: s3cret}}}
  tcp: {prober: tcp}
`

// TestInThePlaceOfBlackboxExporter runs the daemon with a blackbox.yml alone.
func TestInThePlaceOfBlackboxExporter(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "blackbox.yml")
	write(t, file, twoModules)
	d := startDaemon(t, "--config.file", file)
	probe := func() string {
		_, text := d.ask(http.MethodGet, "/probe?target="+srv.URL)
		return text
	}
	if text := probe(); !strings.Contains(text, "\nprobe_success 1\n") {
		t.Errorf("%s\n%s", text, d.text())
	}
	if code, _ := d.ask(http.MethodGet, "/-/ready"); code != http.StatusOK {
		t.Errorf("ready: %d", code)
	}
	for path, want := range map[string]string{
		"/config": "prober: tcp", "/logs?id=0": "Metrics that would have been returned", "/": "/logs?id=0", "/metrics": "blackbox_exporter_config_last_reload_successful 1\n",
	} {
		if code, text := d.ask(http.MethodGet, path); code != http.StatusOK || !strings.Contains(text, want) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %d, no %q or a secret in\n%s", path, code, want, text)
		}
	}
	if code, text := d.ask(http.MethodGet, "/probe?module=nope&target=x"); code != http.StatusBadRequest || !strings.Contains(text, `Unknown module "nope"`) {
		t.Errorf("unknown module: %d %s", code, text)
	}
	d.eventually("metrics", "blackbox_module_unknown_total 1\n", d.metrics)
	if code, text := d.ask(http.MethodGet, "/probe?target=http://169.254.169.254/latest/meta-data/"); code != http.StatusForbidden || !strings.Contains(text, "169.254.169.254 is denied") {
		t.Errorf("a denied target: %d %s", code, text)
	}

	write(t, file, twoModules+"  odd: {prober: http, colour: blue}\n")
	if code, text := d.ask(http.MethodPost, "/-/reload"); code != http.StatusInternalServerError || !strings.Contains(text, file+":4: there is no field colour here") {
		t.Errorf("a bad file: %d %s", code, text)
	}
	if text := d.metrics(); !strings.Contains(text, "blackbox_exporter_config_last_reload_successful 0\n") || !strings.Contains(probe(), "\nprobe_success 1\n") {
		t.Error("the failed reload does not show, or took the modules")
	}
	write(t, file, strings.Replace(twoModules, "tcp:", "renamed:", 1))
	if err := d.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	config := func() string {
		_, text := d.ask(http.MethodGet, "/config")
		return text
	}
	d.eventually("configuration after SIGHUP", "renamed:", config)
	if strings.Contains(d.text(), "s3cret") {
		t.Error("the log tells a header")
	}
}

// TestASpecificationAndModules runs both in one process; a mistake in one file
// does not keep the other from being loaded.
func TestASpecificationAndModules(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	folder := t.TempDir()
	modules, spec := filepath.Join(folder, "blackbox.yml"), filepath.Join(folder, "shop.yaml")
	write(t, modules, twoModules)
	level := strings.ReplaceAll(oneLevel, "%q", `"`+srv.URL+`"`)
	write(t, spec, level)
	d := startDaemon(t, "--config.file", modules, "--spec.file", spec, "--config.enable-auto-reload", "--config.auto-reload-interval", "1", "--probe.request-deny-cidr", "loopback")
	d.eventually("metrics", `upheld_probe_last_outcome_good{location="default",service="shop",sla="shop",slo="availability",target="`+srv.URL+`"} 1`, d.metrics)
	if code, _ := d.ask(http.MethodGet, "/probe?target="+srv.URL); code != http.StatusForbidden {
		t.Errorf("what is denied to requests alone: %d", code)
	}
	write(t, spec, strings.Replace(level, "99.9", "199", 1))
	write(t, modules, strings.Replace(twoModules, "tcp:", "renamed:", 1))
	if code, text := d.ask(http.MethodPost, "/-/reload"); code != http.StatusInternalServerError || !strings.Contains(text, "shop.yaml:8") {
		t.Errorf("%d %s", code, text)
	}
	config := func() string {
		_, text := d.ask(http.MethodGet, "/config")
		return text
	}
	if !strings.Contains(config(), "renamed:") {
		t.Error("the modules were not loaded beside a bad specification")
	}
	write(t, modules, strings.Replace(twoModules, "tcp:", "again:", 1))
	d.eventually("configuration that has changed", "again:", config)
}

// TestNoModules has no pages of blackbox_exporter where there is no file.
func TestNoModules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write(t, file, strings.ReplaceAll(oneLevel, "%q", `"http://127.0.0.1:1"`))
	d := startDaemon(t, "--spec.file", file)
	for _, path := range []string{"/probe?target=127.0.0.1:1", "/config", "/logs?id=0"} {
		if code, _ := d.ask(http.MethodGet, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if strings.Contains(d.metrics(), "blackbox_") {
		t.Error("there are metrics of modules")
	}
}

func TestAMissingFileIsAnError(t *testing.T) {
	if code := run([]string{"--config.file", filepath.Join(t.TempDir(), "missing.yml")}, os.Stdout, os.Stderr); code != exitFailed {
		t.Errorf("exits with %d", code)
	}
}
