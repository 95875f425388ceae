package emit_test

import (
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// shape is what Grafana's documentation has below a key: a scalar, a map of keys, or a list
// of such maps.
type shape struct {
	scalar   any              // of this type; nil for the others
	keys     map[string]shape // of a map, or of each entry of a list
	required []string
}

func text() shape   { return shape{scalar: ""} }
func number() shape { return shape{scalar: 0} }
func truth() shape  { return shape{scalar: true} }

// What https://grafana.com/docs/grafana/latest/administration/provisioning/ documents of the
// two kinds of files, with the settings of a Prometheus data source.
var (
	documentedProviders = shape{keys: map[string]shape{
		"apiVersion": number(),
		"providers": {required: []string{"name", "options"}, keys: map[string]shape{
			"name": text(), "orgId": number(), "folder": text(), "folderUid": text(), "type": text(), "disableDeletion": truth(),
			"updateIntervalSeconds": number(), "allowUiUpdates": truth(),
			"options": {required: []string{"path"}, keys: map[string]shape{"path": text(), "foldersFromFilesStructure": truth()}},
		}},
	}, required: []string{"apiVersion", "providers"}}
	documentedDatasources = shape{keys: map[string]shape{
		"apiVersion": number(), "prune": truth(),
		"datasources": {required: []string{"name", "type", "access"}, keys: map[string]shape{
			"name": text(), "type": text(), "access": text(), "orgId": number(), "uid": text(), "url": text(), "basicAuth": truth(), "basicAuthUser": text(),
			"withCredentials": truth(), "isDefault": truth(), "version": number(), "editable": truth(),
			"jsonData": {keys: map[string]shape{
				"timeInterval": text(), "httpMethod": text(), "customQueryParameters": text(), "manageAlerts": truth(), "prometheusType": text(), "prometheusVersion": text(),
			}},
		}},
	}, required: []string{"apiVersion", "datasources"}}
)

// Grafana ignores a key that it does not know, so a mistake in one would be found by nobody.
func TestProvisioningHasOnlyDocumentedKeys(t *testing.T) {
	a, findings := spec.Load("../../examples/smallest.yaml")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	providers, err := emit.GrafanaDashboards(a)
	if err != nil {
		t.Fatal(err)
	}
	datasource, err := emit.GrafanaDatasource(a, emit.GrafanaOptions{PrometheusURL: "http://prometheus:9090"}, emit.ScrapeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]struct {
		text []byte
		want shape
	}{"dashboards": {providers, documentedProviders}, "datasources": {datasource, documentedDatasources}} {
		var got any
		if err := yaml.Unmarshal(file.text, &got); err != nil {
			t.Fatal(err)
		}
		file.want.compare(t, name, got)
	}
}

func (s shape) compare(t *testing.T, path string, got any) {
	t.Helper()
	switch got := got.(type) {
	case []any:
		for _, entry := range got {
			s.compare(t, path+"[]", entry)
		}
	case map[string]any:
		for _, key := range s.required {
			if got[key] == nil {
				t.Errorf("%s lacks %s, which Grafana requires", path, key)
			}
		}
		for key, value := range got {
			if below, documented := s.keys[key]; documented {
				below.compare(t, path+"."+key, value)
			} else {
				t.Errorf("%s.%s is not documented", path, key)
			}
		}
	case string, int, bool:
		same := false
		switch s.scalar.(type) {
		case string:
			_, same = got.(string)
		case int:
			_, same = got.(int)
		case bool:
			_, same = got.(bool)
		}
		if !same {
			t.Errorf("%s is %v, a %T, and Grafana expects a %T", path, got, got, s.scalar)
		}
	default:
		t.Errorf("%s is %v", path, got)
	}
}
