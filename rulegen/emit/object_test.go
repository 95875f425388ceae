package emit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"text/template"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

var monitoring = emit.OperatorObject{Namespace: "monitoring", Labels: map[string]string{"prometheus": "main"}}

// toldInUTC are the agreements of testdata/told.yaml, with the hours of UTC.
func toldInUTC(t *testing.T) []*sla.Agreement {
	t.Helper()
	text, err := os.ReadFile("testdata/told.yaml")
	if err != nil {
		t.Fatal(err)
	}
	agreements, findings := spec.LoadText("told.yaml", strings.ReplaceAll(string(text), "timeZone: Europe/Berlin", "timeZone: UTC"))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return agreements
}

// The object has the routes of the file, key by key.
func TestAlertmanagerObject(t *testing.T) {
	text, err := emit.AlertmanagerObject(toldInUTC(t), monitoring)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/told-alertmanagerconfig.yaml", text)
	var got struct {
		Spec struct{ Route map[string]any }
	}
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	file, _, err := emit.Alertmanager(toldInUTC(t))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Route struct{ Routes []map[string]any }
	}
	if err := yaml.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	sameRoutes(t, want.Route.Routes[0], got.Spec.Route)
}

// objectKeys are the keys of routes in objects, by those of files.
var objectKeys = map[string]string{
	"receiver": "receiver", "group_by": "groupBy", "group_wait": "groupWait", "group_interval": "groupInterval", "repeat_interval": "repeatInterval",
	"continue": "continue", "active_time_intervals": "activeTimeIntervals", "mute_time_intervals": "muteTimeIntervals",
}

func sameRoutes(t *testing.T, file, object map[string]any) {
	t.Helper()
	for key, of := range objectKeys {
		a, _ := json.Marshal(file[key])
		b, _ := json.Marshal(object[of])
		if !bytes.Equal(a, b) {
			t.Errorf("%s is %s in the file and %s in the object", key, a, b)
		}
	}
	matchers, _ := file["matchers"].([]any)
	parts, _ := object["matchers"].([]any)
	if len(matchers) != len(parts) {
		t.Fatalf("%d matchers in the file, %d in the object", len(matchers), len(parts))
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for i, m := range matchers {
		p := parts[i].(map[string]any)
		if again := p["name"].(string) + p["matchType"].(string) + `"` + quote.Replace(p["value"].(string)) + `"`; again != m {
			t.Errorf("matcher %s in the file, %s in the object", m, again)
		}
	}
	routes, _ := file["routes"].([]any)
	below, _ := object["routes"].([]any)
	if len(routes) != len(below) {
		t.Fatalf("%d routes in the file, %d in the object", len(routes), len(below))
	}
	for i := range routes {
		sameRoutes(t, routes[i].(map[string]any), below[i].(map[string]any))
	}
}

// Objects know no zones, and hours in UTC would be others.
func TestAlertmanagerObjectRefusesZones(t *testing.T) {
	agreements, findings := spec.Load("testdata/told.yaml")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	_, err := emit.AlertmanagerObject(agreements, monitoring)
	if err == nil || !strings.Contains(err.Error(), "has the zone Europe/Berlin, and AlertmanagerConfig objects know UTC only") {
		t.Error(err)
	}
}

// A ConfigMap holds the dashboard whole, has the label of the sidecar, and is no larger than it may be.
func TestBoardObject(t *testing.T) {
	board := "{\n  \"title\": \"a {{b}} 'c' \\u00e9\",\n  \"panels\": [1.50]\n}"
	text, err := emit.BoardObject(toldInUTC(t), "shop_level.json", []byte(board), monitoring)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Kind     string
		Metadata struct {
			Name, Namespace string
			Labels          map[string]string
		}
		Data map[string]string
	}
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Kind != "ConfigMap" || got.Metadata.Name != "upheld-board-shop.level" || got.Metadata.Labels["grafana_dashboard"] != "1" || got.Metadata.Labels["prometheus"] != "main" {
		t.Errorf("%+v", got.Metadata)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(board)); err != nil || got.Data["shop_level.json"] != want.String() {
		t.Errorf("holds %q, %v", got.Data["shop_level.json"], err)
	}
	large := []byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	if _, err := emit.BoardObject(toldInUTC(t), "a.json", large, monitoring); err == nil || !strings.Contains(err.Error(), "a ConfigMap may have 1024 KiB") {
		t.Error(err)
	}
	applied, err := emit.BoardObject(toldInUTC(t), "a.json", large[:len(large)/2+1], monitoring)
	if err == nil {
		t.Errorf("half of a JSON is taken: %d bytes", len(applied))
	}
}

// helmRendered is what a Helm chart makes of a template, which is a template of Go.
func helmRendered(text []byte) (string, error) {
	parsed, err := template.New("chart").Parse(string(text))
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, nil)
	return out.String(), err
}

// A chart prints every file as it was.
func TestHelmEscapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"{", "}", "{{", "}}", "{{-", "-}}", "{{/*", `"`, "`", "a", " ", "\n", "\\"})).Draw(t, "text"), "")
		got, err := helmRendered(emit.HelmEscaped([]byte(text)))
		if err != nil || got != text {
			t.Fatalf("%q came out as %q, %v", text, got, err)
		}
		if back := emit.HelmUnescaped(emit.HelmEscaped([]byte(text))); string(back) != text {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
	object := emit.RuleOptions{Format: "operator", Operator: emit.OperatorObject{Name: "a"}}
	agreements, _ := spec.Load("../../examples/smallest.yaml")
	rules := writtenOf(t, object, agreements...)
	var escaped bytes.Buffer
	if err := writeAll(emit.NewRuleWriter(emit.HelmWriter{W: &escaped}, object), rulegen.Options{}, agreements); err != nil {
		t.Fatal(err)
	}
	if got, err := helmRendered(escaped.Bytes()); err != nil || got != rules || !strings.Contains(rules, "{{") {
		t.Errorf("rules do not come out as they were: %v", err)
	}
}

func TestScrapeObjectAndKustomization(t *testing.T) {
	agreements, _ := spec.Load("../../examples/smallest.yaml")
	object, err := emit.ScrapeObject(agreements, monitoring, emit.ScrapeOptions{Exporters: []string{"a.example:9799"}})
	if err != nil {
		t.Fatal(err)
	}
	base, err := emit.Kustomization(agreements, []string{"rules/b.yaml", "objects/a.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/objects.yaml", append(append(object, "---\n"...), base...))
	if _, err := emit.ScrapeObject(agreements, monitoring, emit.ScrapeOptions{Exporters: []string{"a.example"}}); err == nil {
		t.Error("an address without a port is taken")
	}
}
