package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

func decodeComposite(v value) (sla.Indicator, bool) {
	o := v.object(compositeSection)
	if o == nil {
		return nil, false
	}
	c := &sla.Composite{Unknown: sla.UnknownExcluded, Alerts: sla.AlertsLinked}
	root, ok := decodeOperator(o, o.value)
	c.Root = root
	if unknown, _, given := read(o, "unknown", word(sla.UnknownPolicies...)); given {
		c.Unknown = unknown
	}
	if alerts, _, given := read(o, "componentAlerts", word(sla.AllComponentAlerts...)); given {
		c.Alerts = alerts
	}
	if at, given := o.get("endToEnd"); given {
		if c.EndToEnd = decodeEndToEnd(at); c.EndToEnd == nil {
			ok = false
		}
	}
	items, _, _ := read(o, "sharedDependencies", value.list)
	for _, item := range items {
		item.name = "a shared dependency"
		if d, good := decodeShared(item); good {
			c.Shared = append(c.Shared, d)
		} else {
			ok = false
		}
	}
	if _, given := o.get("sharedDependencies"); given && len(items) == 0 {
		ok = false
	}
	return c, ok
}

// decodeMember reads a reference to a level, short or as a mapping, or an operator with
// members.
func decodeMember(v value) (*sla.Node, bool) {
	if v.node.Kind != yamlMapping {
		of, ok := parseReference(v)
		return &sla.Node{Op: sla.OpLevel, Of: of, Pos: v.pos()}, ok
	}
	o := v.object(memberSection)
	if o == nil {
		return nil, false
	}
	of, at, ok := read(o, "level", parseReference)
	if !ok {
		return decodeOperator(o, v)
	}
	n := &sla.Node{Op: sla.OpLevel, Of: of, Pos: at.pos()}
	n.DownAbove, ok = decodeDownAbove(o)
	return n, decodeFailover(o, n) && ok
}

// decodeOperator reads the operator of a member or of the composite itself.
func decodeOperator(o *object, v value) (*sla.Node, bool) {
	for _, k := range operatorKinds {
		at, given := o.get(k.key)
		if !given {
			continue
		}
		n := &sla.Node{Pos: v.d.pos(at.key)}
		ok := k.decode(at, n)
		if o.section.field("downAbove") != nil {
			if down, given := o.get("downAbove"); given {
				v.d.errorAt(down.key, "conflicting-keys", `"downAbove" belongs to a level`, "write it beside level")
				ok = false
			}
		}
		return n, decodeFailover(o, n) && ok
	}
	return nil, false
}

// decodeFailover reads failover and failovers, which are allowed beside any.
func decodeFailover(o *object, n *sla.Node) bool {
	duration, _, given := read(o, "failover", value.durationOrZero)
	expected, expectedAt, counted := read(o, "failovers", value.decimal)
	at, asked := o.get("failover")
	count, askedCount := o.get("failovers")
	switch {
	case !asked && !askedCount:
		return true
	case n.Op != sla.OpAny:
		if !asked {
			at = count
		}
		o.d.errorAt(at.key, "conflicting-keys", quote(at.name)+" belongs to any, whose members are used one after the other", "leave it out, or use any")
		return false
	case !asked:
		o.d.errorAt(count.key, "missing-key", `"failovers" needs "failover": how long one takes`, "add failover: 60s")
		return false
	case !given || askedCount && !counted:
		return false
	case counted && expected.Sign() <= 0:
		expectedAt.error("bad-decimal", expectedAt.quoted()+" is not above 0", `write e.g. "4", or leave it out`)
		return false
	case duration > maxFailover:
		at.error("bad-duration", at.quoted()+" is longer than "+sla.FormatDuration(maxFailover), "what takes so long is an outage of its own: measure it")
		return false
	}
	if !counted {
		expected = sla.DefaultFailovers
	}
	n.Failover = sla.Failover{Time: duration, Expected: expected}
	return true
}

const maxFailover = time.Hour

func decodeDownAbove(o *object) (sla.Decimal, bool) {
	at, given := o.get("downAbove")
	if !given {
		return sla.Decimal{}, true
	}
	d, ok := at.decimal()
	if ok && (d.Sign() <= 0 || d.Cmp(sla.NewDecimal(100, 1)) >= 0) {
		at.error("bad-threshold", at.quoted()+" is not between 0 and 100 per cent", `write e.g. "20"`)
		return d, false
	}
	return d, ok
}

func decodeMembers(op sla.Operator) func(value, *sla.Node) bool {
	return func(v value, n *sla.Node) bool {
		n.Op = op
		items, ok := v.list()
		for _, item := range items {
			item.name = "a member of " + v.name
			m, good := decodeMember(item)
			n.Members, ok = append(n.Members, m), ok && good
		}
		return ok
	}
}

func decodeAtLeast(v value, n *sla.Node) bool {
	o := v.object(atLeastSection)
	if o == nil {
		return false
	}
	k, at, kOK := read(o, "k", value.count)
	of, given := o.get("of")
	ok := given && decodeMembers(sla.OpAtLeast)(of, n)
	if n.Op, n.K = sla.OpAtLeast, k.number; kOK && ok && (n.K < 1 || n.K > len(n.Members)) {
		at.error("bad-count", fmt.Sprintf("%s is not from 1 to the %d members", at.quoted(), len(n.Members)), fmt.Sprintf("write a number from 1 to %d, or add members", len(n.Members)))
		return false
	}
	return ok && kOK
}

func decodeWeighted(v value, n *sla.Node) bool {
	n.Op = sla.OpWeighted
	o := v.object(weightedSection)
	if o == nil {
		return false
	}
	normalize, _, _ := read(o, "normalize", value.boolean)
	items, at, ok := read(o, "of", value.list)
	var sum sla.Decimal
	for _, item := range items {
		item.name = "a weighted member"
		m, weight, good := decodeWeightedMember(item)
		n.Members, n.Weights, ok = append(n.Members, m), append(n.Weights, weight), ok && good
		sum = sum.Add(weight)
	}
	one := sla.NewDecimal(1, 1)
	switch {
	case !ok:
		return false
	case normalize:
		for i, w := range n.Weights {
			n.Weights[i] = w.Quo(sum)
		}
		return true
	case sum.Cmp(one) == 0:
		return true
	}
	message, remedy := fmt.Sprintf("the weights sum to %s, and not to 1", sum), `correct them, or write normalize: true, which makes them parts of their sum`
	if slices.ContainsFunc(n.Weights, func(w sla.Decimal) bool { return w.Cmp(one) > 0 }) && slices.ContainsFunc(n.Weights, func(w sla.Decimal) bool { return w.Cmp(one) < 0 }) {
		message += ": some look like per cent and some like shares"
		remedy = `write all of them as shares, "0.5" for a half`
	}
	o.d.errorAt(at.key, "bad-weights", message, remedy)
	return false
}

func decodeWeightedMember(v value) (*sla.Node, sla.Decimal, bool) {
	o := v.object(weightedMemberSection)
	if o == nil {
		return nil, sla.Decimal{}, false
	}
	weight, at, ok := read(o, "weight", value.decimal)
	if ok && weight.Sign() <= 0 {
		at.error("bad-weights", at.quoted()+" is not above 0", "leave out what weighs nothing")
		ok = false
	}
	m, _, good := read(o, "needs", decodeMember)
	if good {
		m.Name, _, _ = read(o, "name", value.text)
	}
	return m, weight, ok && good
}

func decodeSteps(v value, n *sla.Node) bool {
	n.Op = sla.OpJourney
	items, ok := v.list()
	for _, item := range items {
		item.name = "a step"
		o := item.object(compositeStepSection)
		if o == nil {
			return false
		}
		m, _, good := read(o, "needs", decodeMember)
		name, at, named := read(o, "step", value.text)
		if named && slices.ContainsFunc(n.Members, func(other *sla.Node) bool { return other != nil && other.Name == name }) {
			at.error("duplicate-step", "the step "+quote(name)+" comes twice", "give one of them another name: it is what pages and alerts call the step")
			named = false
		}
		if good {
			m.Name = name
		}
		n.Members, ok = append(n.Members, m), ok && good && named
	}
	return ok
}

func decodeShared(v value) (d sla.SharedDependency, ok bool) {
	o := v.object(sharedSection)
	if o == nil {
		return d, false
	}
	d.Pos = v.pos()
	name, _, named := read(o, "name", value.text)
	d.Name = name
	var promised bool
	if of, at, good := read(o, "level", parseReference); good {
		d.Of, d.Pos, promised = of, at.pos(), true
	} else if availability, _, good := read(o, "availability", value.percent); good {
		d.Availability, promised = availability, true
	}
	items, _, listed := read(o, "affects", value.list)
	for _, item := range items {
		of, good := parseReference(item)
		d.Affects, d.AffectsPos, listed = append(d.Affects, of), append(d.AffectsPos, item.pos()), listed && good
	}
	return d, named && promised && listed
}

func decodeEndToEnd(v value) *sla.EndToEnd {
	e := &sla.EndToEnd{
		Above: sla.DefaultDivergenceAbove, Over: sla.DefaultDivergenceOver, DownAbove: sla.DefaultDownAbove,
		Notice: &sla.Notice{Severity: "ticket"}, Pos: v.pos(),
	}
	if v.node.Kind != yamlMapping {
		of, ok := parseReference(v)
		if e.Of = of; !ok {
			return nil
		}
		return e
	}
	o := v.object(endToEndSection)
	if o == nil {
		return nil
	}
	of, at, ok := read(o, "level", parseReference)
	if !ok {
		return nil
	}
	e.Of, e.Pos = of, at.pos()
	down, good := decodeDownAbove(o)
	if down.Sign() > 0 {
		e.DownAbove = down
	}
	if above, at, given := read(o, "above", value.decimal); given {
		if e.Above = above; above.Sign() <= 0 || above.Cmp(sla.NewDecimal(100, 1)) >= 0 {
			at.error("bad-threshold", at.quoted()+" is not between 0 and 100 percentage points", `write e.g. "5"`)
			good = false
		}
	}
	if over, at, given := read(o, "over", value.duration); given {
		if e.Over = over; over%time.Minute != 0 || over < 10*time.Minute || over > 6*time.Hour {
			at.error("bad-window", at.quoted()+" is not a whole number of minutes from 10m to 6h", "write e.g. 1h")
			good = false
		}
	}
	setIfGiven(&e.Notice.Severity, optional(o, "severity", parsePlainText))
	setIfGiven(&e.Notice.For, optional(o, "for", value.durationOrZero))
	e.Notice.Labels, _, _ = read(o, "labels", parseLabels)
	if enabled := optional(o, "enabled", value.boolean); enabled != nil && !*enabled {
		e.Notice = nil
	}
	if !good {
		return nil
	}
	return e
}
