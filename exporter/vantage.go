package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// How references are probed: how long they have to answer, and how often while nothing
// fails.
const (
	referencePatience = time.Second
	referenceInterval = 15 * time.Second
)

// networkReasons are failures that the exporter's own network may have caused. For any
// other reason the target, or something in its place, has answered.
var networkReasons = []probe.Reason{
	probe.DNS, probe.ConnectRefused, probe.ConnectTimeout, probe.Unreachable, probe.Reset, probe.Timeout,
}

// vantage knows whether the exporter's network works: whether any of the reference
// targets answers. They are probed when a probe fails, so that the answer is from the
// same moment.
type vantage struct {
	references []probe.Prober
	names      []string
	logger     *slog.Logger

	mu      sync.Mutex
	running chan struct{} // closed when the current check ends; nil without one
	began   time.Time     // of the last finished check
	ok      bool          // its result
	lost    time.Time     // when the last check without any answer ended
}

// newVantage makes probers of references: tcp://host:port, http://... or
// https://....
func newVantage(references []string, factory *probe.Factory, logger *slog.Logger) (*vantage, error) {
	v := &vantage{logger: logger, ok: true}
	var errs []error
	for _, text := range references {
		var check sla.Check
		address, tcp := strings.CutPrefix(text, "tcp://")
		if tcp {
			check = &sla.TCPCheck{Address: address}
		} else {
			check = &sla.HTTPCheck{URL: text, Status: []sla.StatusRange{{From: 100, To: 599}}}
		}
		p, err := factory.New(&sla.Probe{Check: check, Timeout: referencePatience})
		if err != nil {
			errs = append(errs, fmt.Errorf("reference %q: %w; write tcp://host:port, or a URL of http or https", sla.Redact(text), err))
		}
		if err == nil {
			v.references, v.names = append(v.references, p), append(v.names, check.Target())
		}
	}
	return v, errors.Join(errs...)
}

// run checks periodically, for the metric and the log, until ctx ends.
func (v *vantage) run(ctx context.Context) {
	tick := time.NewTicker(referenceInterval)
	defer tick.Stop()
	for {
		v.sees(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// good is the result of the last check.
func (v *vantage) good() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ok
}

// sees reports whether a reference answered a check that began at since or later. It is
// also false if no reference answered at some time after since. Once ctx ends, it uses
// the last known answer.
func (v *vantage) sees(ctx context.Context, since time.Time) bool {
	for {
		v.mu.Lock()
		switch {
		case v.lost.After(since):
			v.mu.Unlock()
			return false
		case !v.began.Before(since):
			ok := v.ok
			v.mu.Unlock()
			return ok
		}
		if v.running == nil {
			v.running = make(chan struct{})
			go v.check()
		}
		wait := v.running
		v.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return v.good()
		}
	}
}

// check probes all references at once. It ends within their timeout, no matter who
// waits for it.
func (v *vantage) check() {
	began := time.Now()
	results := make(chan probe.Result, len(v.references))
	for _, p := range v.references {
		go func() { results <- p.Probe(context.Background(), time.Time{}) }()
	}
	ok := false
	var why []string
	for i := range v.references {
		r := <-results
		ok = ok || r.Outcome == probe.Good
		if why = append(why, r.Detail); ok && i < len(v.references)-1 {
			break // the other probes end by themselves
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if ok != v.ok && ok {
		v.logger.Info("reference targets answer again")
	} else if ok != v.ok {
		v.logger.Warn("no reference target answers; failures of the network are inconclusive", "references", strings.Join(v.names, ", "), "details", strings.Join(why, "; "))
	}
	v.began, v.ok = began, ok
	if !ok {
		v.lost = time.Now()
	}
	close(v.running)
	v.running = nil
}

// judge makes a failure inconclusive if the exporter's network does not work.
func (v *vantage) judge(ctx context.Context, r probe.Result, began, next time.Time) probe.Result {
	if v == nil || r.Outcome != probe.Bad || !slices.Contains(networkReasons, r.Reason) {
		return r
	}
	ctx, cancel := context.WithDeadline(ctx, next)
	defer cancel()
	if v.sees(ctx, began) {
		return r
	}
	r.Outcome, r.Detail, r.Reason = probe.Vantage.Outcome(), string(r.Reason)+": "+r.Detail+"; no reference target answers either", probe.Vantage
	return r
}
