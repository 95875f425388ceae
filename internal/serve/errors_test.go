package serve_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/logtest"
	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/sla"
)

const smallSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: small}
spec:
  serviceLevels:
    - name: availability
      indicator: {probe: {tcp: "127.0.0.1:9", interval: 1s}}
      target: "99.9"
`

// TestErrors makes one mistake at a time. Each must be reported with its place and
// its remedy, and, as everywhere in this package, leave nothing running.
func TestErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tc := range map[string]struct {
		change func(t *testing.T, dir string, o *serve.Options)
		want   []string
	}{
		"no specification": {
			func(_ *testing.T, _ string, o *serve.Options) { o.Specs = nil },
			[]string{"no specification is given"},
		},
		"mistake in the specification": {
			func(t *testing.T, dir string, o *serve.Options) {
				write(t, filepath.Join(dir, "spec.yaml"), strings.Replace(smallSpec, "99.9", "101", 1))
			},
			[]string{"spec.yaml:9:15: error:"},
		},
		"address in use": {
			func(_ *testing.T, _ string, o *serve.Options) { o.ListenAddress = taken.Addr().String() },
			[]string{taken.Addr().String(), "address already in use", "--web.listen-address"},
		},
		"scrape interval too long": {
			func(_ *testing.T, _ string, o *serve.Options) { o.ScrapeInterval = 2 * time.Minute },
			[]string{"scrape interval 2m0s is not between 1s and 1m"},
		},
		"rules interval too short": {
			func(_ *testing.T, _ string, o *serve.Options) { o.RulesInterval = time.Millisecond },
			[]string{"rules interval 1ms is not between 1s and 1m"},
		},
		"storage path is a file": {
			func(t *testing.T, dir string, o *serve.Options) {
				o.StoragePath = write(t, filepath.Join(dir, "file"), "")
			},
			[]string{"storage directory", "file cannot be made", "--storage.path"},
		},
		"web configuration missing": {
			func(_ *testing.T, _ string, o *serve.Options) { o.WebConfigFile = "no/such.yml" },
			[]string{"web configuration no/such.yml", "no such file"},
		},
		"scrape configuration missing": {
			func(_ *testing.T, _ string, o *serve.Options) { o.ScrapeConfigFile = "no/such.yml" },
			[]string{"scrape configuration", "no/such.yml", "no such file"},
		},
		"service discovery that is not here": {
			func(t *testing.T, dir string, o *serve.Options) {
				o.ScrapeConfigFile = write(t, filepath.Join(dir, "p.yml"), "scrape_configs: [{job_name: k, kubernetes_sd_configs: [{role: pod}]}]")
			},
			[]string{"p.yml:1: ", "kubernetes_sd_configs", "static_configs, file_sd_configs and http_sd_configs"},
		},
		"job of the process itself": {
			func(t *testing.T, dir string, o *serve.Options) {
				o.ScrapeConfigFile = write(t, filepath.Join(dir, "p.yml"), "scrape_configs: [{job_name: upheld}]")
			},
			[]string{"p.yml", `job_name "upheld"`, "name the job otherwise"},
		},
		"Alertmanager without a scheme": {
			func(_ *testing.T, _ string, o *serve.Options) { o.AlertmanagerURLs = []string{"127.0.0.1:9093"} },
			[]string{"Alertmanager", "127.0.0.1:9093", "http://host:port"},
		},
		"Alertmanager with a password": {
			func(_ *testing.T, _ string, o *serve.Options) {
				o.AlertmanagerURLs = []string{"http://me:s3cret@127.0.0.1:9093"}
			},
			[]string{"--alertmanager.url", "http://<hidden>@127.0.0.1:9093", "--alertmanager.http.config.file"},
		},
		"external URL with a token": {
			func(_ *testing.T, _ string, o *serve.Options) { o.ExternalURL = "https://s3cret@sla.example/" },
			[]string{"--web.external-url", "https://<hidden>@sla.example/", "leave it out"},
		},
		"external URL that is a template": {
			func(_ *testing.T, _ string, o *serve.Options) { o.ExternalURL = "http://sla.example/{{x}}" },
			[]string{"--web.external-url", "write it out"},
		},
		"external URL of another kind": {
			func(_ *testing.T, _ string, o *serve.Options) { o.ExternalURL = "ftp://x" },
			[]string{"external URL", "ftp://x", "http://host:port"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := serve.Options{
				Specs:         []string{write(t, filepath.Join(dir, "spec.yaml"), smallSpec)},
				StoragePath:   filepath.Join(dir, "data"),
				ListenAddress: "127.0.0.1:0",
				Logger:        slog.New(slog.DiscardHandler),
				Ready:         func(string) { t.Error("the server became ready") },
			}
			tc.change(t, dir, &o)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err := serve.Run(ctx, o)
			for _, word := range tc.want {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("the error lacks %q: %v", word, err)
				}
			}
		})
	}
}

func TestLockedStorage(t *testing.T) {
	dir := t.TempDir()
	o := serve.Options{
		Specs:         []string{write(t, filepath.Join(dir, "spec.yaml"), smallSpec)},
		StoragePath:   filepath.Join(dir, "data"),
		ListenAddress: "127.0.0.1:0",
	}
	first := start(t, o)
	defer first.end()
	log := &logtest.Buffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := serve.Run(ctx, o)
	if err == nil || !strings.Contains(err.Error(), "in use by another process") || !strings.Contains(err.Error(), "--storage.path") {
		t.Errorf("the error is: %v", err)
	}
	if strings.Contains(log.String(), "previous execution") {
		t.Errorf("the lock of a process that runs is said to be replaced:\n%s", log)
	}
}

// TestSecured serves with TLS and a password, which the scrape of the process
// itself has to get past.
func TestSecured(t *testing.T) {
	dir := t.TempDir()
	certificate, key := newCertificate(t, dir)
	webConfig := write(t, filepath.Join(dir, "web.yml"), fmt.Sprintf(`
tls_server_config: {cert_file: %q, key_file: %q}
basic_auth_users: {me: "%s"}
`, certificate, key, passwordHash(t, "secret")))
	r := start(t, serve.Options{
		Specs:         []string{write(t, filepath.Join(dir, "spec.yaml"), smallSpec)},
		StoragePath:   filepath.Join(dir, "data"),
		WebConfigFile: webConfig,
	})
	defer r.end()
	if !strings.HasPrefix(r.url, "https://127.0.0.1:") {
		t.Errorf("the URL is %s", r.url)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the test's own certificate
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ask := func(user string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, r.url+"/api/v1/query?query=up{job=\"upheld\"}", nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, "secret")
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if status, _ := ask(""); status != http.StatusUnauthorized {
		t.Errorf("without a password the answer is %d, want 401", status)
	}
	eventually(t, "the process scrapes itself", func() bool {
		status, body := ask("me")
		return status == http.StatusOK && strings.Contains(body, `,"1"]`)
	})
}

func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	with := func(period time.Duration, long time.Duration) []*sla.Agreement {
		return []*sla.Agreement{{Levels: []*sla.ServiceLevel{{
			Period: sla.Period{Rolling: period}, Alerting: sla.Alerting{Tiers: []sla.Tier{{Long: long}}},
		}}}}
	}
	for _, tc := range []struct {
		agreements []*sla.Agreement
		want       time.Duration
		longest    string
	}{
		{nil, 6 * day, "the window of 3d"}, // the longest window that is always recorded
		{with(time.Hour, time.Hour), 6 * day, "the window of 3d"},
		{with(30*day, time.Hour), 33 * day, "the period 30d"},
		{with(7*day, 10*day), 13 * day, "the alert window of 10d"},
		{append(with(30*day, 0), with(90*day, 0)...), 93 * day, "the period 90d"},
	} {
		if got, longest := serve.Retention(tc.agreements, day); got != tc.want || !strings.HasPrefix(longest, tc.longest) {
			t.Errorf("Retention = %s for %s, want %s for %s", got, longest, tc.want, tc.longest)
		}
	}
}

// TestShortRetentionWarns keeps what is asked for, and says what that costs.
func TestShortRetentionWarns(t *testing.T) {
	dir := t.TempDir()
	r := start(t, serve.Options{
		Specs:         []string{write(t, filepath.Join(dir, "spec.yaml"), smallSpec)},
		StoragePath:   filepath.Join(dir, "data"),
		RetentionTime: 48 * time.Hour,
	})
	defer r.end()
	for _, words := range []string{
		"kept for 2d, but the specifications need 33d", "the period 30d of the level small:", "/availability, 1d until its report is made",
		"set it to 33d or more",
	} {
		if log := r.log.String(); !strings.Contains(log, words) {
			t.Errorf("the log lacks %q:\n%s", words, log)
		}
	}
	if _, body := r.get("/api/v1/status/runtimeinfo"); !strings.Contains(body, `"storageRetention":"2d"`) {
		t.Errorf("the retention is not what was asked for: %s", body)
	}
}

// TestRuleFilesFollowAgreements adds, changes and removes agreements, and
// leaves files of others alone.
func TestRuleFilesFollowAgreements(t *testing.T) {
	dir := t.TempDir()
	specs := filepath.Join(dir, "specs")
	rulesDir := filepath.Join(dir, "data", "rules")
	if err := os.MkdirAll(specs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(rulesDir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(rulesDir, "mine.yaml"), "groups: []\n")
	write(t, filepath.Join(rulesDir, ".upheld-ABCDEFGHIJKLMNOPQRSTUVWXYZ-7"), "half a fi")
	write(t, filepath.Join(specs, "a.yaml"), smallSpec)
	r := start(t, serve.Options{Specs: []string{specs}, StoragePath: filepath.Join(dir, "data")})
	defer r.end()
	check := func(want ...string) {
		t.Helper()
		entries, err := os.ReadDir(rulesDir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the rule files are %v, want %v", got, want)
		}
	}
	check("mine.yaml", "small.yaml")
	other := strings.Replace(smallSpec, "name: small", "name: other", 1)
	write(t, filepath.Join(specs, "b.yaml"), strings.Replace(other, "spec:\n", "spec:\n  period: 90d\n", 1))
	r.post("/-/reload")
	check("mine.yaml", "other.yaml", "small.yaml")
	if _, metrics := r.get("/metrics"); !strings.Contains(metrics, "prometheus_tsdb_retention_limit_seconds 8.0352e+06") {
		t.Error("a reload with a period of 90d does not make the storage keep 93d")
	}
	if err := os.Remove(filepath.Join(specs, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	r.post("/-/reload")
	check("mine.yaml", "other.yaml")
	if _, body := r.get("/api/v1/rules"); strings.Contains(body, `"sla":"small"`) {
		t.Error("the rules of an agreement that is gone are still evaluated")
	}
}
