// Package demo is a small shop of sample services on loopback that break by a
// fixed schedule, for upheld demo: a storefront, a payments API that counts its
// own requests, and the TCP port of an order queue.
//
// They are services like any other: what Upheld knows of them it has probed or
// scraped. The package must not import any other of this module.
package demo

import (
	"fmt"
	"time"
)

// The services.
const (
	Storefront = "storefront"
	Payments   = "payments"
	Orders     = "orders"
)

// Effect is what a fault does to a service.
type Effect string

// The effects. Not every service knows every one.
const (
	Down    Effect = "down"    // answers every request with 503
	Slow    Effect = "slow"    // takes some hundred milliseconds longer
	Failing Effect = "failing" // answers two of five requests with 500
	Closed  Effect = "closed"  // refuses connections
)

// Fault is one thing that goes wrong in each cycle.
type Fault struct {
	Service  string
	Effect   Effect
	From, To time.Duration // since the start of the cycle
	Words    string        // what is broken, for the terminal
}

// Schedule is a cycle of faults, which begins anew when it is over. Faults lie
// within the cycle, and those of one service do not overlap.
type Schedule struct {
	Cycle  time.Duration
	Faults []Fault
}

// Default is the schedule of upheld demo. Alerts look at the last five minutes
// at least, so every service has that long to recover before it breaks again.
var Default = Schedule{
	Cycle: 10 * time.Minute,
	Faults: []Fault{
		{Storefront, Down, 20 * time.Second, 45 * time.Second, "the storefront answers 503"},
		{Payments, Failing, 75 * time.Second, 105 * time.Second, "two of five payments end with 500"},
		{Orders, Closed, 150 * time.Second, 180 * time.Second, "the order queue refuses connections"},
		{Payments, Slow, 240 * time.Second, 280 * time.Second, "payments take over 300 ms"},
		{Storefront, Slow, 360 * time.Second, 390 * time.Second, "the storefront takes over 400 ms"},
	},
}

// Validate names the first fault that the schedule cannot hold.
func (s Schedule) Validate() error {
	if s.Cycle <= 0 {
		return fmt.Errorf("demo: the schedule's cycle is %s; it must be longer than nothing", s.Cycle)
	}
	ends := map[string]time.Duration{}
	for _, f := range s.Faults {
		if f.From < ends[f.Service] || f.To <= f.From || f.To > s.Cycle {
			return fmt.Errorf("demo: fault %q of %s from %s to %s: it must come after the service's last, end after it began and within the cycle of %s",
				f.Effect, f.Service, f.From, f.To, s.Cycle)
		}
		ends[f.Service] = f.To
	}
	return nil
}

// At is the effect on each broken service at a time since the start.
func (s Schedule) At(elapsed time.Duration) map[string]Effect {
	at := elapsed % s.Cycle
	effects := map[string]Effect{}
	for _, f := range s.Faults {
		if f.From <= at && at < f.To {
			effects[f.Service] = f.Effect
		}
	}
	return effects
}

// Next is how long after elapsed something begins or ends, or a cycle does.
func (s Schedule) Next(elapsed time.Duration) time.Duration {
	at := elapsed % s.Cycle
	next := s.Cycle
	for _, f := range s.Faults {
		for _, edge := range []time.Duration{f.From, f.To} {
			if edge > at {
				next = min(next, edge)
			}
		}
	}
	return next - at
}

// words are what the terminal says of an effect on a service.
func (s Schedule) words(service string, effect Effect) string {
	for _, f := range s.Faults {
		if f.Service == service && f.Effect == effect {
			return f.Words
		}
	}
	return service + " is " + string(effect)
}
