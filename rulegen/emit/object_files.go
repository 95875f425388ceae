package emit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// boardObject is a ConfigMap with a dashboard.
type boardObject struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   objectMeta        `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
}

// boardLabel is the label by which the sidecar of Grafana's chart finds dashboards.
const boardLabel, boardValue = "grafana_dashboard", "1"

// maxConfigMap is how much a ConfigMap may hold, in bytes.
const maxConfigMap = 1 << 20

// BoardObject is a ConfigMap with a dashboard, given with the name of its file. It is for the
// sidecar of Grafana's Helm chart, which loads every ConfigMap with its label.
func BoardObject(agreements []*sla.Agreement, file string, board []byte, object OperatorObject) ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, board); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", file, err)
	}
	if compact.Len()+len(file) > maxConfigMap {
		return nil, fmt.Errorf("the dashboard %s has %d KiB, and a ConfigMap may have %d KiB: split the agreement, or let Grafana read the file", file, compact.Len()>>10, maxConfigMap>>10)
	}
	labels := map[string]string{boardLabel: boardValue}
	maps.Copy(labels, object.Labels)
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	if compact.Len() > maxObject {
		head.line("It is too large for the annotation of kubectl apply: use kubectl apply --server-side.")
	}
	return document(head, boardObject{
		APIVersion: "v1", Kind: "ConfigMap",
		Metadata: objectMeta{Name: boardObjectName(file), Namespace: object.Namespace, Labels: labels},
		Data:     map[string]string{file: compact.String()},
	})
}

// boardObjectName is the name of a dashboard's ConfigMap. Names of agreements have no
// dots, so no two files have the same.
func boardObjectName(file string) string {
	return "upheld-board-" + strings.ReplaceAll(strings.TrimSuffix(file, ".json"), "_", ".")
}

// scrapeObject is a ScrapeConfig of the Prometheus operator.
type scrapeObject struct {
	APIVersion string           `yaml:"apiVersion"`
	Kind       string           `yaml:"kind"`
	Metadata   objectMeta       `yaml:"metadata"`
	Spec       scrapeObjectSpec `yaml:"spec"`
}

type scrapeObjectSpec struct {
	JobName        string        `yaml:"jobName"`
	HonorLabels    bool          `yaml:"honorLabels"`
	ScrapeInterval string        `yaml:"scrapeInterval"`
	ScrapeTimeout  string        `yaml:"scrapeTimeout"`
	StaticConfigs  []targetGroup `yaml:"staticConfigs"`
}

// ScrapeObject lets Prometheus scrape, by their addresses, exporters that are no Service of
// the cluster.
func ScrapeObject(agreements []*sla.Agreement, object OperatorObject, opts ScrapeOptions) ([]byte, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("scrape object: %w", err)
	}
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.scraping(agreements)
	return document(head, scrapeObject{
		APIVersion: "monitoring.coreos.com/v1alpha1",
		Kind:       "ScrapeConfig",
		Metadata:   objectMeta{Name: scrapeJob, Namespace: object.Namespace, Labels: object.Labels},
		Spec: scrapeObjectSpec{
			JobName:        scrapeJob,
			HonorLabels:    true, // as in the scrape job: the exporter's service is the one that is probed
			ScrapeInterval: duration(opts.Interval),
			ScrapeTimeout:  duration(min(opts.Interval, maxScrapeTimeout)),
			StaticConfigs:  []targetGroup{{Targets: opts.Exporters}},
		},
	})
}

// Kustomization is a base with files, by their paths relative to it.
func Kustomization(agreements []*sla.Agreement, files []string) ([]byte, error) {
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("A base: name this folder in the resources of an overlay of yours.")
	return document(head, struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Resources  []string `yaml:"resources"`
	}{"kustomize.config.k8s.io/v1beta1", "Kustomization", slices.Sorted(slices.Values(files))})
}

// helmBrace makes a Helm chart's template print the braces that begin an action.
const helmBrace = `{{"{{"}}`

// HelmEscaped is text escaped for a template of a Helm chart, which then prints it unchanged.
func HelmEscaped(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("{{"), []byte(helmBrace))
}

// HelmUnescaped is the text that a Helm chart prints for what HelmEscaped has escaped.
func HelmUnescaped(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte(helmBrace), []byte("{{"))
}

// HelmWriter escapes what is written to it in whole lines.
type HelmWriter struct{ W io.Writer }

// Write takes whole lines.
func (h HelmWriter) Write(p []byte) (int, error) {
	if _, err := h.W.Write(HelmEscaped(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
