package serve_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	commonconfig "github.com/prometheus/common/config"

	"github.com/upheld-sla/upheld/internal/logtest"
	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/internal/serve/promapi"
)

// secretWord is in every secret of TestNothingThatLeavesHoldsASecret.
const secretWord = "s3cret"

// secretSpec has secrets wherever a specification can hold one: in a file, in a
// header, in a target that is found, in what is sent.
const secretSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: vault}
spec:
  serviceLevels:
    - name: file
      indicator: {probe: {http: "%[1]s/", interval: 1s, basicAuth: {username: probe, passwordFile: password}}}
      target: "99.9"
    - name: header
      indicator: {probe: {http: "%[1]s/", interval: 1s, headers: {Authorization: Bearer s3cret-header}, proxyURL: "%[1]s", proxyHeaders: {Proxy-Authorization: Basic s3cret-proxy}}}
      target: "99.9"
    - name: found
      indicator: {probe: {http: "${target}", interval: 1s, targets: {file: [found.json]}}}
      target: "99.9"
    - name: dialogue
      indicator: {probe: {tcp: "%[2]s", interval: 1s, dialogue: [{send: "AUTH s3cret-dialogue"}, {expect: "never"}]}}
      target: "99.9"
`

// secretScrapes has secrets wherever a scrape configuration can hold one.
const secretScrapes = `
scrape_config_files: [more.yml]
scrape_configs:
  - job_name: basic
    scrape_interval: 1s
    scrape_timeout: 1s
    basic_auth: {username: me, password: s3cret-basic}
    params: {token: [s3cret-param], target: ["http://bob:s3cret-target@x/"]}
    static_configs: [{targets: ["%[1]s"]}]
  - job_name: bearer
    scrape_interval: 1s
    scrape_timeout: 1s
    authorization: {credentials: s3cret-bearer}
    http_headers: {X-Api-Key: {values: [s3cret-value]}, X-Other: {secrets: [s3cret-secret]}}
    static_configs: [{targets: ["%[1]s"]}]
  - job_name: address
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs: [{targets: ["bob:s3cret-address@%[1]s"]}]
  - job_name: token
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs: [{targets: ["s3cret-token@%[1]s"]}]
  - job_name: proxied
    scrape_interval: 1s
    scrape_timeout: 1s
    proxy_url: http://s3cret-user:s3cret-proxy@127.0.0.1:1
    static_configs: [{targets: ["%[1]s"]}]
  - job_name: dead
    scrape_interval: 1s
    scrape_timeout: 1s
    params: {api_key: [s3cret-key]}
    static_configs: [{targets: ["bob:s3cret-dead@127.0.0.1:1"]}]
  - job_name: prober
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs: [{targets: ["http://bob:s3cret-probed@shop.example/", "http://s3cret-bare@shop.example/"]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "%[1]s"}
  - job_name: found
    http_sd_configs:
      - {url: "http://bob:s3cret-sd@%[1]s/sd?token=s3cret-sdtoken", refresh_interval: 1s}
      - {url: "http://s3cret-sdbare@127.0.0.1:1/?token=s3cret-sdtoken", refresh_interval: 1s, proxy_url: "http://bob:s3cret-sdproxy@127.0.0.1:1"}
  - job_name: dropped
    static_configs: [{targets: ["bob:s3cret-dropped@x:1"]}]
    relabel_configs: [{action: drop, source_labels: [__address__], regex: ".*"}]
`

// TestNothingThatLeavesHoldsASecret walks every endpoint, the log, what
// Alertmanager is sent and the rule files, with secrets in every place that can
// hold one. That the secrets are used shows what the servers were asked with.
func TestNothingThatLeavesHoldsASecret(t *testing.T) {
	used := &logtest.Buffer{}
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintln(used, r.URL, user, password, r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"))
		switch r.URL.Path {
		case "/api/v2/alerts":
			fmt.Fprintln(used, "ALERTS", string(body))
		case "/sd":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `[{"targets": ["bob:s3cret-listed@%s"]}]`, r.Host)
		case "/metrics":
			fmt.Fprintln(w, "some_metric 1")
		default:
			http.Error(w, "no", http.StatusServiceUnavailable)
		}
	}))
	defer peer.Close()
	address := strings.TrimPrefix(peer.URL, "http://")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "password"), "s3cret-file\n")
	write(t, filepath.Join(dir, "found.json"), fmt.Sprintf(`[{"targets": ["http://bob:s3cret-found@%s/", "http://s3cret bad@/"]}]`, address))
	write(t, filepath.Join(dir, "more.yml"), fmt.Sprintf(`scrape_configs: [{job_name: more, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ["bob:s3cret-more@%s"]}]}]`, address))
	specFile := write(t, filepath.Join(dir, "vault.yaml"), fmt.Sprintf(secretSpec, peer.URL, address))
	scrapes := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(secretScrapes, address))
	r := start(t, serve.Options{
		Specs: []string{specFile}, StoragePath: filepath.Join(dir, "data"), ScrapeConfigFile: scrapes,
		AlertmanagerURLs: []string{peer.URL, "http://127.0.0.1:1"},
		AlertmanagerHTTP: &commonconfig.HTTPClientConfig{BasicAuth: &commonconfig.BasicAuth{Username: "me", Password: "s3cret-alertmanager"}},
		Flags:            map[string]string{"some.url": "http://bob:s3cret-flag@x", "list": "[http://s3cret-flag@x?token=s3cret-flag]"},
	})
	defer r.end()
	for _, word := range []string{"me s3cret-basic", "Bearer s3cret-bearer", "s3cret-value", "token=s3cret-param", "bob s3cret-sd", "probe s3cret-file", "bob s3cret-found", "Bearer s3cret-header", "me s3cret-alertmanager"} {
		eventually(t, "the secret is used: "+word, func() bool { return strings.Contains(used.String(), word) })
	}
	for _, job := range []string{"address", "dead", "more", "proxied", "token"} {
		r.eventuallyValue(`up{job="`+job+`"}`, equals(0))
	}
	eventually(t, "the alerts of two levels are sent", func() bool { return strings.Contains(used.String(), `ALERTS [`) })

	shown := map[string]string{}
	query := "?" + url.Values{"query": {`{__name__=~".+"}`}, "match[]": {`{__name__=~".+"}`}, "start": {"0"}, "end": {"4000000000"}, "step": {"4000000"}}.Encode()
	for _, path := range promapi.Paths() {
		ask := query
		if path == "rules" || path == "alerts" { // which would filter by it
			ask = ""
		}
		_, shown[path] = r.get("/api/v1/" + strings.ReplaceAll(path, "{name}", "instance") + ask)
	}
	for _, path := range []string{"/", "/metrics", "/level/vault/vault/file", "/level/vault/vault/header", "/level/vault/vault/found", "/level/vault/vault/dialogue", "/-/ready", "/-/healthy", "/nothing?token=x"} {
		_, shown[path] = r.get(path)
	}
	_, shown["labels of up"] = r.get("/api/v1/series?match[]=up")
	for name, text := range map[string]string{"series": shown["series"], "targets": shown["targets"], "config": shown["status/config"], "rules": shown["rules"]} {
		if len(text) < 200 || !json.Valid([]byte(text)) {
			t.Errorf("%s shows hardly anything: %s", name, text)
		}
	}
	for _, instance := range []string{`"instance":"` + address + `"`, `"instance":"http://shop.example/"`} {
		if !strings.Contains(shown["labels of up"], instance) {
			t.Errorf("no series of up has %s: %s", instance, shown["labels of up"])
		}
	}

	// What reloads answer and log: of mistakes beside secrets, too.
	write(t, scrapes, fmt.Sprintf(secretScrapes, address)+"  - job_name: [http://bob:s3cret-mistake@x]\n  - {proxy_url: \"http://bob:s3cret%zz@x\"}\n")
	shown["reload of scrapes"] = reload(t, r)
	write(t, scrapes, "scrape_configs: [{job_name: a, proxy_url: \"http://bob:s3cret%zz@x\"}]")
	shown["reload of a bad proxy"] = reload(t, r)
	write(t, scrapes, "scrape_configs: [{job_name: a, http_sd_configs: [{url: \"ftp://bob:s3cret@x\"}]}]")
	shown["reload of a bad discovery"] = reload(t, r)
	write(t, specFile, strings.ReplaceAll(fmt.Sprintf(secretSpec, "http://bob:s3cret-url@x", "bob:s3cret-tcp@x:1"), "99.9", "101"))
	shown["reload of specs"] = reload(t, r)
	_, alerts, _ := strings.Cut(used.String(), "ALERTS ")
	shown["alerts that are sent"] = strings.SplitN(alerts, "\n", 2)[0]
	shown["log"] = r.log.String()
	files, _ := filepath.Glob(filepath.Join(dir, "data", "rules", "*"))
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		shown[file] = string(content)
	}
	for name, text := range shown {
		for i := strings.Index(text, secretWord); i >= 0; i = -1 {
			t.Errorf("%s shows a secret: ...%s...", name, text[max(0, i-150):min(len(text), i+60)])
		}
	}
}

// reload is the answer to a reload that fails.
func reload(t *testing.T, r *running) string {
	t.Helper()
	answer, err := http.Post(r.url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusInternalServerError {
		t.Errorf("the reload is answered with %s: %s, %v", answer.Status, body, err)
	}
	return string(body)
}
