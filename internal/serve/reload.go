package serve

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// loading is the outcome of reading specifications and scrape configuration.
type loading struct {
	next *desired
	err  error
}

// loadAside reads specifications and scrape configuration again.
func (s *server) loadAside() <-chan loading {
	loaded := make(chan loading, 1)
	go func() {
		next, err := load(s.Options, s.self)
		loaded <- loading{next, err}
	}()
	return loaded
}

// reload applies a loaded state. If anything is wrong with it, nothing changes.
func (s *server) reload(read loading) error {
	err := read.err
	if err == nil {
		old := s.state.Load()
		if err = s.put(read.next); err != nil {
			err = errors.Join(err, s.put(old))
		}
	}
	s.noteReload(read.next, err)
	s.closer.retry()
	return err
}

// put applies d to the running parts. It is called for the first state and for every
// reload, and never twice at a time.
func (s *server) put(d *desired) error {
	files, err := writeRuleFiles(s.StoragePath, d.ruleFiles)
	if err != nil {
		return err
	}
	jobs, err := discoveries(d.config)
	if err != nil {
		return err
	}
	// First comes what can be refused before anything has changed.
	if err := s.exporter.Apply(d.targets); err != nil {
		return err
	}
	if err := errors.Join(
		s.rules.Update(s.RulesInterval, files, d.config.GlobalConfig.ExternalLabels, s.external.String(), s.evaluate),
		s.notifier.ApplyConfig(d.config),
		s.scrapes.ApplyConfig(d.config),
		s.discovery.ApplyConfig(jobs),
		setRetention(s.db, d.retention, s.RetentionSize),
	); err != nil {
		return err
	}
	s.state.Store(d)
	return nil
}

// noteReload reports the outcome of a load, in the log and in the metrics.
func (s *server) noteReload(d *desired, err error) {
	s.reloaded.Store(err == nil)
	if err != nil {
		s.Logger.Error("Reload failed; everything goes on as before", "err", err)
		s.metrics.successful.Set(0)
		return
	}
	s.metrics.successful.Set(1)
	s.metrics.at.Set(float64(d.at.UnixMilli()) / 1000)
	s.Logger.Info("Specifications loaded", "agreements", len(d.agreements), "probes", len(d.targets), "took", time.Since(d.at))
}

type reloadMetrics struct{ successful, at prometheus.Gauge }

func newReloadMetrics(reg prometheus.Registerer) *reloadMetrics {
	m := &reloadMetrics{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: metricnames.ServeReloadOK,
			Help: "Whether the last attempt to load specifications and scrape configuration succeeded (1) or not (0).",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: metricnames.ServeReloadTime,
			Help: "Unix time of the last successful load of specifications and scrape configuration.",
		}),
	}
	reg.MustRegister(m.successful, m.at)
	return m
}
