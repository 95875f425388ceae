package emit

import (
	"fmt"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// The parts of a ServiceMonitor object that are written.
type (
	serviceMonitor struct {
		APIVersion string             `yaml:"apiVersion"`
		Kind       string             `yaml:"kind"`
		Metadata   objectMeta         `yaml:"metadata"`
		Spec       serviceMonitorSpec `yaml:"spec"`
	}
	objectMeta struct {
		Name      string            `yaml:"name"`
		Namespace string            `yaml:"namespace,omitempty"`
		Labels    map[string]string `yaml:"labels,omitempty"`
	}
	serviceMonitorSpec struct {
		Selector  labelSelector     `yaml:"selector"`
		Endpoints []monitorEndpoint `yaml:"endpoints"`
	}
	labelSelector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	monitorEndpoint struct {
		Port          string `yaml:"port"`
		Interval      string `yaml:"interval"`
		ScrapeTimeout string `yaml:"scrapeTimeout"`
		HonorLabels   bool   `yaml:"honorLabels"`
	}
)

// What the Service of the exporter must have for the ServiceMonitor to find it.
const (
	serviceLabel = "app.kubernetes.io/name"
	servicePort  = "http"
)

// ServiceMonitor is an object of the Prometheus operator that lets Prometheus
// scrape the exporter's Service. It has the namespace and the labels of the
// rules' objects.
func ServiceMonitor(agreements []*sla.Agreement, object OperatorObject, opts ScrapeOptions) ([]byte, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("service monitor: %w", err)
	}
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("The exporter's Service needs the label %s: %s and a port called", serviceLabel, scrapeJob)
	head.line("%q. honorLabels keeps the exporter's own labels: the operator gives every", servicePort)
	head.line("target a label \"service\", which would take the place of the exporter's.")
	head.scraping(agreements)
	return document(head, serviceMonitor{
		APIVersion: "monitoring.coreos.com/v1",
		Kind:       "ServiceMonitor",
		Metadata:   objectMeta{Name: scrapeJob, Namespace: object.Namespace, Labels: object.Labels},
		Spec: serviceMonitorSpec{
			Selector: labelSelector{map[string]string{serviceLabel: scrapeJob}},
			Endpoints: []monitorEndpoint{{
				Port:          servicePort,
				Interval:      duration(opts.Interval),
				ScrapeTimeout: duration(min(opts.Interval, maxScrapeTimeout)),
				HonorLabels:   true,
			}},
		},
	})
}

// Scraped says whether any level of the agreements needs an exporter.
func Scraped(agreements []*sla.Agreement) bool { return len(sla.ProbeTargets(agreements)) > 0 }
