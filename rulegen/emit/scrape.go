package emit

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// ScrapeOptions are what the environment decides about scraping. The zero value
// means the defaults that each field names.
type ScrapeOptions struct {
	// Exporters are the host:port of every upheld-exporter; localhost:9799.
	Exporters []string
	// Interval between scrapes; 15s.
	Interval time.Duration
	// Alertmanagers are the host:port that a complete configuration sends
	// alerts to; localhost:9093.
	Alertmanagers []string
	// ExternalLabels are added by a complete configuration to everything that
	// leaves the server.
	ExternalLabels map[string]string
	// RuleFiles is the glob of a complete configuration's rule files, relative
	// to that configuration's own folder; ../rules/*.yaml.
	RuleFiles string
}

// scrapeJob names the job in Prometheus, so it is the "job" label of every
// exporter metric.
const scrapeJob = "upheld-exporter"

const (
	defaultExporter       = "localhost:9799"
	defaultScrapeInterval = 15 * time.Second
	defaultAlertmanager   = "localhost:9093"
	defaultRuleFiles      = "../rules/*.yaml"
	maxScrapeTimeout      = 10 * time.Second // Prometheus' own default
)

func (o ScrapeOptions) withDefaults() ScrapeOptions {
	if len(o.Exporters) == 0 {
		o.Exporters = []string{defaultExporter}
	}
	if len(o.Alertmanagers) == 0 {
		o.Alertmanagers = []string{defaultAlertmanager}
	}
	o.Interval = cmp.Or(o.Interval, defaultScrapeInterval)
	o.RuleFiles = cmp.Or(o.RuleFiles, defaultRuleFiles)
	return o
}

func (o ScrapeOptions) validate() error {
	if o.Interval < time.Millisecond {
		return fmt.Errorf("scrape interval %s is too short; Prometheus counts in milliseconds", o.Interval)
	}
	for _, address := range append(append([]string{}, o.Exporters...), o.Alertmanagers...) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("address %q is not host:port: %w", address, err)
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil || strings.Contains(host, "/") {
			return fmt.Errorf("address %q is not host:port; give it without scheme and path", address)
		}
	}
	for name, value := range o.ExternalLabels {
		if err := rulegen.CheckLabel(name, value); err != nil {
			return fmt.Errorf("external label: %w", err)
		}
	}
	return nil
}

// The parts of Prometheus' configuration that are written. Only keys that
// Prometheus 2.42 knows may stand here: an older server refuses to start with a
// key that is newer than itself.
type (
	prometheusConfig struct {
		Global        *globalConfig   `yaml:"global,omitempty"`
		RuleFiles     []string        `yaml:"rule_files,omitempty"`
		Alerting      *alertingConfig `yaml:"alerting,omitempty"`
		ScrapeConfigs []scrapeConfig  `yaml:"scrape_configs"`
	}
	globalConfig struct {
		ScrapeInterval     string            `yaml:"scrape_interval"`
		EvaluationInterval string            `yaml:"evaluation_interval"`
		ExternalLabels     map[string]string `yaml:"external_labels,omitempty"`
	}
	alertingConfig struct {
		Alertmanagers []staticTargets `yaml:"alertmanagers"`
	}
	staticTargets struct {
		StaticConfigs []targetGroup `yaml:"static_configs"`
	}
	targetGroup struct {
		Targets []string `yaml:"targets"`
	}
	scrapeConfig struct {
		JobName        string        `yaml:"job_name"`
		HonorLabels    bool          `yaml:"honor_labels"`
		ScrapeInterval string        `yaml:"scrape_interval"`
		ScrapeTimeout  string        `yaml:"scrape_timeout"`
		StaticConfigs  []targetGroup `yaml:"static_configs"`
	}
)

// Scrape is a document with only scrape_configs: the job that reads the
// exporter's metrics. Prometheus 2.43 and later include it by
// scrape_config_files; its text can also be copied into any prometheus.yml.
// Agreements without a probe need no exporter: the list is empty then.
func Scrape(agreements []*sla.Agreement, opts ScrapeOptions) ([]byte, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("scrape configuration: %w", err)
	}
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("Prometheus 2.43 and later include this file from prometheus.yml:")
	head.line("  scrape_config_files: [scrape.yaml]")
	head.line("Older ones know no includes: copy the job into scrape_configs there, or use")
	head.line("the complete prometheus.yml that stands beside this file. The rules go in by")
	head.line("  rule_files: [%q]", opts.RuleFiles)
	head.scraping(agreements)
	return document(head, prometheusConfig{ScrapeConfigs: scrapeJobs(agreements, opts)})
}

// PrometheusConfig is a complete, small prometheus.yml for a server that does
// nothing else: rules, Alertmanager and the exporter's job. Prometheus 2.42 and
// later accept it.
func PrometheusConfig(agreements []*sla.Agreement, opts ScrapeOptions) ([]byte, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("prometheus configuration: %w", err)
	}
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("A complete configuration for a Prometheus that does nothing else:")
	head.line("  prometheus --config.file=prometheus.yml --storage.tsdb.retention.time=%s", retention(agreements))
	head.line("Paths in it are relative to its own folder.")
	head.scraping(agreements)
	return document(head, prometheusConfig{
		Global:        &globalConfig{ScrapeInterval: duration(opts.Interval), EvaluationInterval: "1m", ExternalLabels: opts.ExternalLabels},
		RuleFiles:     []string{opts.RuleFiles},
		Alerting:      &alertingConfig{Alertmanagers: []staticTargets{{StaticConfigs: []targetGroup{{Targets: opts.Alertmanagers}}}}},
		ScrapeConfigs: scrapeJobs(agreements, opts),
	})
}

func scrapeJobs(agreements []*sla.Agreement, opts ScrapeOptions) []scrapeConfig {
	if !Scraped(agreements) {
		return []scrapeConfig{}
	}
	return []scrapeConfig{{
		JobName:        scrapeJob,
		HonorLabels:    true, // the exporter's service is the one that is probed, not the scraped target's
		ScrapeInterval: duration(opts.Interval),
		ScrapeTimeout:  duration(min(opts.Interval, maxScrapeTimeout)),
		StaticConfigs:  []targetGroup{{Targets: opts.Exporters}},
	}}
}

// retention is what the report of the longest period needs, in whole days; never under
// Prometheus' own default of 15 days.
func retention(agreements []*sla.Agreement) string {
	const day = 24 * time.Hour
	needed := 15 * day
	for _, a := range agreements {
		for _, l := range a.Levels {
			for _, p := range l.Periods() {
				needed = max(needed, sla.RetentionOf(p, sla.SettlingTime))
			}
		}
	}
	return sla.FormatDuration((needed + day - 1).Truncate(day))
}

func duration(d time.Duration) string { return model.Duration(d).String() }

// names is "agreement shop" or "agreements bank, shop", in the order given.
func names(agreements []*sla.Agreement) string {
	list := make([]string, 0, len(agreements))
	for _, a := range agreements {
		list = append(list, a.Name)
	}
	switch len(list) {
	case 0:
		return "no agreement"
	case 1:
		return "agreement " + list[0]
	}
	return "agreements " + strings.Join(list, ", ")
}

// comment is the text above a YAML document, without the "# ".
type comment struct{ text strings.Builder }

func (c *comment) line(format string, args ...any) {
	line := strings.TrimRight("# "+fmt.Sprintf(format, args...), " ")
	c.text.WriteString(strings.ReplaceAll(line, "\n", " ") + "\n")
}

// scraping says what is scraped, and which settings depend on the server's version.
func (c *comment) scraping(agreements []*sla.Agreement) {
	c.line("")
	probes := len(sla.ProbeTargets(agreements))
	if probes == 0 {
		c.line("No service level is probed, so there is no exporter to scrape.")
		return
	}
	c.line("The exporter runs %d of their probes. It offers response times as native", probes)
	c.line("histograms too, and each line of servers keeps those by another setting, so it")
	c.line("is not made here; without it the classic buckets are kept, and the dashboards")
	c.line("read either. Prometheus before 3.9: --enable-feature=native-histograms.")
	c.line("From 3.8: scrape_native_histograms: true in the job.")
}

// document is the comment, an empty line, and the value as YAML.
func document(head comment, value any) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(head.text.String())
	out.WriteString("\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(value); err != nil {
		return nil, fmt.Errorf("print YAML: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("print YAML: %w", err)
	}
	return out.Bytes(), nil
}
