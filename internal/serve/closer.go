package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const (
	// reportsFolder is the folder of reports of closed periods in the storage
	// directory.
	reportsFolder = "reports"
	// closingEvery is how often we look for periods to close.
	closingEvery = time.Minute
	// A failed closing is tried again after firstRetry, then after twice as long each
	// time, up to lastRetry.
	firstRetry, lastRetry = time.Minute, time.Hour
)

// closer closes periods: after their end and a settling time it judges them and writes
// their reports. It also judges running periods to date, for pages, and restates
// reports. It does one thing at a time, since each reads a whole period of samples.
type closer struct {
	s       *server
	archive *closing.Archive
	logger  *slog.Logger
	failing prometheus.Gauge
	wake    chan struct{}
	restate chan restating

	mu      sync.Mutex
	doing   string // "" while it does nothing
	failed  map[closingKey]failedClosing
	settled map[closingKey]bool // closed, or without any measurement; need no further look
	live    map[liveKey]liveReport
	wanted  time.Time // when a reader last looked
	// restated are the reports by file that are being restated, with nil, and those
	// that could not be, with the error.
	restated map[string]error
}

// closingKey is a period of an agreement.
type closingKey struct{ agreement, period string }

// failedClosing is why a period has no report.
type failedClosing struct {
	err  error
	next time.Time
	wait time.Duration
}

func newCloser(s *server) *closer {
	c := &closer{
		s: s, archive: &closing.Archive{Dir: filepath.Join(s.StoragePath, reportsFolder), Sign: s.Sign}, logger: s.Logger.With("component", "reports"),
		wake: make(chan struct{}, 1), restate: make(chan restating, mostRestatings), restated: map[string]error{},
		failed: map[closingKey]failedClosing{}, settled: map[closingKey]bool{}, live: map[liveKey]liveReport{},
		failing: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: metricnames.ServeReportsFailing,
			Help: "Closed periods whose report could not be made yet, and that are tried again.",
		}),
	}
	s.registry.MustRegister(c.failing)
	return c
}

// run works until ctx ends.
func (c *closer) run(ctx context.Context) error {
	if err := c.archive.Sweep(time.Now()); err != nil {
		c.logger.Warn("Half-written files in the folder of reports could not be removed; they do no harm", "err", err)
	}
	tick := time.NewTicker(closingEvery)
	defer tick.Stop()
	for {
		c.closeDue(ctx)
		c.refresh(ctx)
		c.mu.Lock()
		c.doing = ""
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case r := <-c.restate:
			c.restateNow(ctx, r)
		case <-tick.C:
		case <-c.wake:
		}
	}
}

// source is the storage as a source of evidence.
func (c *closer) source() samples.Source {
	return samples.Storage{Of: c.s.db, As: "upheld serve at " + c.s.external.String()}
}

// before is what was measured before the first sample in the storage.
func (c *closer) before(a *sla.Agreement) verdict.Evidence {
	if c.s.Past == nil {
		return verdict.Evidence{}
	}
	return c.s.Past(a)
}

// closeDue closes every period that is over and has settled.
func (c *closer) closeDue(ctx context.Context) {
	now := time.Now()
	if c.s.writes.behind() { // nobody knows which periods are over
		return
	}
	kept, _, err := c.archive.List()
	if err != nil {
		c.logger.Error("The folder of reports cannot be read, so no period is closed", "err", err)
		c.failing.Set(1)
		return
	}
	state := c.s.state.Load()
	for _, a := range state.agreements {
		for _, p := range closing.AllPeriodsOf(a) {
			for _, name := range closing.Closings(p, c.after(a.Name, p, kept), now.Add(-c.s.SettlingTime)) {
				key := closingKey{a.Name, name.String()}
				if ctx.Err() != nil || !c.isDue(key, now) {
					continue
				}
				c.closed(key, c.close(ctx, state, a.Name, name, now), now)
			}
		}
	}
	c.forget(state.agreements)
}

// after is the time before which an agreement's periods need no report, since there are
// neither samples nor reports.
func (c *closer) after(agreement string, p sla.Period, kept []closing.Kept) time.Time {
	first := firstSample(c.s.db)
	for _, k := range kept {
		if k.Agreement == agreement && k.Period.End.Before(first) && isOf(k, p) {
			first = k.Period.End
		}
	}
	return first
}

func isOf(k closing.Kept, p sla.Period) bool {
	name, err := closing.NameOf(&verdict.Report{Period: k.Period})
	return err == nil && name.Of(p)
}

func (c *closer) isDue(key closingKey, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.settled[key] && !now.Before(c.failed[key].next)
}

// closed notes the outcome of a closing.
func (c *closer) closed(key closingKey, err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.failing.Set(float64(len(c.failed))) }()
	if err == nil {
		delete(c.failed, key)
		c.settled[key] = true
		return
	}
	if errors.Is(err, context.Canceled) {
		return // the next start tries again
	}
	before := c.failed[key]
	wait := min(max(firstRetry, 2*before.wait), lastRetry)
	c.failed[key] = failedClosing{err: err, next: now.Add(wait), wait: wait}
	if before.err == nil || before.err.Error() != err.Error() {
		c.logger.Error("The report of a closed period could not be made; it is tried again", "agreement", key.agreement, "period", key.period, "err", err)
	}
}

// retry tries all failed closings again at once, for example after a reload.
func (c *closer) retry() {
	c.mu.Lock()
	for key, failed := range c.failed {
		failed.next = time.Time{}
		c.failed[key] = failed
	}
	c.mu.Unlock()
	c.rouse()
}

// rouse makes run look again now.
func (c *closer) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// forget drops what is known of agreements that are gone.
func (c *closer) forget(agreements []*sla.Agreement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gone := func(name string) bool {
		return !slices.ContainsFunc(agreements, func(a *sla.Agreement) bool { return a.Name == name })
	}
	for key := range c.failed {
		if gone(key.agreement) {
			delete(c.failed, key)
		}
	}
	for key := range c.live {
		if gone(key.agreement) {
			delete(c.live, key)
		}
	}
	c.failing.Set(float64(len(c.failed)))
}

func (c *closer) say(doing string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doing = doing
}

// close judges a period and keeps its report. It uses the specifications and
// adjustments as they are now, so that adjustments from the settling time count.
func (c *closer) close(ctx context.Context, state *desired, agreement string, name sla.PeriodName, now time.Time) error {
	kept, _, err := c.archive.List()
	if err != nil {
		return err
	}
	if c.complete(state.agreements, agreement, name, kept, now) {
		return nil
	}
	agreements, err := c.specifications(state)
	if err != nil {
		return err
	}
	judgements, err := closing.JudgementsOf(agreements, agreement, name, now)
	if err != nil {
		return err
	}
	for _, j := range judgements {
		if !has(kept, agreement, j.Title) {
			if err := c.freeze(ctx, j, now, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete returns whether all parts of a period have their report.
func (c *closer) complete(agreements []*sla.Agreement, agreement string, name sla.PeriodName, kept []closing.Kept, now time.Time) bool {
	judgements, err := closing.JudgementsOf(agreements, agreement, name, now)
	return err == nil && !slices.ContainsFunc(judgements, func(j closing.Judgement) bool { return !has(kept, agreement, j.Title) })
}

func has(kept []closing.Kept, agreement, period string) bool {
	return slices.ContainsFunc(kept, func(k closing.Kept) bool {
		return k.Agreement == agreement && k.Period.Name == period && !closing.KeptToDate(k)
	})
}

// freeze judges a period and writes its report. If nothing was measured in a period
// before the agreement's first report, it gets none: the agreement did not exist yet.
func (c *closer) freeze(ctx context.Context, j closing.Judgement, now time.Time, kept []closing.Kept) error {
	c.say(j.Agreement.Name + ", " + j.Title)
	previous, err := c.archive.ReportsOf(j.Agreement.Name)
	if err != nil {
		return err
	}
	begun := time.Now()
	j.Before = c.before(j.Agreement)
	r, evidence, err := j.Judge(ctx, c.source(), previous, now, func(float64) {})
	if err != nil {
		return err
	}
	earlier := func(k closing.Kept) bool {
		return k.Agreement == j.Agreement.Name && k.Period.Start.Before(j.Start)
	}
	if !closing.Measured(evidence, j.Start, j.End) && !slices.ContainsFunc(kept, earlier) {
		return nil
	}
	file, err := c.archive.Freeze(r, evidence)
	if err != nil {
		return err
	}
	c.logger.Info("The report of a closed period was made", "agreement", r.Agreement, "period", r.Period.Name, "verdict", string(r.Verdict), "file", c.archive.Path(file.File), "took", time.Since(begun))
	return nil
}

// specifications are those on disk now. Standard input can only be read once.
func (c *closer) specifications(state *desired) ([]*sla.Agreement, error) {
	if slices.Contains(c.s.Specs, "-") {
		return state.agreements, nil
	}
	agreements, findings := spec.Files{Allow: c.s.FilesAllow, Open: true, Queries: imports.Queries()}.Load(c.s.Specs...)
	if err := findings.Err(); err != nil {
		for _, f := range findings {
			if f.Severity == sla.Error {
				return nil, fmt.Errorf("the specification has mistakes: %s: %s; correct it, and the report follows", f.Pos, f.Message)
			}
		}
		return nil, err
	}
	return agreements, nil
}
