package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"

	// The service discoveries that a scrape configuration may use besides
	// static_configs; neither adds a dependency.
	_ "github.com/prometheus/prometheus/discovery/file"
	_ "github.com/prometheus/prometheus/discovery/http"

	"github.com/upheld-sla/upheld/exporter/redact"
)

// selfJob is the job of this process in its own storage.
const selfJob = "upheld"

// loadConfig reads the user's configuration, if there is one, and adds the scrape of
// this process, at the address self, in front.
func loadConfig(o Options, self string) (*config.Config, error) {
	cfg, err := config.Load("", o.Logger)
	if err != nil {
		return nil, fmt.Errorf("default configuration: %w", err)
	}
	if o.ScrapeConfigFile != "" {
		cfg, err = config.LoadFile(o.ScrapeConfigFile, false, o.Logger)
		if err != nil {
			return nil, explainConfigError(o.ScrapeConfigFile, err)
		}
		warnOfUnused(o, cfg)
	}
	own, err := selfScrape(o, self)
	if err != nil {
		return nil, err
	}
	// Use the scrape configs of further files as they are now, since these were
	// checked.
	others, err := cfg.GetScrapeConfigs()
	if err != nil {
		return nil, explainConfigError(o.ScrapeConfigFile, err)
	}
	for _, other := range others {
		if other.JobName == selfJob {
			return nil, fmt.Errorf("%s: job_name %q is that of this process, which scrapes itself; name the job otherwise, or leave it out", o.ScrapeConfigFile, selfJob)
		}
	}
	if err := nameWithoutSecrets(others, o); err != nil {
		return nil, err
	}
	cfg.ScrapeConfigs, cfg.ScrapeConfigFiles = append([]*config.ScrapeConfig{own}, others...), nil
	cfg.GlobalConfig.EvaluationInterval = model.Duration(o.RulesInterval)
	cfg.RuleFiles, cfg.RemoteWriteConfigs, cfg.RemoteReadConfigs = nil, nil, nil
	cfg.AlertingConfig.AlertmanagerConfigs, err = alertmanagers(o.AlertmanagerURLs, o.AlertmanagerHTTP)
	return cfg, err
}

// nameWithoutSecrets gives targets an instance label without user info, since labels
// are kept for months and shown to everybody. The scraped address stays, and so does
// the parameter "target" of a prober.
func nameWithoutSecrets(scrapes []*config.ScrapeConfig, o Options) error {
	cfg, err := config.Load(`
scrape_configs:
  - job_name: any
    relabel_configs:
      - {source_labels: [instance], regex: '([a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#]*@(.*)', target_label: instance, replacement: '$1$2'}
      - {source_labels: [instance], regex: '[^/@:]*:[^/]*@(.*)', target_label: instance, replacement: '$1'}
      - {source_labels: [instance, __address__], regex: ';.*@(.*)', target_label: instance, replacement: '$1'}
`, o.Logger)
	if err != nil {
		return fmt.Errorf("names of targets: %w", err)
	}
	for _, s := range scrapes {
		s.RelabelConfigs = append(s.RelabelConfigs, cfg.ScrapeConfigs[0].RelabelConfigs...)
	}
	return nil
}

// unknownDiscovery is YAML's message for a service discovery that is not compiled in.
var unknownDiscovery = regexp.MustCompile(`line (\d+): field (\w+_sd_configs) not found`)

// explainConfigError names the file, on one line, and a remedy if this program lacks a
// service discovery.
func explainConfigError(file string, err error) error {
	text := redact.Error(err) // YAML's error quotes text that it cannot parse
	if found := unknownDiscovery.FindStringSubmatch(text); found != nil {
		return fmt.Errorf("scrape configuration %s:%s: upheld serve has no %s; it knows static_configs, file_sd_configs and http_sd_configs: use one of these, or run Prometheus itself", file, found[1], found[2])
	}
	if _, places, found := strings.Cut(text, "yaml: unmarshal errors:\n"); found {
		return fmt.Errorf("scrape configuration %s: %s", file, strings.ReplaceAll(strings.TrimSpace(places), "\n  ", "; "))
	}
	return fmt.Errorf("scrape configuration: %s", text)
}

// warnOfUnused names the parts of a Prometheus configuration that have no effect here,
// so that nobody relies on them.
func warnOfUnused(o Options, cfg *config.Config) {
	for section, present := range map[string]bool{
		"rule_files":             len(cfg.RuleFiles) > 0,
		"alerting.alertmanagers": len(cfg.AlertingConfig.AlertmanagerConfigs) > 0,
		"remote_write":           len(cfg.RemoteWriteConfigs) > 0,
		"remote_read":            len(cfg.RemoteReadConfigs) > 0,
	} {
		if present {
			o.Logger.Warn("A section of the scrape configuration is not used", "file", o.ScrapeConfigFile, "section", section)
		}
	}
}

// selfScrape is the scrape of this process: native histograms by protobuf, and
// the classic ones beside them.
func selfScrape(o Options, self string) (*config.ScrapeConfig, error) {
	interval := model.Duration(o.ScrapeInterval)
	timeout := min(interval, config.DefaultGlobalConfig.ScrapeTimeout)
	cfg, err := config.Load(fmt.Sprintf(`
scrape_configs:
  - job_name: %s
    scrape_interval: %s
    scrape_timeout: %s
    honor_labels: true
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    static_configs:
      - targets: [%q]
`, selfJob, interval, timeout, self), o.Logger)
	if err != nil {
		return nil, fmt.Errorf("scrape of this process: %w", err)
	}
	return cfg.ScrapeConfigs[0], nil
}

// discoveries returns the service discoveries of each job.
func discoveries(cfg *config.Config) (map[string]discovery.Configs, error) {
	scrapes, err := cfg.GetScrapeConfigs()
	if err != nil {
		return nil, err
	}
	byJob := make(map[string]discovery.Configs, len(scrapes))
	for _, s := range scrapes {
		byJob[s.JobName] = s.ServiceDiscoveryConfigs
	}
	return byJob, nil
}

// loopback is a listener within the process. The scrape of this process goes through
// it, so that it works whatever address, certificate or password the outer listener
// has.
type loopback struct {
	address string // the address that is answered here
	conns   chan net.Conn
	closed  chan struct{}
}

func newLoopback(address string) *loopback {
	return &loopback{address: address, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// dial connects to the loopback for its own address, and else to the network.
func (l *loopback) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address != l.address {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next connection.
func (l *loopback) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial; the http.Server calls it once.
func (l *loopback) Close() error {
	close(l.closed)
	return nil
}

// Addr is the address that the loopback answers for.
func (l *loopback) Addr() net.Addr { return loopbackAddr(l.address) }

type loopbackAddr string

func (loopbackAddr) Network() string  { return "loopback" }
func (a loopbackAddr) String() string { return string(a) }

// newLoopbackServer serves only the metrics.
func newLoopbackServer(metrics http.Handler) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
}

// alertmanagers returns a static configuration for each URL, with the same access to
// all; nil is the default one.
func alertmanagers(urls []string, access *commonconfig.HTTPClientConfig) (config.AlertmanagerConfigs, error) {
	var configs config.AlertmanagerConfigs
	for _, text := range urls {
		u, err := alertmanagerURL(text)
		if err != nil {
			return nil, err
		}
		am := config.DefaultAlertmanagerConfig
		am.Scheme = u.Scheme
		am.PathPrefix = u.Path
		am.ServiceDiscoveryConfigs = discovery.Configs{discovery.StaticConfig{staticGroup(u)}}
		if access != nil {
			am.HTTPClientConfig = *access
		}
		configs = append(configs, &am)
	}
	return configs, nil
}

func staticGroup(u *url.URL) *targetgroup.Group {
	host := u.Host
	if u.Port() == "" {
		port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
		host = net.JoinHostPort(u.Hostname(), port)
	}
	return &targetgroup.Group{
		Source:  u.String(),
		Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(host)}},
	}
}
