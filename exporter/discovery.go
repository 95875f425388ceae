package exporter

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/exporter/discover"
	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// wanted is a target to be probed.
type wanted struct {
	*sla.ProbeTarget
	found   bool             // discovered by a probe with many targets
	entry   *discover.Target // its entry in the list where it was found; nil if in none
	address string           // of sla.Discovery.Host; "" if there is none
	labels  []measure.Label  // of its series, in addition to those that identify it
	prober  probe.Prober
}

func (w *wanted) name() string { return w.Probe.Check.Target() }

func (w *wanted) key() string { return keyOf(w.ID, w.name(), w.address) }

// shown is the target for people; for a target from a list, the entry.
func (w *wanted) shown() string {
	switch {
	case w.entry != nil:
		return strconv.Quote(shownEntry(w.entry.Address))
	case w.address != "":
		return w.name() + " at " + w.address
	}
	return w.name()
}

// shownEntry returns an entry of a list without secrets. If it has white space we
// cannot tell which part is a password, so everything up to the last "@" is hidden.
func shownEntry(entry string) string {
	if at := strings.LastIndex(entry, "@"); at >= 0 && strings.ContainsAny(entry[:at], " \t\r\n\"`<>") {
		return sla.Hidden + entry[at:]
	}
	return sla.Redact(entry)
}

// discovery knows the current targets of probes that discover many.
type discovery struct {
	changed chan struct{} // a level may be due sooner than before
	mu      sync.Mutex
	levels  map[sla.ID]*finding
}

func (d *discovery) wake() {
	select {
	case d.changed <- struct{}{}:
	default: // a signal is already pending
	}
}

// finding is what is known about the targets of one level.
type finding struct {
	spec    *sla.Discovery
	targets []discover.Target
	looked  time.Time       // start of the last lookup; zero: none yet
	failure error           // of the last lookup
	left    int             // how many of the targets cannot be probed
	told    map[string]bool // the entries and reasons already logged; several may look the same in the log
	looking bool
	learned bool // a lookup has ended
}

// found returns the current targets. A host without an address is a target that fails
// for that reason: it is down, and must not disappear.
func (f *finding) found() []discover.Target {
	if f.spec.Host != "" && f.learned && len(f.targets) == 0 {
		return []discover.Target{{Labels: make([]string, len(f.spec.Labels))}}
	}
	return f.targets
}

// declare sets the levels whose targets are looked up. A level with an unchanged
// discovery keeps what was found.
func (d *discovery) declare(targets []sla.ProbeTarget) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := map[sla.ID]*finding{}
	for _, t := range targets {
		spec := t.Probe.Discovery
		if spec == nil {
			continue
		}
		old := d.levels[t.ID]
		if old == nil || !reflect.DeepEqual(old.spec, spec) {
			old = &finding{spec: spec}
			for _, address := range spec.Static {
				old.targets = append(old.targets, discover.Target{Address: address, Labels: make([]string, len(spec.Labels))})
			}
		}
		next[t.ID] = old
	}
	d.levels = next
	d.wake()
}

// expand replaces probes of many targets by the targets that were found.
func (d *discovery) expand(targets []sla.ProbeTarget) []wanted {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]wanted, 0, len(targets))
	for i := range targets {
		t := &targets[i]
		if t.Probe.Discovery == nil {
			all = append(all, wanted{ProbeTarget: t})
			continue
		}
		for _, one := range d.levels[t.ID].found() {
			own := *t
			own.Probe = t.Probe.WithTarget(one.Address)
			w := wanted{ProbeTarget: &own, found: true}
			if t.Probe.Discovery.Host != "" {
				w.address = one.Address
			} else {
				w.entry = &one
			}
			for i, name := range t.Probe.Discovery.Labels {
				w.labels = append(w.labels, measure.Label{Name: name, Value: one.Labels[i]})
			}
			all = append(all, w)
		}
	}
	return all
}

// leftOut is an entry that was found but cannot be probed.
type leftOut struct {
	id   sla.ID
	what string // for people, without secrets
	why  error
}

func (l leftOut) String() string { return l.what + ": " + l.why.Error() }

// leave sets the entries that are left out, and returns those not yet logged, so that
// each entry of an unchanged list is logged once.
func (d *discovery) leave(all []leftOut) (untold []leftOut) {
	d.mu.Lock()
	defer d.mu.Unlock()
	told := make(map[sla.ID]map[string]bool, len(d.levels))
	for id, f := range d.levels {
		told[id], f.told, f.left = f.told, nil, 0
	}
	for _, l := range all {
		f := d.levels[l.id]
		if f == nil {
			continue
		}
		if f.left++; f.told == nil {
			f.told = map[string]bool{}
		}
		if !told[l.id][l.String()] && !f.told[l.String()] {
			untold = append(untold, l)
		}
		f.told[l.String()] = true
	}
	return untold
}

// fail notes that what was found for a level could not be applied.
func (d *discovery) fail(id sla.ID, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.levels[id]; f != nil {
		f.failure = err
		d.wake()
	}
}

// lookAgain is the pause after a failed lookup, unless the next one is due earlier, so
// that a list that comes up after the exporter is found soon.
const lookAgain = 5 * time.Second

// due returns the levels to look up now, and marks them as being looked up. pause is
// how long no other will be due, unless something changes.
func (d *discovery) due(now time.Time) (due map[sla.ID]*sla.Discovery, pause time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	due, pause = map[sla.ID]*sla.Discovery{}, time.Hour
	for id, f := range d.levels {
		if f.looking {
			continue
		}
		refresh := f.spec.Refresh
		if f.failure != nil {
			refresh = min(refresh, lookAgain)
		}
		if left := refresh - now.Sub(f.looked); left > 0 {
			pause = min(pause, left)
			continue
		}
		f.looking, f.looked = true, now
		due[id] = f.spec
	}
	return due, pause
}

// learn stores the result of a lookup; changed says whether it differs from before. The
// result is dropped if the discovery is no longer declared.
func (d *discovery) learn(id sla.ID, of *sla.Discovery, found []discover.Target, err error) (changed, failing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.levels[id]
	if f == nil || f.spec != of {
		return false, false
	}
	failing = err != nil && f.failure == nil
	first := !f.learned && f.spec.Host != ""
	f.looking, f.failure, f.learned = false, err, true
	d.wake()
	if err != nil {
		return first, failing
	}
	if !first && slices.EqualFunc(f.targets, found, func(a, b discover.Target) bool {
		return a.Address == b.Address && slices.Equal(a.Labels, b.Labels)
	}) {
		return false, false
	}
	f.targets = found
	return true, false
}

// addresses returns one target for each address of a host.
func (e *Exporter) addresses(ctx context.Context, d *sla.Discovery) ([]discover.Target, error) {
	ctx, cancel := context.WithTimeout(ctx, discover.Patience)
	defer cancel()
	found, err := e.factory.Addresses(ctx, d.Network, d.Host)
	if err != nil {
		return nil, err
	}
	if len(found) > d.Limit {
		return nil, fmt.Errorf("%s has %d addresses, and at most %d are probed", d.Host, len(found), d.Limit)
	}
	targets := make([]discover.Target, len(found))
	for i, a := range found {
		targets[i] = discover.Target{Address: a.String(), Labels: []string{a.String()}}
	}
	return targets, nil
}

// states returns the states of the discoveries, for the metrics.
func (d *discovery) states() []measure.Discovery {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []measure.Discovery
	for id, f := range d.levels {
		all = append(all, measure.Discovery{ID: id, Targets: len(f.targets), LeftOut: f.left, OK: f.failure == nil && f.left == 0 && !f.looked.IsZero()})
	}
	return all
}

// discover looks up targets until ctx ends.
func (e *Exporter) discover(ctx context.Context) {
	finder := discover.Finder{Resolver: e.opts.Probe.Resolver, UserAgent: e.opts.Probe.UserAgent, Dial: e.factory.Dial}
	var looks sync.WaitGroup
	defer looks.Wait()
	for {
		due, pause := e.discovery.due(time.Now())
		for id, spec := range due {
			looks.Go(func() {
				find := finder.Find
				if spec.Host != "" {
					find = e.addresses
				}
				found, err := find(ctx, spec)
				if ctx.Err() == nil {
					e.take(id, spec, found, err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-e.discovery.changed:
		case <-time.After(pause):
		}
	}
}

// take applies the result of a lookup.
func (e *Exporter) take(id sla.ID, spec *sla.Discovery, found []discover.Target, err error) {
	e.applying.Lock()
	defer e.applying.Unlock()
	changed, failing := e.discovery.learn(id, spec, found, err)
	if failing {
		e.opts.Logger.Warn("targets not looked up; they stay as they are", "slo", id.String(), "error", err)
	}
	if !changed {
		return
	}
	all, err := e.makeProbers(e.discovery.expand(e.declared))
	if err != nil { // a level that could be probed when it was declared
		e.discovery.fail(id, err)
		e.opts.Logger.Error("targets not changed", "slo", id.String(), "error", err)
		return
	}
	e.put(all)
	e.opts.Logger.Info("targets found", "slo", id.String(), "targets", len(found))
}
