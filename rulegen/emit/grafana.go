package emit

import (
	"strings"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// GrafanaProvisioning is where Grafana reads its provisioning files, in its container and
// in its packages. Mount the generated folder there.
const GrafanaProvisioning = "/etc/grafana/provisioning"

// GrafanaOptions are how a provisioned Grafana reaches its data.
type GrafanaOptions struct {
	// PrometheusURL is where Grafana asks Prometheus; http://prometheus:9090.
	PrometheusURL string
}

// Keys of Grafana's provisioning files, in the order of its documentation.
type (
	grafanaProviders struct {
		APIVersion int               `yaml:"apiVersion"`
		Providers  []grafanaProvider `yaml:"providers"`
	}
	grafanaProvider struct {
		Name                  string            `yaml:"name"`
		Folder                string            `yaml:"folder"`
		FolderUID             string            `yaml:"folderUid"`
		Type                  string            `yaml:"type"`
		UpdateIntervalSeconds int               `yaml:"updateIntervalSeconds"`
		AllowUIUpdates        bool              `yaml:"allowUiUpdates"`
		Options               map[string]string `yaml:"options"`
	}
	grafanaDatasources struct {
		APIVersion  int                 `yaml:"apiVersion"`
		Datasources []grafanaDatasource `yaml:"datasources"`
	}
	grafanaDatasource struct {
		Name     string         `yaml:"name"`
		UID      string         `yaml:"uid"`
		Type     string         `yaml:"type"`
		Access   string         `yaml:"access"`
		URL      string         `yaml:"url"`
		JSONData map[string]any `yaml:"jsonData"`
	}
)

// GrafanaDashboards tells Grafana to show the dashboards that stand beside this file.
func GrafanaDashboards(agreements []*sla.Agreement) ([]byte, error) {
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("Grafana reads this file from %s/dashboards, and the", GrafanaProvisioning)
	head.line("dashboards beside it from the path below. If they are elsewhere, use a copy of")
	head.line("this file with another path.")
	return document(head, grafanaProviders{1, []grafanaProvider{{
		Name: "upheld", Folder: "Service levels", FolderUID: "upheld", Type: "file", UpdateIntervalSeconds: 30,
		Options: map[string]string{"path": GrafanaProvisioning + "/dashboards"},
	}}})
}

// GrafanaDatasource is the Prometheus that evaluates the rules, as a data source.
func GrafanaDatasource(agreements []*sla.Agreement, o GrafanaOptions, scrape ScrapeOptions) ([]byte, error) {
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("The Prometheus that evaluates the rules. If Grafana has it as a data source")
	head.line("already, do not mount this file: dashboards ask the one that is chosen in them.")
	return document(head, grafanaDatasources{1, []grafanaDatasource{{
		Name: "Service levels", UID: "upheld", Type: "prometheus", Access: "proxy",
		URL: strings.ReplaceAll(o.PrometheusURL, "$", "$$"), // Grafana expands variables of its environment
		JSONData: map[string]any{
			"httpMethod":   "POST", // queries are longer than some proxies let a URL be
			"timeInterval": duration(scrape.withDefaults().Interval),
		},
	}}})
}
