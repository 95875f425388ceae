// Package demo is a small shop of sample services on loopback that break by a
// fixed schedule, for upheld demo: a storefront, a payments API that counts its
// own requests, the TCP port of an order queue, and two payment providers.
//
// They are services like any other: Upheld only knows what it has probed or scraped.
// The package must not import any other of this module.
package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The services.
const (
	Storefront = "storefront"
	Payments   = "payments"
	Orders     = "orders"
	ProviderA  = "psp-a"
	ProviderB  = "psp-b"
)

// services are all of them, in the order in which the terminal lists them.
var services = []string{Storefront, Payments, Orders, ProviderA, ProviderB}

// Effect is how a fault affects a service.
type Effect string

// The effects. Not every service supports every effect.
const (
	Down    Effect = "down"    // answers every request with 503
	Slow    Effect = "slow"    // takes some hundred milliseconds longer
	Failing Effect = "failing" // answers two of five requests with 500
	Closed  Effect = "closed"  // refuses connections
)

// Fault is a failure that happens once in each cycle.
type Fault struct {
	Service  string
	Effect   Effect
	From, To time.Duration // since the start of the cycle
	Words    string        // what is broken, for the terminal
}

// Schedule is a cycle of faults that repeats. Faults are within the cycle, and those of
// one service do not overlap.
type Schedule struct {
	Cycle  time.Duration
	Faults []Fault
}

// Default is the schedule of upheld demo. Alerts look back at least five minutes, so
// every service has that long to recover before it breaks again, and so does the
// composite of the storefront and the providers before the first provider fails.
// Outages that a composite should see last longer than half of the minute over which it
// judges its components.
var Default = Schedule{
	Cycle: 12 * time.Minute,
	Faults: []Fault{
		{Storefront, Down, 20 * time.Second, 55 * time.Second, "the storefront answers 503"},
		{Payments, Failing, 75 * time.Second, 105 * time.Second, "two of five payments end with 500"},
		{Orders, Closed, 150 * time.Second, 180 * time.Second, "the order queue refuses connections"},
		{Payments, Slow, 240 * time.Second, 280 * time.Second, "payments take over 300 ms"},
		{Storefront, Slow, 360 * time.Second, 390 * time.Second, "the storefront takes over 400 ms"},
		{ProviderA, Down, 390 * time.Second, 435 * time.Second, "psp-a, the first payment provider, answers 503; psp-b takes over"},
		{ProviderA, Down, 480 * time.Second, 550 * time.Second, "psp-a answers 503 again"},
		{ProviderB, Down, 480 * time.Second, 550 * time.Second, "psp-b answers 503, too: nobody can pay"},
	},
}

// Validate names the first fault that does not fit into the schedule.
func (s Schedule) Validate() error {
	if s.Cycle <= 0 {
		return fmt.Errorf("demo: the schedule's cycle is %s; it must be longer than nothing", s.Cycle)
	}
	ends := map[string]time.Duration{}
	for _, f := range s.Faults {
		if !slices.Contains(services, f.Service) {
			return fmt.Errorf("demo: fault %q of %s: there is no such service; take one of %s", f.Effect, f.Service, strings.Join(services, ", "))
		}
		if f.From < ends[f.Service] || f.To <= f.From || f.To > s.Cycle {
			return fmt.Errorf("demo: fault %q of %s from %s to %s: it must come after the service's last, end after it began and within the cycle of %s",
				f.Effect, f.Service, f.From, f.To, s.Cycle)
		}
		ends[f.Service] = f.To
	}
	return nil
}

// At returns the fault of each broken service at a time since the start.
func (s Schedule) At(elapsed time.Duration) map[string]Fault {
	at := elapsed % s.Cycle
	faults := map[string]Fault{}
	for _, f := range s.Faults {
		if f.From <= at && at < f.To {
			faults[f.Service] = f
		}
	}
	return faults
}

// Next is how long after elapsed the next fault begins or ends, or the cycle does.
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
