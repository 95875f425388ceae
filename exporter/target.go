package exporter

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/exporter/schedule"
	"github.com/upheld-sla/upheld/sla"
)

// target is one thing to probe, as a job of the scheduler.
type target struct {
	spec     *sla.ProbeTarget
	address  string // of sla.Discovery.Host; "" if the target has only one
	prober   probe.Prober
	account  *measure.Target
	history  *history
	exporter *Exporter
}

// ids gives every probe a unique ID.
type ids struct{ last atomic.Uint64 }

func (i *ids) next() measure.ID { return measure.ID(i.last.Add(1)) }

func (t *target) name() string { return t.spec.Probe.Check.Target() }

// shown is the target for people.
func (t *target) shown() string {
	if t.address == "" {
		return t.name()
	}
	return t.name() + " at " + t.address
}

// host is the host for the bound on probes of one host; "" if there is none.
func (t *target) host() string {
	if t.address != "" {
		return t.address
	}
	if hosted, ok := t.spec.Probe.Check.(sla.Hosted); ok {
		name, err := sla.ASCIIHost(hosted.HostName())
		if err != nil {
			name = hosted.HostName()
		}
		return strings.ToLower(strings.TrimSuffix(name, "."))
	}
	return ""
}

// key names the target for the scheduler, which derives its place on the timetable from
// it.
func (t *target) key() string { return keyOf(t.spec.ID, t.name(), t.address) }

func keyOf(id sla.ID, name, address string) string {
	key := id.String() + " " + name
	if address != "" {
		key += " " + address
	}
	return key
}

// Run probes once and accounts for it. It does not count a probe that was canceled
// because the exporter stops.
func (t *target) Run(ctx context.Context, by time.Time) time.Duration {
	return t.probe(ctx, by, t.account.Observe)
}

// Recheck probes a bad target again before its next probe is due.
func (t *target) Recheck(ctx context.Context, by time.Time) time.Duration {
	return t.probe(ctx, by, t.account.Recheck)
}

// probe runs one probe and accounts for it. It returns after what time to recheck the
// target, or 0 for no recheck.
func (t *target) probe(ctx context.Context, by time.Time, account func(probe.Result, measure.ID, time.Time)) time.Duration {
	at := time.Now()
	r := t.prober.Probe(ctx, by)
	if r.Reason == probe.Cancelled {
		return 0
	}
	r = t.exporter.vantage.judge(ctx, r, at, by)
	id := t.exporter.ids.next()
	account(r, id, at)
	t.remember(Record{At: at, ID: id, Outcome: r.Outcome, Reason: r.Reason, Detail: detailOf(r), Duration: r.Duration, Phases: r.Phases, Parts: r.Parts, Excerpt: r.Excerpt, Count: 1})
	if r.Outcome == probe.Good {
		return 0
	}
	return t.spec.Probe.Recheck
}

func skipReason(why schedule.SkipReason) probe.Reason {
	switch why {
	case schedule.Overlap:
		return probe.Overlap
	case schedule.Overload:
		return probe.Overload
	case schedule.Late:
		return probe.Late
	case schedule.Starved:
		return probe.Starved
	}
	return probe.HostOverload
}

// Skip accounts for skipped probes.
func (t *target) Skip(why schedule.SkipReason, n int) {
	reason := skipReason(why)
	t.account.Skip(reason, n)
	t.remember(Record{At: time.Now(), Outcome: reason.Outcome(), Reason: reason, Detail: reason.Help(), Count: n})
}

// remember keeps a record, and logs changes of the target's state: a target that stays
// down is one line, not one for each probe.
func (t *target) remember(r Record) {
	changed := t.history.add(r, &t.exporter.excerpts)
	if limits := t.spec.Thresholds; r.Outcome == probe.Good && len(limits) > 0 && r.Duration > limits[0] {
		t.history.addSlow(r)
	}
	level := slog.LevelDebug
	if changed {
		level = slog.LevelInfo
		if r.Outcome != probe.Good {
			level = slog.LevelWarn
		}
	}
	logger := t.exporter.opts.Logger
	if !logger.Enabled(context.Background(), level) {
		return
	}
	logger.Log(context.Background(), level, "probe result", "slo", t.spec.ID.String(), "target", t.shown(),
		"outcome", string(r.Outcome), "reason", string(r.Reason), "detail", r.Detail, "duration", r.Duration, "count", r.Count)
}

// detailOf adds to the detail of a good or too slow result how much of its time may be
// the exporter's own. For other failures the time does not matter.
func detailOf(r probe.Result) string {
	if r.Outcome == probe.Good || r.Reason == probe.Slow {
		return r.DetailWithLateness()
	}
	return r.Detail
}
