//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// prometheus asks a Prometheus server by its HTTP API.
type prometheus struct{ address string }

// sample is one element of an instant vector.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // time, value as text
}

func (p prometheus) get(path string, values url.Values, into any) error {
	resp, err := http.Get("http://" + p.address + path + "?" + values.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %s: %w", path, resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", path, answer.Error)
	}
	return nil
}

func (p prometheus) query(promql string) ([]sample, error) {
	var data struct{ Result []sample }
	if err := p.get("/api/v1/query", url.Values{"query": {promql}}, &data); err != nil {
		return nil, fmt.Errorf("%s: %w", promql, err)
	}
	return data.Result, nil
}

// raw are the samples of each series that a selector finds, as far back as span,
// with the moments at which they were recorded.
func (p prometheus) raw(selector, span string) ([]recording, error) {
	var data struct {
		Result []struct {
			Metric map[string]string `json:"metric"`
			Values [][2]any          `json:"values"`
		}
	}
	if err := p.get("/api/v1/query", url.Values{"query": {selector + "[" + span + "]"}}, &data); err != nil {
		return nil, fmt.Errorf("%s: %w", selector, err)
	}
	var all []recording
	for _, s := range data.Result {
		r := recording{labels: s.Metric}
		for _, v := range s.Values {
			at, ok := v[0].(float64)
			if !ok {
				return nil, fmt.Errorf("%s: %v is no moment", selector, v[0])
			}
			r.at, r.value = append(r.at, at), append(r.value, sample{Value: v}.value())
		}
		all = append(all, r)
	}
	return all, nil
}

// recording is a series: values at Unix times in seconds, ascending.
type recording struct {
	labels map[string]string
	at     []float64
	value  []float64
}

// value is the sample's number; NaN, which is never right, if it is none.
func (s sample) value() float64 {
	text, _ := s.Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// recorded is everything that the rules have recorded, by level and by name, and
// by "name tier" where each tier has a series.
type recorded map[string]map[string]float64

// level is how a level is named in this test.
func level(labels map[string]string) string { return labels["service"] + "/" + labels["slo"] }

// series reads everything that is recorded at this moment. Two series of one
// name and level are an error, and so is anything that is not a number.
func (p prometheus) series() (recorded, error) {
	samples, err := p.query(`{__name__=~"sla:.+|sla_service_level_info"}`)
	if err != nil {
		return nil, err
	}
	all := recorded{}
	for _, s := range samples {
		l, name, v := level(s.Metric), s.Metric["__name__"], s.value()
		if tier := s.Metric["tier"]; tier != "" {
			name += " " + tier
		}
		if all[l] == nil {
			all[l] = map[string]float64{}
		}
		if other, ok := all[l][name]; ok {
			return nil, fmt.Errorf("%s of %s is there twice: %v and %v", name, l, other, v)
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s of %s is %v", name, l, s.Value[1])
		}
		all[l][name] = v
	}
	return all, nil
}

// rule is a rule as the server shows it.
type rule struct{ group, Name, Health, LastError string }

// rules returns all rules of the server, and the number of their groups.
func (p prometheus) rules() (all []rule, groups int, err error) {
	var data struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	if err := p.get("/api/v1/rules", nil, &data); err != nil {
		return nil, 0, err
	}
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			r.group = g.Name
			all = append(all, r)
		}
	}
	return all, len(data.Groups), nil
}

// waits reports whether the rule is of the third layer, whose turn comes twice an
// hour, and has not come yet.
func (r rule) waits() bool { return r.Health == "unknown" && strings.HasSuffix(r.group, ":hours") }

// evaluated is an error while there are rules that never were.
func (p prometheus) evaluated() error {
	rules, _, err := p.rules()
	if err != nil {
		return err
	}
	if never := slices.DeleteFunc(rules, func(r rule) bool { return r.Health != "unknown" || r.waits() }); len(never) > 0 {
		return fmt.Errorf("%d rules were never evaluated, %s in group %s among them", len(never), never[0].Name, never[0].group)
	}
	return nil
}

// checkRules fails the test for every rule that is not healthy.
func (p prometheus) checkRules(t *testing.T) {
	t.Helper()
	rules, groups, err := p.rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Health != "ok" && !r.waits() {
			t.Errorf("rule %s in group %s is %s: %s", r.Name, r.group, r.Health, r.LastError)
		}
	}
	if len(rules) == 0 {
		t.Error("no rules are loaded")
	}
	t.Logf("%d rules in %d groups are healthy", len(rules), groups)
}

// burning are the tiers that burn, as "level tier".
func (p prometheus) burning() (map[string]bool, error) {
	samples, err := p.query("sla:burn_tier:ratio")
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, s := range samples {
		found[level(s.Metric)+" "+s.Metric["tier"]] = true
	}
	return found, nil
}

// patch changes a generated YAML file as its user would, and nothing else of it.
func patch(t *testing.T, path string, change func(document map[string]any)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	change(document)
	if text, err = yaml.Marshal(document); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyTo copies a file, because the generated one is not to be edited.
func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// retention is what the head of the generated configuration says for a month.
const retention = "33d"

// startPrometheus runs a server with the generated configuration, to which a
// job for the fixture's own metrics is added.
func startPrometheus(t *testing.T, path, generated, address, service string) (prometheus, *process) {
	t.Helper()
	// Paths in the configuration are relative to it: its copy stays beside it.
	config := filepath.Join(generated, "prometheus", "edited.yml")
	copyTo(t, filepath.Join(generated, "prometheus", "prometheus.yml"), config)
	patch(t, config, func(document map[string]any) {
		jobs := document["scrape_configs"].([]any)
		document["scrape_configs"] = append(jobs, map[string]any{
			"job_name":        "fixture",
			"scrape_interval": "1s",
			"static_configs":  []any{map[string]any{"targets": []any{service}}},
		})
	})
	p := start(t, "prometheus", path, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(t.TempDir(), "data"), "--web.listen-address="+address,
		"--storage.tsdb.retention.time="+retention)
	awaitReady(t, p, address)
	return prometheus{address}, p
}

// startAlertmanager runs a server with the generated configuration, in which
// every receiver is the desk, and returns the path of that.
func startAlertmanager(t *testing.T, path, generated, address string, d *desk) (config string) {
	t.Helper()
	config = filepath.Join(t.TempDir(), "alertmanager.yml")
	copyTo(t, filepath.Join(generated, "alertmanager", "alertmanager.yml"), config)
	patch(t, config, func(document map[string]any) {
		for _, receiver := range document["receivers"].([]any) {
			receiver.(map[string]any)["webhook_configs"] = []any{map[string]any{"url": d.server.URL}}
		}
	})
	p := start(t, "alertmanager", path, "--config.file="+config, "--cluster.listen-address=",
		"--storage.path="+filepath.Join(t.TempDir(), "data"), "--web.listen-address="+address)
	awaitReady(t, p, address)
	return config
}

// settle is how long something may take that the next scrape and evaluations
// bring.
const settle = 30 * time.Second
