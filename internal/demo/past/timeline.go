// Package past makes the simulated past of upheld demo. From the incidents of package
// demo it derives what the rules of the shop's agreement would have recorded in 35
// days, and the evidence for reports. It evaluates as little as possible: the increases
// of the second layer follow from the incidents, and package replay only runs the rules
// that sum them.
//
// It knows the shop's levels. Only the demo may import it.
package past

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/demo"
	"github.com/upheld-sla/upheld/sla"
)

// Length is how much past pages and queries have. Reports cover twice as much.
const Length = 35 * 24 * time.Hour

// Source is what reports name as the source of the past.
const Source = "simulated by upheld demo"

// Past is the past of one of the shop's agreements.
type Past struct {
	agreement *sla.Agreement
	start     time.Time // where the live part begins
	incidents []demo.Incident
}

// New makes the past of the shop's agreement up to start. It returns an error if the
// agreement has a level that the shop does not have.
func New(a *sla.Agreement, start time.Time) (*Past, error) {
	for _, l := range a.Levels {
		if !slices.ContainsFunc(levels, func(of level) bool { return of.name == name(l) }) {
			return nil, fmt.Errorf("the demo knows no past of the level %s; add it to the table in internal/demo/past", name(l))
		}
	}
	return &Past{a, start.UTC().Truncate(time.Second), demo.Past(start)}, nil
}

func name(l *sla.ServiceLevel) string { return l.ID.Service + "/" + l.ID.SLO }

// fault is a time in which a share of what a level counts was bad.
type fault struct {
	sla.Span
	share float64
}

// cause is who spent bad time of the composite, in the labels of the rules.
type cause struct{ component, how string }

// level says how the shop's incidents affect a level.
type level struct {
	name      string  // service/slo
	perSecond float64 // events or seconds
	faults    func(p *Past) []fault
	causes    func(p *Past) map[cause][]fault // of a composite
}

// failover is how long the checkout's customers wait for the second provider.
const failover = 6 * time.Second

// levels are those of examples/demo/shop.yaml.
var levels = []level{
	{name: "storefront/availability", perSecond: 1, faults: of(demo.Storefront, demo.Down)},
	{name: "storefront/response-time", perSecond: 1, faults: of(demo.Storefront, demo.Down, demo.Slow)},
	{name: "payments/errors", perSecond: demo.PaymentsPerSecond, faults: of(demo.Payments, demo.Failing)},
	{name: "payments/latency", perSecond: demo.PaymentsPerSecond, faults: of(demo.Payments, demo.Slow)},
	{name: "orders/accepting", perSecond: 1, faults: of(demo.Orders, demo.Closed)},
	{name: "psp-a/availability", perSecond: 1, faults: of(demo.ProviderA, demo.Down)},
	{name: "psp-b/availability", perSecond: 1, faults: of(demo.ProviderB, demo.Down)},
	{name: "checkout/paying", perSecond: 1, faults: (*Past).nobodyCanPay, causes: (*Past).whoseFault},
}

// levelOf is a level of an agreement that New has checked.
func levelOf(l *sla.ServiceLevel) level {
	return levels[slices.IndexFunc(levels, func(of level) bool { return of.name == name(l) })]
}

// of returns the incidents of a service as faults; they do not overlap.
func of(service string, effects ...demo.Effect) func(*Past) []fault {
	return func(p *Past) []fault {
		var all []fault
		for _, i := range p.incidents {
			if i.Service == service && slices.Contains(effects, i.Effect) {
				all = append(all, fault{sla.Span{From: i.From, To: i.To}, i.Share})
			}
		}
		return all
	}
}

// spans returns the times of faults, whatever their share.
func spans(faults []fault) sla.Spans {
	var all []sla.Span
	for _, f := range faults {
		all = append(all, f.Span)
	}
	return sla.Union(all...)
}

func totally(s sla.Spans) []fault {
	var all []fault
	for _, span := range s {
		all = append(all, fault{span, 1})
	}
	return all
}

// outages are the outages of the checkout's parts: the storefront, both providers
// together, and the first provider's failover.
func (p *Past) outages() (storefront, both, waiting sla.Spans) {
	storefront = spans(of(demo.Storefront, demo.Down)(p))
	a, b := spans(of(demo.ProviderA, demo.Down)(p)), spans(of(demo.ProviderB, demo.Down)(p))
	both = a.Without(a.Without(b)).Without(storefront)
	for _, span := range a {
		waiting = append(waiting, sla.Span{From: span.From, To: span.From.Add(failover)})
	}
	return storefront, both, waiting.Without(both).Without(storefront)
}

func (p *Past) nobodyCanPay() []fault {
	storefront, both, waiting := p.outages()
	return totally(sla.Union(slices.Concat(storefront, both, waiting)...))
}

func (p *Past) whoseFault() map[cause][]fault {
	storefront, both, waiting := p.outages()
	var half []fault // the blame of each of two that are down
	for _, f := range totally(both) {
		half = append(half, fault{f.Span, 0.5})
	}
	return map[cause][]fault{
		{"storefront/availability", "alone"}:  totally(storefront),
		{"psp-a/availability", "alone"}:       totally(waiting),
		{"psp-a/availability", "with_others"}: half,
		{"psp-b/availability", "with_others"}: half,
	}
}

// seconds is how much of faults is in [from, to), weighted by their shares.
func seconds(faults []fault, from, to time.Time) float64 {
	sum := 0.0
	for _, f := range faults {
		sum += f.share * (sla.Spans{f.Span}).Within(from, to).Total().Seconds()
	}
	return sum
}

// within returns the parts of faults in spans.
func within(faults []fault, in sla.Spans) []fault {
	var all []fault
	for _, f := range faults {
		for _, s := range in.Within(f.From, f.To) {
			all = append(all, fault{s, f.share})
		}
	}
	return all
}
