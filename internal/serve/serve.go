// Package serve is the whole loop in one process: the exporter that probes, an
// embedded Prometheus that scrapes it, stores, evaluates the generated rules
// and notifies Alertmanager, Prometheus' HTTP API over that storage, and the
// pages of package web.
//
// It wires parts together and owns their lifecycle. Package rulegen decides what rules
// say, web what pages show, and serve/promapi what the API answers. It must not import
// Prometheus' web packages, see docs/architecture/embedded-prometheus.md, nor service
// discoveries that bring in a cloud's SDK.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/schedule"
	"github.com/upheld-sla/upheld/internal/descriptors"
	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/sla"
)

// server is the running parts.
type server struct {
	Options
	self     string   // address under which this process scrapes itself
	external *url.URL // how others reach it
	started  time.Time

	registry  *prometheus.Registry // of everything but the probes
	exporter  *exporter.Exporter
	db        *tsdb.DB
	writes    *writes
	parser    parser.Parser
	engine    *promql.Engine // of rules and pages
	apiEngine *promql.Engine // of everybody else's queries
	notifier  *notifier.Manager
	scrapes   *scrape.Manager
	discovery *discovery.Manager
	rules     *rules.Manager
	evaluate  rules.GroupEvalIterationFunc
	closer    *closer

	metrics  *reloadMetrics
	reloads  chan chan error // asked for over HTTP
	stopping chan struct{}   // closed when no more reloads are taken
	state    atomic.Pointer[desired]
	reloaded atomic.Bool                      // whether the last reload succeeded
	handler  atomic.Pointer[http.Handler]     // nil until ready
	status   atomic.Pointer[statuspage.Pages] // nil until there is a storage
}

// Run serves until ctx ends, which is no error, or until a part fails. When it returns,
// every part has stopped and every sample is on disk.
func Run(ctx context.Context, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	if err := toolkit.Validate(o.WebConfigFile); err != nil {
		return fmt.Errorf("web configuration %s: %w", o.WebConfigFile, err)
	}
	s := &server{Options: o, self: selfAddress(o.ListenAddress), started: time.Now(), reloads: make(chan chan error), stopping: make(chan struct{})}
	first, err := load(o, s.self)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.ListenAddress)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --web.listen-address", err)
	}
	if s.external, err = s.externalURL(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	// The web server starts first, so that health checks work while the storage replays
	// its log. It also stops first, so that no request reaches a closed storage.
	failed := make(chan error, 1)
	front, back := newParts(failed), newParts(failed)
	if err := s.startHTTP(front, listener); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := s.startStatus(front); err != nil {
		return errors.Join(err, front.stop())
	}
	if o.Backfill {
		err = backfill(ctx, o, first, time.Now())
	}
	if err == nil {
		err = s.start(back, first)
	}
	if err == nil {
		err = s.ready(first)
	}
	if err == nil {
		err = s.wait(ctx, failed)
	}
	close(s.stopping)
	return errors.Join(err, front.stop(), back.stop())
}

// start makes and starts the parts. parts stops them in reverse order, even if a later
// one cannot be started.
func (s *server) start(parts *parts, first *desired) error {
	s.registry = prometheus.NewRegistry()
	s.metrics = newReloadMetrics(s.registry)
	s.exporter = exporter.New(exporter.Options{Logger: s.Logger.With("component", "exporter"), Location: s.Location, MaxConcurrency: s.probes(descriptors.Limit())})
	var err error
	if s.db, err = openStorage(s.StoragePath, first.retention, s.RetentionSize, s.Logger, s.registry); err != nil {
		return err
	}
	parts.add("storage", nil, s.db.Close)
	s.writes = newWrites(s.db, s.StoragePath, s.Logger, s.registry)
	if err := s.makeEngines(); err != nil {
		return err
	}
	parts.add("query engine", nil, s.engine.Close)
	parts.add("query engine of the API", nil, s.apiEngine.Close)

	s.notifier = s.newNotifier()
	// The notifier only takes groups for Alertmanagers that it knows.
	if err := s.notifier.ApplyConfig(first.config); err != nil {
		return fmt.Errorf("notifier: %w", err)
	}
	groups := make(chan map[string]alertmanagerGroups, 1)
	groups <- staticGroups(first.config)
	parts.add("notifier", func() error { s.notifier.Run(groups); return nil }, func() error { s.notifier.Stop(); return nil })

	probing, stopProbing := context.WithCancel(context.Background())
	parts.add("exporter", func() error { return s.exporter.Run(probing) }, func() error { stopProbing(); return nil })

	if err := s.startScraping(parts); err != nil {
		return err
	}
	s.rules, s.evaluate = s.newRules(), evaluation(s.writes, s.notify)
	if err := s.put(first); err != nil {
		s.stopUnstartedRules()
		return err
	}
	parts.add("rule manager", func() error { s.rules.Run(); return nil }, func() error { s.rules.Stop(); return nil })
	s.closer = newCloser(s)
	working, stopWorking := context.WithCancel(context.Background())
	parts.add("reports", func() error { return s.closer.run(working) }, func() error { stopWorking(); return nil })
	if err := s.startRendering(parts); err != nil {
		return err
	}
	s.noteReload(first, nil)
	return nil
}

// ownDescriptors is how many descriptors the storage, scrapes and the rest need.
const ownDescriptors = 64

// probes is how many probes may run at once, if the process may open so many files.
func (s *server) probes(files int) int {
	most := descriptors.Probes(schedule.DefaultMaxConcurrency, files, ownDescriptors+connections(files))
	if most < schedule.DefaultMaxConcurrency {
		s.Logger.Warn("Fewer probes will run at once, because this process may open too few files; raise the limit (ulimit -n, LimitNOFILE=)",
			"files", files, "probes", most, "otherwise", schedule.DefaultMaxConcurrency)
	}
	return most
}

// stopUnstartedRules stops the groups of a rule manager that was never run: they wait
// for its start before they notice the stop.
func (s *server) stopUnstartedRules() {
	go s.rules.Run()
	s.rules.Stop()
}

// startScraping starts discovery and scrapes, and the loopback that the scrape
// of this process goes through.
func (s *server) startScraping(parts *parts) error {
	loop := newLoopback(s.self)
	inner := newLoopbackServer(s.metricsHandler())
	parts.add("loopback", func() error { return inner.Serve(loop) }, inner.Close)

	var err error
	if s.scrapes, err = s.newScrapes(loop); err != nil {
		return err
	}
	discovering, stopDiscovery := context.WithCancel(context.Background())
	if s.discovery, err = s.newDiscovery(discovering); err != nil {
		stopDiscovery()
		return err
	}
	parts.add("scrape manager", func() error { return s.scrapes.Run(s.discovery.SyncCh()) }, func() error { s.scrapes.Stop(); return nil })
	parts.add("discovery", s.discovery.Run, func() error { stopDiscovery(); return nil })
	return nil
}

// ready lets requests through, and tells the caller.
func (s *server) ready(first *desired) error {
	handler, err := s.routes()
	if err != nil {
		return err
	}
	s.handler.Store(&handler)
	levels := 0
	for _, a := range first.agreements {
		levels += len(a.Levels)
	}
	s.Logger.Info("Ready", "url", s.external.String(), "agreements", len(first.agreements), "levels", levels,
		"storage", filepath.Clean(s.StoragePath), "retention", sla.FormatDuration(first.retention))
	if s.Ready != nil {
		s.Ready(s.external.String())
	}
	return nil
}

// wait reloads on request and when a revision takes effect, until ctx ends or a part
// fails.
func (s *server) wait(ctx context.Context, failed <-chan error) error {
	for {
		var asked chan error // who waits for the outcome; nil if nobody does
		edge := sla.NextEdge(s.state.Load().agreements, time.Now())
		select {
		case <-time.After(sla.UntilEdge(edge, time.Now())):
			if edge.IsZero() || time.Now().Before(edge) {
				continue
			}
			s.Logger.Info("A revision takes effect")
		case <-ctx.Done():
			s.Logger.Info("Stopping")
			return nil
		case err := <-failed:
			return err
		case asked = <-s.reloads:
		case _, open := <-s.Reload:
			if !open {
				s.Reload = nil
				continue
			}
		}
		// Reading may take long, and a stop must not wait for it.
		loaded := s.loadAside()
		select {
		case <-ctx.Done():
			s.Logger.Info("Stopping in the middle of a reload")
			return nil
		case err := <-failed:
			return err
		case next := <-loaded:
			// The outcome is also in the log and in the metrics.
			if err := s.reload(next); asked != nil {
				asked <- err
			}
		}
	}
}
