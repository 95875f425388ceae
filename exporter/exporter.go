// Package exporter is the measuring half: it probes targets on a fixed timetable and
// exposes the outcome of every probe as metrics over HTTP.
//
// It connects three parts that do not know each other: probe runs one probe, schedule
// says when, and measure counts. It runs as the daemon upheld-exporter or inside
// another process. It must import neither rulegen nor anything of the Prometheus
// server.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/upheld-sla/upheld/exporter/blackbox"
	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/exporter/schedule"
	"github.com/upheld-sla/upheld/sla"
)

// DefaultLocation is the "location" label of an exporter without a configured location.
const DefaultLocation = "default"

// Options of an exporter; the zero value is usable.
type Options struct {
	Logger         *slog.Logger // none if nil
	Location       string       // where it probes from, the "location" label; DefaultLocation if empty
	MaxConcurrency int          // probes at once; schedule.DefaultMaxConcurrency if 0
	MaxPerHost     int          // probes of one host at once; no bound if 0
	Probe          probe.Env    // resolver, certificate authorities, user agent, guard
	// References are targets that answer while the exporter's network works:
	// tcp://host:port or URLs. If none answers, network failures of probes are
	// inconclusive. Without references, they count against the target.
	References []string
	Shard      Shard // the part of the targets that this exporter probes; all if zero
	// Load reads the targets again for Reload. Without it, Reload fails.
	Load func() ([]sla.ProbeTarget, error)
	// Requests answers probes that are requested over HTTP, as in blackbox_exporter;
	// nil for none.
	Requests *blackbox.Prober
}

// Exporter probes targets and counts the results. Its methods are safe for
// concurrent use.
type Exporter struct {
	opts      Options
	factory   *probe.Factory
	scheduler *schedule.Scheduler
	metrics   *measure.Metrics
	ids       ids
	vantage   *vantage // nil without references
	running   atomic.Bool
	applied   atomic.Bool

	reloading sync.Mutex        // one Reload at a time
	applying  sync.Mutex        // one change of the targets at a time
	declared  []sla.ProbeTarget // the targets last applied; guarded by applying
	mu        sync.RWMutex
	targets   []*target // in the order of Apply; those discovered for a level by address
	discovery discovery
	excerpts  excerpts
}

// New makes an exporter without targets. Check its references with CheckReferences
// first: invalid ones are left out.
func New(opts Options) *Exporter {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Logger = redact.Logger(opts.Logger)
	if opts.Location == "" {
		opts.Location = DefaultLocation
	}
	e := &Exporter{opts: opts, factory: probe.NewFactory(opts.Probe)}
	e.discovery.changed = make(chan struct{}, 1)
	e.ids.last.Store(uint64(time.Now().UnixNano())) // so that IDs are unique across restarts
	e.scheduler = schedule.New(schedule.Options{
		MaxConcurrency: opts.MaxConcurrency,
		MaxPerHost:     opts.MaxPerHost,
		OnStart:        func(lag time.Duration) { e.metrics.ObserveLag(lag) },
	})
	self := measure.Options{
		Location:       opts.Location,
		MaxConcurrency: e.scheduler.MaxConcurrency(),
		InFlight:       e.scheduler.InFlight,
		Discoveries:    e.discovery.states,
	}
	if len(opts.References) > 0 {
		e.vantage, _ = newVantage(opts.References, e.factory, opts.Logger)
		self.Vantage = e.vantage.good
	}
	if opts.Requests != nil {
		self.Requests = opts.Requests.Facts
	}
	e.metrics = measure.New(self)
	return e
}

// Apply replaces the targets. Targets whose level and address stay keep their counts,
// recent results and place on the timetable. If any target cannot be probed nothing
// changes, and the error names every one.
//
// A probe of many targets gets those that were found last, or else its static ones; Run
// looks for more. The exporter keeps targets: do not change it afterwards.
func (e *Exporter) Apply(targets []sla.ProbeTarget) error {
	e.applying.Lock()
	defer e.applying.Unlock()
	e.discovery.declare(targets)
	all, err := e.makeProbers(e.discovery.expand(targets)) // of all shards, so that every exporter reports the same mistakes
	if err != nil {
		e.discovery.declare(e.declared)
		e.metrics.ConfigFailed()
		return err
	}
	e.declared = targets
	e.put(all)
	e.metrics.ConfigLoaded()
	e.applied.Store(true)
	return nil
}

// put replaces the targets with those of this exporter's shard.
func (e *Exporter) put(all []wanted) {
	own := slices.DeleteFunc(all, func(w wanted) bool { return !e.opts.Shard.keeps(w) })
	specs := make([]measure.Spec, len(own))
	for i, w := range own {
		specs[i] = measure.Spec{
			ID: w.ID, Target: w.name(), Labels: w.labels, Thresholds: w.Thresholds,
			Phases: w.prober.Phases(), Rechecked: w.Probe.Recheck > 0,
		}
	}
	e.swap(own, e.metrics.Replace(specs))
}

// makeProbers makes each target's prober. A mistake in a discovered target is not one
// in the specification and must not affect other targets: the target is left out, and
// reported in the log and by the discovery's metrics.
func (e *Exporter) makeProbers(targets []wanted) ([]wanted, error) {
	known := make(map[string]bool, len(targets)) // names of levels, and keys of discovered targets
	made := make([]wanted, 0, len(targets))
	var errs []error
	var left []leftOut
	for _, t := range targets {
		if !t.found {
			if known[t.ID.String()] {
				errs = append(errs, fmt.Errorf("%s: two service levels have this name; give one of them another", t.ID))
			}
			known[t.ID.String()] = true
		}
		if t.Probe.Interval <= 0 {
			errs = append(errs, fmt.Errorf("%s: the interval is %s; it must be more than 0", t.ID, t.Probe.Interval))
		}
		var err error
		t.prober, err = e.proberOf(&t, known)
		switch {
		case err == nil:
			made = append(made, t)
		case t.found:
			left = append(left, leftOut{t.ID, t.shown(), err})
		default:
			errs = append(errs, fmt.Errorf("%s: %w", t.ID, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, l := range e.discovery.leave(left) {
		e.opts.Logger.Warn("an entry that was found cannot be probed, and is left out", "slo", l.id.String(), "target", l.what, "error", l.why)
	}
	return made, nil
}

// proberOf makes the prober of a target. A discovered target must be an address, with a
// name that is unique without its user info.
func (e *Exporter) proberOf(t *wanted, known map[string]bool) (probe.Prober, error) {
	if t.entry == nil {
		return e.factory.New(t.Probe)
	}
	if err := t.entry.Usable(); err != nil {
		return nil, err
	}
	prober, err := e.factory.New(t.Probe)
	if err != nil {
		return nil, err
	}
	if addressed, ok := t.Probe.Check.(sla.Addressed); ok {
		if err := addressed.CheckAddress(); err != nil {
			return nil, err
		}
	}
	if known[t.key()] {
		return nil, errors.New("another entry is called the same, but for user name and password")
	}
	known[t.key()] = true
	return prober, nil
}

// swap applies a new set of targets.
func (e *Exporter) swap(targets []wanted, accounts []*measure.Target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := make(map[string]*history, len(e.targets))
	for _, t := range e.targets {
		old[t.key()] = t.history
	}
	jobs := make([]schedule.Target, len(targets))
	list := make([]*target, len(targets))
	for i, t := range targets {
		next := &target{spec: t.ProbeTarget, address: t.address, prober: t.prober, account: accounts[i], exporter: e}
		key := next.key()
		if next.history = old[key]; next.history == nil {
			next.history = new(history)
		}
		delete(old, key)
		list[i] = next
		jobs[i] = schedule.Target{Key: key, Interval: t.Probe.Interval, Job: next}
		if e.opts.MaxPerHost > 0 {
			jobs[i].Host = next.host()
		}
	}
	for _, gone := range old {
		gone.forget(&e.excerpts)
	}
	e.targets = list
	e.scheduler.Set(jobs)
}

// Run probes until ctx ends and returns nil once no probe is running any more. It can
// run once.
func (e *Exporter) Run(ctx context.Context) error {
	e.running.Store(true)
	defer e.running.Store(false)
	watched, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	if e.vantage != nil {
		background.Go(func() { e.vantage.run(watched) })
	}
	background.Go(func() { e.discover(watched) })
	return e.scheduler.Run(ctx)
}

// CheckReferences returns which of Options.References are invalid.
func CheckReferences(references []string) error {
	_, err := newVantage(references, probe.NewFactory(probe.Env{}), nil)
	return err
}

// Metrics is the handler for scrapes.
func (e *Exporter) Metrics() http.Handler { return e.metrics.Handler() }

// Gatherer returns the metrics behind Metrics, for a process that adds its own.
func (e *Exporter) Gatherer() measure.Gatherer { return e.metrics.Gatherer() }

// errNoLoad is the error of Reload without Options.Load.
var errNoLoad = errors.New("this exporter has no specification files to reload")

// Reload loads the targets and the modules of requests again, and applies them. If that
// fails, the exporter continues with the current ones, logs every finding and returns
// the error.
func (e *Exporter) Reload() error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	modules := e.ReloadModules()
	if e.opts.Load == nil && e.opts.Requests != nil {
		return modules
	}
	return errors.Join(e.reloadTargets(), modules)
}

// ReloadModules loads the modules of requests again, if there are any.
func (e *Exporter) ReloadModules() error {
	if e.opts.Requests == nil {
		return nil
	}
	err := e.opts.Requests.Reload()
	if err != nil {
		e.opts.Logger.Error("modules for /probe not loaded; they stay as they are", "err", err)
	}
	return err
}

func (e *Exporter) reloadTargets() error {
	targets, err := e.load()
	if err == nil {
		err = e.Apply(targets)
	}
	if err != nil {
		e.metrics.ConfigFailed()
		e.logFailure(err)
		return err
	}
	e.opts.Logger.Info("specification loaded", "targets", len(targets))
	return nil
}

func (e *Exporter) load() ([]sla.ProbeTarget, error) {
	if e.opts.Load == nil {
		return nil, errNoLoad
	}
	return e.opts.Load()
}

func (e *Exporter) logFailure(err error) {
	e.opts.Logger.Error("specification not loaded; the targets stay as they are")
	if findings, ok := errors.AsType[sla.Findings](err); ok {
		for _, f := range findings {
			e.opts.Logger.Error(f.Message, "at", f.Pos.String(), "severity", string(f.Severity), "rule", f.Rule, "remedy", f.Remedy)
		}
		return
	}
	e.opts.Logger.Error(err.Error())
}
