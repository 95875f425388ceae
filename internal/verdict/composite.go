package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Composites are combined as docs/composites.md says, but at every moment instead of
// every minute: first the measured states of the components, then the composite's own
// agreement decides which time counts.

// componentState is what is known of a component: down (1) or not (0).
func (in Input) componentState(x *sla.Component, from, to time.Time, zone *time.Location) track {
	e, _ := in.evidenceOf(x.Level.ID, from, to)
	if len(e.Groups) == 0 {
		return nil
	}
	l, places := x.Level, e.Groups[0].Places
	downAbove := x.DownAbove
	if !l.SharesEvents() {
		downAbove = sla.Decimal{}
	}
	if l.Aggregation.Counts() == sla.CountsSeconds {
		var t track
		for _, p := range meanOf(places) {
			if down := abovePercent(downAbove, one, p.bad); down {
				p.bad = one
			} else {
				p.bad = sla.Decimal{}
			}
			t = t.add(p)
		}
		return t
	}
	r, slots := ruleOf(l.Aggregation), sla.CountedSlots(l)
	slots.Width, slots.EmptyUnknown = time.Minute, !l.EmptySlotIsGood()
	if r.down == nil {
		r.down = func(_ sla.Slots, total, bad sla.Decimal) bool { return abovePercent(downAbove, total, bad) }
	}
	if slots.Quorum > 0 {
		return judgedByQuorum(places, r, slots, zone)
	}
	return judgedOver(places, r, slots, minutesOf(l))
}

// minutesOf returns over how many minutes a component is judged, as in the rules: one,
// or for rare probes as many as surely contain one.
func minutesOf(l *sla.ServiceLevel) int {
	const scrapes = 30 * time.Second
	_, probe, _ := l.Probed()
	if probe == nil || probe.Interval+scrapes <= time.Minute {
		return 1
	}
	return int((probe.Interval + scrapes + time.Minute - 1) / time.Minute)
}

// judgedOver judges each minute by what was counted in it and in the minutes before it,
// as many as minutes in all.
func judgedOver(places []Place, r rule, slots sla.Slots, minutes int) track {
	all := countedAt(places)
	from, to, ok := extent(all)
	if !ok {
		return nil
	}
	cells := cellsOf(from, to, slots.Width, time.UTC)
	for _, p := range all {
		count(cells, p)
	}
	var t track
	for i, c := range cells {
		for _, before := range cells[max(0, i-minutes+1):i] {
			c.is = max(c.is, before.is)
			c.total.addSum(before.total)
			c.bad.addSum(before.bad)
		}
		t = t.add(r.judge(c, slots))
	}
	return t
}

// measureComposite fills the ledger of a composite.
func (b *ledger) measureComposite(in Input, c *sla.Composite, weights []Weight) {
	components := make([]track, len(c.Component))
	first, last := b.from.Add(-around).UnixNano(), b.to.Add(around).UnixNano()
	for i, x := range c.Component {
		components[i] = in.componentState(x, b.from, b.to, b.zone).over(first, last)
	}
	whole, blames := newTree(c).combine(components, first, last)
	b.blames = blames
	b.measure(in, trimmed(whole), nil, weights)
}

// trimmed leaves out what is unseen at both ends.
func trimmed(t track) track {
	for len(t) > 0 && t[0].is == unseen {
		t = t[1:]
	}
	for len(t) > 0 && t[len(t)-1].is == unseen {
		t = t[:len(t)-1]
	}
	return t
}

// tree evaluates a composite moment by moment.
type tree struct {
	*sla.Composite
	assumptions []assumption
	component   map[*sla.Component]int // index
	bad         map[*sla.Node][]sla.Decimal
	since       map[*sla.Node][]turns // of nodes that take time to fail over, by number of first members, less 1
}

// turns says, for each of the first two assumptions, since when the first members of a
// node have all been bad without a break; never, if they are not.
type turns [2]int64

const never = -1 << 63

// assumption is a world in which the tree is evaluated: what unknown components count
// as, and which component is assumed to be good.
type assumption struct {
	unknown sla.Decimal
	works   *sla.Component
	other   int // the assumption that says how long something has been bad
}

// The first two assumptions. What they agree on is known (Kleene).
const (
	unknownGood = iota
	unknownBad
)

func newTree(c *sla.Composite) *tree {
	t := &tree{
		Composite: c, component: map[*sla.Component]int{}, bad: map[*sla.Node][]sla.Decimal{}, since: map[*sla.Node][]turns{},
		assumptions: []assumption{{other: unknownBad}, {unknown: one, other: unknownGood}},
	}
	decided := t.assumptions[t.decided()]
	for i, x := range c.Component {
		t.component[x] = i
		// A component that stands at several places of the tree may have caused the
		// outage by all of them together, which evaluating one place cannot show.
		if x.Leaves > 1 && c.Tree.FailsAlone(x) {
			t.assumptions = append(t.assumptions, assumption{unknown: decided.unknown, works: x, other: decided.other})
		}
	}
	c.Tree.Walk(func(n *sla.Node) {
		t.bad[n] = make([]sla.Decimal, len(t.assumptions))
		if failsOver(n) {
			t.since[n] = make([]turns, len(n.Members))
			for i := range t.since[n] {
				t.since[n][i] = turns{never, never}
			}
		}
	})
	return t
}

// decided is the assumption by the policy of the composite.
func (t *tree) decided() int {
	if t.Unknown == sla.UnknownBad {
		return unknownBad
	}
	return unknownGood
}

func failsOver(n *sla.Node) bool { return n.Failover.Time > 0 && len(n.Members) > 1 }

// combine returns the state of the whole in [from, to), which all components must
// cover, and who is to blame for its bad time.
func (t *tree) combine(components []track, from, to int64) (track, []blameSpan) {
	next := make([]int, len(components))
	now := make([]part, len(components))
	var whole track
	var blames []blameSpan
	for at := from; at < to; {
		until := to
		for i, c := range components {
			if c[next[i]].to <= at {
				next[i]++
			}
			now[i] = c[next[i]]
			until = min(until, now[i].to)
		}
		t.evaluate(t.Tree, sla.UnknownExcluded, now, at)
		until = t.nextTurn(at, until)
		p := t.slot(now)
		p.from, p.to = at, until
		whole = whole.add(p)
		if isBad(p) {
			blames = append(blames, blameSpan{at, until, p.bad, t.blame(p.bad)})
		}
		at = until
	}
	return whole, blames
}

// slot is the state of the whole by its policy. Only the known share of the weights
// counts if the policy excludes unknown time, or if the server did not see a component.
func (t *tree) slot(now []part) part {
	good, bad := t.bad[t.Tree][unknownGood], t.bad[t.Tree][unknownBad]
	allSeen := !slices.ContainsFunc(now, func(p part) bool { return p.is == unseen })
	if t.Unknown != sla.UnknownExcluded && allSeen {
		return part{is: known, bad: t.bad[t.Tree][t.decided()]}
	}
	part := part{is: unseen}
	if allSeen {
		part.is = missing
	}
	if share := one.Sub(bad.Sub(good)); share.Sign() > 0 {
		part.is, part.bad = known, good.Quo(share)
	}
	return part
}

// evaluate finds the badness of a node and of all below it, under each assumption.
func (t *tree) evaluate(n *sla.Node, policy sla.UnknownPolicy, now []part, at int64) {
	if n.Unknown == sla.UnknownGood || n.Unknown == sla.UnknownBad {
		policy = n.Unknown
	}
	for _, m := range n.Members {
		t.evaluate(m, policy, now, at)
	}
	if failsOver(n) {
		t.turn(n, at)
	}
	for a := range t.assumptions {
		switch {
		case n.Leaf():
			t.bad[n][a] = t.leaf(n, a, policy, now[t.component[n.Component]])
		case failsOver(n):
			t.bad[n][a] = t.failover(n, a, at)
		default:
			t.bad[n][a] = operatorOf(n).combine(n, t.membersAt(n, a))
		}
	}
}

func (t *tree) membersAt(n *sla.Node, a int) []sla.Decimal {
	all := make([]sla.Decimal, len(n.Members))
	for i, m := range n.Members {
		all[i] = t.bad[m][a]
	}
	return all
}

// leaf is the state of a component if it is known. If it is missing the policy decides,
// and else the assumption.
func (t *tree) leaf(n *sla.Node, a int, policy sla.UnknownPolicy, p part) sla.Decimal {
	switch {
	case t.assumptions[a].works == n.Component:
		return sla.Decimal{}
	case p.is == known:
		return p.bad
	case p.is == missing && policy == sla.UnknownBad:
		return one
	case p.is == missing && policy == sla.UnknownGood:
		return sla.Decimal{}
	}
	return t.assumptions[a].unknown
}

// firstBad is how bad the first members of a node are all at once.
func (t *tree) firstBad(n *sla.Node, members, a int) sla.Decimal {
	return slices.MinFunc(t.membersAt(n, a)[:members], sla.Decimal.Cmp)
}

// turn notes since when the first members of a node have all been bad.
func (t *tree) turn(n *sla.Node, at int64) {
	for i := range t.since[n] {
		for a := range t.since[n][i] {
			if since := &t.since[n][i][a]; t.firstBad(n, i+1, a).Sign() == 0 {
				*since = never
			} else if *since == never {
				*since = at
			}
		}
	}
}

// failover is the badness of an any that takes time to fail over. While the first
// members are bad the next one serves, but only after the time that switching takes,
// counted from when all of them turned bad.
func (t *tree) failover(n *sla.Node, a int, at int64) sla.Decimal {
	worst := t.firstBad(n, len(n.Members), a)
	for i := 1; i < len(n.Members); i++ {
		since := t.since[n][i-1][t.assumptions[a].other]
		if switched := since != never && at-since >= int64(n.Failover.Time); switched {
			continue
		}
		if first := t.firstBad(n, i, a); first.Cmp(worst) > 0 {
			worst = first
		}
	}
	return worst
}

// nextTurn returns when the next node has failed over, or until if that is earlier.
func (t *tree) nextTurn(at, until int64) int64 {
	for n, all := range t.since {
		for _, turn := range all {
			for _, since := range turn {
				if end := since + int64(n.Failover.Time); since != never && end > at {
					until = min(until, end)
				}
			}
		}
	}
	return until
}
