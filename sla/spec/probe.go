package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// probeKind is everything the reader knows about one kind of probe. It is declared in
// the file of the kind, with its options, defaults and checks.
type probeKind struct {
	key     string // its value says what is probed
	section *section
	decode  func(*object) sla.Check // returns nil after an error
	// placeholder is read in place of a pattern that is sla.TargetVariable alone;
	// "" if the kind has no targets.
	placeholder string
	// usualPort is suggested where an address has no port; "" if the key does not
	// hold host:port.
	usualPort string
	// connectionless kinds send packets to one address of a name.
	connectionless bool
}

// probeKinds are the kinds of probe, in the order of the reference.
var probeKinds = []*probeKind{
	&httpKind,
	&tcpKind,
	&dnsKind,
	&grpcKind,
	&icmpKind,
	&tlsKind,
	&udpKind,
	&unixKind,
	&webSocketKind,
	&journeyKind,
}

// The limits of a probe's interval. At least four probes must fall into every base
// window, so that one late probe does not leave it nearly empty.
const (
	defaultInterval = 15 * time.Second
	minInterval     = 100 * time.Millisecond
	maxInterval     = sla.BaseWindow / 4
	defaultTimeout  = 5 * time.Second
)

// probeFields are the options that every kind of probe has.
func probeFields() []field {
	return []field{
		{key: "interval", typ: durationType, def: "15s", example: "15s", doc: "Time between the starts of two probes, from `100ms` to `1m15s` (four probes in every five minutes)."},
		{key: "timeout", typ: durationType, def: "5s, or `interval` if that is shorter", example: "5s", doc: "How long a probe may take before it is bad. At most `interval`."},
		{key: "recheckInterval", typ: durationType, example: "3s", doc: "After a probe that was not good, the target is probed again at this interval, until it is good or the next probe is scheduled. Below `interval`. These rechecks are in no ratio; they narrow down how long the target was down."},
		{key: "maxDuration", typ: durationType, example: "800ms", doc: "A good probe that takes longer is bad, for the reason `slow`. Below `timeout`."},
	}
}

func probeSections() []*section {
	var s []*section
	for _, k := range probeKinds {
		s = append(s, k.section)
	}
	return s
}

func decodeProbe(v value) (sla.Indicator, bool) {
	if v.node.Kind == yamlScalar && v.node.ShortTag() == "!!str" {
		return decodeSharedProbe(v)
	}
	kind := probeKindOf(v)
	if kind == nil {
		return nil, false
	}
	o := v.object(kind.section)
	if o == nil {
		return nil, false
	}
	o.kind = kind
	discovery := decodeDiscovery(o)
	before := len(v.d.findings)
	p := &sla.Probe{Check: kind.decode(o), Discovery: discovery, Interval: defaultInterval}
	v.d.restoreVariable(before)
	if many, ok := p.Check.(sla.Addressed); ok && discovery != nil {
		p.Check = many.WithTarget(discovery.Pattern)
		checkStaticTargets(o, p)
	}
	interval, at, intervalOK := read(o, "interval", value.duration)
	if _, given := o.get("interval"); !given {
		interval, intervalOK = defaultInterval, true
	}
	if intervalOK {
		p.Interval = interval
		switch {
		case interval < minInterval:
			at.error("bad-interval", at.quoted()+" is below 100ms", "15s is enough for targets up to 99.9 over 30 days")
		case interval > maxInterval:
			at.error("bad-interval", fmt.Sprintf("%s is above %s: fewer than four probes would fall into the five minutes that rules look at",
				at.quoted(), sla.FormatDuration(maxInterval)), "probe at least every "+sla.FormatDuration(maxInterval)+", e.g. every 15s or 1m")
		}
	}
	p.Timeout = min(defaultTimeout, p.Interval)
	if timeout, at, ok := read(o, "timeout", value.duration); ok {
		p.Timeout = timeout
		if timeout > p.Interval && intervalOK {
			at.error("bad-timeout", fmt.Sprintf("%s is longer than the interval of %s: the next probe would be due before this one ends",
				at.quoted(), sla.FormatDuration(p.Interval)), "make it at most the interval, or leave it out")
		}
	}
	p.MaxDuration = decodeMaxDuration(o, p.Timeout)
	p.Network = decodeNetwork(o)
	decodeEachAddress(o, p)
	checkSharedLabels(o, p)
	p.Recheck = decodeRecheck(o, p.Interval)
	v.d.probeDefaults[p] = o.filledIn("indicator.probe.", map[string]string{
		"interval": sla.FormatDuration(p.Interval), "timeout": sla.FormatDuration(p.Timeout),
	})
	return p, p.Check != nil
}

// decodeSharedProbe reads a reference to the level that defines the probe.
func decodeSharedProbe(v value) (sla.Indicator, bool) {
	if strings.Contains(v.node.Value, "://") {
		v.error("bad-reference", v.quoted()+" does not name a service level", `to probe a URL, write probe: {http: "…"}`)
		return nil, false
	}
	of, ok := parseReference(v)
	return &sla.SharedProbe{Of: of, OfPos: v.pos()}, ok
}

// decodeRecheck reads recheckInterval, which must be below the interval. It returns 0 if
// the key was left out.
func decodeRecheck(o *object, interval time.Duration) time.Duration {
	recheck, at, ok := read(o, "recheckInterval", value.duration)
	if ok && (recheck < minInterval || recheck >= interval) {
		at.error("bad-recheck-interval", fmt.Sprintf("%s is not between 100ms and the interval of %s", at.quoted(), sla.FormatDuration(interval)),
			"make it some seconds, or leave it out: then the next scheduled probe decides")
	}
	return recheck
}

func decodeMaxDuration(o *object, timeout time.Duration) time.Duration {
	most, at, ok := read(o, "maxDuration", value.duration)
	if ok && most >= timeout {
		at.error("bad-timeout", fmt.Sprintf("%s is not below the timeout of %s, which ends a probe first", at.quoted(), sla.FormatDuration(timeout)),
			"make it shorter, or the timeout longer, or leave it out")
	}
	return most
}

// probeKindOf returns the kind whose key the mapping has. It reports a mapping with none
// or several, and returns nil.
func probeKindOf(v value) *probeKind {
	pairs, ok := v.entries()
	if !ok {
		return nil
	}
	var keys []string
	var found *probeKind
	for _, k := range probeKinds {
		keys = append(keys, k.key)
		for _, pair := range pairs {
			if pair.name != k.key || found != nil && found.section.field(k.key) != nil { // tls is an option of tcp too
				continue
			}
			if found != nil {
				v.d.errorAt(pair.key, "conflicting-keys", quote(found.key)+" and "+quote(k.key)+" exclude each other in a probe",
					"keep one of them; two things to probe are two service levels")
				return nil
			}
			found = k
		}
	}
	if found == nil {
		reportNoProbeKind(v, pairs, keys)
	}
	return found
}

func reportNoProbeKind(v value, pairs []value, keys []string) {
	for _, pair := range pairs {
		for _, k := range probeKinds {
			if k.section.field(pair.name) == nil && likelyKey(k.section, pair.name) == k.key {
				v.d.errorAt(pair.key, "unknown-key", "unknown key "+quote(pair.name)+" in a probe", "did you mean "+quote(k.key)+"?")
				return
			}
		}
	}
	for _, pair := range pairs {
		if !slices.ContainsFunc(probeKinds, func(k *probeKind) bool { return likelyKey(k.section, pair.name) != "" }) {
			v.d.errorAt(pair.key, "unknown-key", "unknown key "+quote(pair.name)+" in a probe, which needs "+either(keys),
				"the kinds of probe are "+list(keys))
			return
		}
	}
	v.d.errorAt(v.key, "missing-key", "the probe does not say what is probed: it needs "+either(keys),
		`add http: "https://…" or tcp: "host:port"`)
}

// coarse is the share of a period's budget that one failed probe may cost at most.
// With fewer than twenty probes to a budget, chance decides whether it is kept.
var coarse = sla.NewDecimal(1, 20)

// warnCoarseProbe warns where one failed probe costs a large part of the budget.
func warnCoarseProbe(o *object, l *sla.ServiceLevel) {
	if message, remedy, is := coarseProbe(l); is {
		at, _ := o.get("target")
		at.warn("coarse-probe", at.quoted()+message, remedy)
	}
}

// coarseProbe is what to report if one failed probe costs more than the coarse share
// of the budget.
func coarseProbe(l *sla.ServiceLevel) (message, remedy string, is bool) {
	_, p, _ := l.Probed()
	if _, latency := l.Indicator.(*sla.ProbeLatency); p == nil || latency {
		return "", "", false
	}
	budget := sla.BudgetTime(l.TargetBudget(), l.Period)
	if budget <= 0 || sla.Seconds(p.Interval).Cmp(sla.Seconds(budget).Mul(coarse)) <= 0 {
		return "", "", false
	}
	finest := (budget / 20).Truncate(time.Second)
	if finest < time.Second {
		finest = (budget / 20).Truncate(100 * time.Millisecond)
	}
	remedy = "probe more often, or promise less"
	if finest >= minInterval {
		remedy = "probe at least every " + sla.FormatDuration(finest) + ", or promise less"
	}
	return fmt.Sprintf(" leaves a budget of %s in %s, and one failed probe in %s spends %s %% of it",
		budget.Round(time.Second/10), l.Period, sla.FormatDuration(p.Interval), share(p.Interval, budget)), remedy, true
}

func share(part, whole time.Duration) string {
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 0, 64)
}
