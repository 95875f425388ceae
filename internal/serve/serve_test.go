package serve_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	commonconfig "github.com/prometheus/common/config"

	"github.com/upheld-sla/upheld/internal/serve"
)

// TestLoop follows an outage from the probe to the receiver of the alert, and
// reloads, stops and starts again.
func TestLoop(t *testing.T) {
	sample, alertmanager := newSample(t), newReceiver(t)
	dir := t.TempDir()
	specFile := write(t, filepath.Join(dir, "shop.yaml"), fmt.Sprintf(shop, sample.URL))
	write(t, filepath.Join(dir, "targets.json"), fmt.Sprintf(`[{"targets": [%q]}]`, strings.TrimPrefix(sample.URL, "http://")))
	options := serve.Options{
		Specs:       []string{specFile},
		StoragePath: filepath.Join(dir, "data"),
		Location:    "here",
		ScrapeConfigFile: write(t, filepath.Join(dir, "prometheus.yml"),
			"scrape_configs: [{job_name: checkout, scrape_interval: 1s, scrape_timeout: 1s, file_sd_configs: [{files: [targets.json]}]}]"),
		AlertmanagerURLs: []string{alertmanager.URL + "/prefix"},
		AlertmanagerHTTP: &commonconfig.HTTPClientConfig{BasicAuth: &commonconfig.BasicAuth{Username: "me", Password: "secret"}, FollowRedirects: true},
	}
	r := start(t, options)

	// Well: nothing is bad, and of the orders a quarter fails.
	r.eventuallyValue(`sla:error:ratio_rate5m{service="storefront",slo="availability"}`, equals(0))
	r.eventuallyValue(`sla:error:ratio_rate5m{service="checkout"}`, equals(0.25))
	r.eventuallyValue(`upheld_probe_results_total{service="storefront",outcome="good",location="here"}`, func(v float64) bool { return v > 0 })
	r.eventuallyValue(`histogram_count(upheld_probe_duration_seconds{service="storefront"})`, func(v float64) bool { return v > 0 })
	r.eventuallyValue(`upheld_probe_duration_seconds_bucket{service="storefront",le="+Inf"}`, func(v float64) bool { return v > 0 })

	// Down: the level burns, and somebody is paged; the others stay well.
	sample.down.Store(true)
	r.eventuallyValue(`sla:error:ratio_rate5m{service="storefront",slo="availability"}`, func(v float64) bool { return v > 0.1 && v < 1 })
	r.eventuallyValue(`ALERTS{alertname="SLABudgetBurn",alertstate="firing",service="storefront",slo="availability",severity="page"}`, equals(1))
	fired := time.Now()
	r.eventuallyValue(`sla:error:ratio_rate5m{service="warehouse"}`, equals(0))
	page := map[string]string{"alertname": "SLABudgetBurn", "sla": "shop", "service": "storefront", "slo": "availability", "severity": "page"}
	eventually(t, "Alertmanager is sent the page", func() bool { _, ok := alertmanager.find(page); return ok })
	alert, _ := alertmanager.find(page)
	if want := r.url + "/level/shop/storefront/availability"; alert.GeneratorURL != want {
		t.Errorf("the alert links to %s, want %s", alert.GeneratorURL, want)
	}
	if alert.user != "me" {
		t.Errorf("the alert was sent by user %q, want me", alert.user)
	}
	if _, found := alertmanager.find(map[string]string{"service": "warehouse"}); found {
		t.Error("an alert was sent for a service that is well")
	}
	r.eventuallyValue(`sla:error:ratio_period{service="storefront",slo="availability",period="30d"}`, func(v float64) bool { return v > 0 && v < 1 })
	checkPages(t, r)
	checkAPI(t, r)
	checkReload(t, r, specFile)

	before, known := r.value(`sum(count_over_time(up[1h]))`)
	if !known || before < 3 {
		t.Errorf("there are %v samples of up", before)
	}
	r.end()
	r = start(t, options)
	if after, known := r.value(`sum(count_over_time(up[1h]))`); !known || after < before {
		t.Errorf("after a restart there are %v samples, before it were %v", after, before)
	}
	if strings.Contains(r.log.String(), "level=ERROR") {
		t.Errorf("there are errors in the log of the restart:\n%s", r.log)
	}
	eventually(t, "the page says that the alert fires since before the restart", func() bool {
		_, body := r.get("/level/shop/storefront/availability")
		firing := regexp.MustCompile(`Firing</span> <span>for ([^<]+)</span>`).FindStringSubmatch(body)
		if firing == nil {
			return false
		}
		lasts, err := time.ParseDuration(strings.NewReplacer(" ", "", "\u202f", "", "min", "m").Replace(firing[1]))
		return err == nil && time.Since(fired)-lasts < 3*time.Second
	})
	r.end()
}

// checkPages looks at what the pages say during the outage.
func checkPages(t *testing.T, r *running) {
	t.Helper()
	for path, words := range map[string][]string{
		"/":                                   {"storefront", "warehouse", "checkout", "Needs attention"},
		"/level/shop/storefront/availability": {"HTTP 503", "Firing", "sla:error:ratio_rate5m"},
		"/level/shop/storefront/latency":      {"HTTP 503"},
		"/level/shop/checkout/orders":         {"checkout"},
	} {
		for _, word := range words {
			eventually(t, path+" shows "+word, func() bool {
				status, body := r.get(path)
				return status == http.StatusOK && strings.Contains(body, word)
			})
		}
	}
	eventually(t, "the overview shows three levels that are down or degraded", func() bool {
		_, body := r.get("/")
		return len(regexp.MustCompile(`<p class="now">.*>(Down|Degraded)</span>`).FindAllString(body, -1)) == 3
	})
	if status, _ := r.get("/level/shop/storefront/none"); status != http.StatusNotFound {
		t.Errorf("the page of a level that there is not answers %d, want 404", status)
	}
}

// checkAPI looks at the calls that only a whole server can answer.
func checkAPI(t *testing.T, r *running) {
	t.Helper()
	for path, words := range map[string][]string{
		"/api/v1/targets?state=active":            {`"scrapePool":"upheld"`, `"health":"up"`, `"job":"checkout"`, `"instance":"127.0.0.1:0"`},
		"/api/v1/metadata?metric=orders_total":    {`"orders_total":[{"type":"counter"`},
		"/api/v1/rules?type=alert":                {`"name":"SLABudgetBurn"`, `"state":"firing"`},
		"/api/v1/rules?type=record":               {`"name":"sla:error:ratio_period"`, `"health":"ok"`},
		"/api/v1/alerts":                          {`"alertname":"SLABudgetBurn"`},
		"/api/v1/alertmanagers":                   {"/prefix/api/v2/alerts"},
		"/api/v1/label/sla/values":                {`["shop"]`},
		"/api/v1/status/buildinfo":                {serve.PrometheusVersion},
		"/api/v1/status/runtimeinfo":              {`"reloadConfigSuccess":true`, `"storageRetention":"33d"`},
		"/api/v1/status/config":                   {"job_name: upheld", "job_name: checkout", "\\u003csecret\\u003e"},
		"/api/v1/status/tsdb":                     {`"seriesCountByMetricName"`},
		"/-/healthy":                              {"alive"},
		"/-/ready":                                {"ready"},
		"/metrics":                                {"upheld_probe_results_total", "prometheus_tsdb_head_series", "upheld_config_last_reload_successful 1", "go_goroutines"},
		"/api/v1/series?match[]=sla:target:ratio": {`"__name__":"sla:target:ratio"`},
	} {
		status, body := r.get(path)
		for _, word := range words {
			if status != http.StatusOK || !strings.Contains(body, word) {
				t.Errorf("%s: %d, %s is missing in:\n%.2000s", path, status, word, body)
			}
		}
	}
	if _, body := r.get("/api/v1/rules"); strings.Contains(body, `"health":"err"`) {
		t.Errorf("a rule fails: %s", body)
	}
}

// checkReload reloads a specification with a mistake, and then one without.
func checkReload(t *testing.T, r *running, specFile string) {
	t.Helper()
	good, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, specFile, strings.Replace(string(good), `"99.9"`, `"199.9"`, 1))
	status, body := r.post("/-/reload")
	if status != http.StatusInternalServerError || !strings.Contains(body, "shop.yaml:") {
		t.Errorf("a reload with a mistake answers %d: %s", status, body)
	}
	if _, metrics := r.get("/metrics"); !strings.Contains(metrics, "upheld_config_last_reload_successful 0") {
		t.Error("the failed reload is not in the metrics")
	}
	if alert, known := r.value(`ALERTS{alertstate="firing",service="storefront",slo="availability",severity="page"}`); !known || alert != 1 {
		t.Error("after a failed reload the alert does not fire any more")
	}
	// A change, by signal: the changed level is followed, the others go on.
	changed := strings.Replace(string(good), "name: orders", "name: purchases", 1)
	write(t, specFile, changed)
	r.reload <- struct{}{}
	r.eventuallyValue(`sla:error:ratio_rate5m{slo="purchases"}`, equals(0.25))
	eventually(t, "the series of a level that is gone have ended", func() bool {
		_, known := r.value(`sla:error:ratio_rate5m{slo="orders"}`)
		return !known
	})
	if since, known := r.value(`ALERTS{alertstate="firing",service="storefront",slo="availability",severity="page"}`); !known || since != 1 {
		t.Error("after a reload the alert of an unchanged level does not fire any more")
	}
	if status, body := r.post("/-/reload"); status != http.StatusOK {
		t.Errorf("a reload answers %d: %s", status, body)
	}
}
