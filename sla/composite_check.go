package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SharesEvents returns whether a slot of the level has a share of bad events, so that
// DownAbove decides whether the level is down. Other levels have a rule of their own
// that decides.
func (l *ServiceLevel) SharesEvents() bool {
	return !l.Aggregation.Judges() && !traitsOf(l.Indicator).whole
}

// CheckComposite warns of doubtful composites: a target that the components' targets
// cannot reach, other periods than theirs, members that count twice. The composite must
// be resolved. It returns nil for a level of another kind.
func (l *ServiceLevel) CheckComposite() Findings {
	c, ok := l.Indicator.(*Composite)
	if !ok {
		return nil
	}
	var findings Findings
	warn := func(pos Position, rule, remedy, message string, args ...any) {
		findings = append(findings, Finding{Severity: Warning, Rule: rule, Pos: pos, Message: fmt.Sprintf(message, args...), Remedy: remedy})
	}
	l.checkPrediction(c, warn)
	l.checkPeriods(c, warn)
	l.checkExclusions(c, warn)
	c.checkDuplicates(l, warn)
	c.checkShared(warn)
	c.checkEndToEnd(l, warn)
	return findings
}

type warning func(pos Position, rule, remedy, message string, args ...any)

// checkPrediction finds a target that the components' targets cannot reach.
func (l *ServiceLevel) checkPrediction(c *Composite, warn warning) {
	p, err := c.Predict()
	if err != nil {
		warn(l.Pos, "composite-target", "put what is shared into composites of its own", "nobody can say whether the target of %q can be met: %v", l.ID.SLO, err)
		return
	}
	if l.Target.Sign() == 0 || p.Independent.Cmp(l.TargetRatio()) >= 0 {
		return
	}
	weakest := p.Weakest()
	remedy := fmt.Sprintf("promise at most %s %%", Percent(p.Independent))
	if needs, ok := weakest.Needs(l.TargetRatio()); ok {
		remedy += fmt.Sprintf(", or have %s promise %s %% instead of %s %%", weakest.Label, PercentUp(needs), Percent(weakest.Promised))
	} else {
		remedy += fmt.Sprintf("; %s costs most, and it alone cannot make up for it", weakest.Label)
	}
	warn(l.TargetPos, "composite-target", remedy, "the target %s %% of %q is more than the %s %% that its components' targets give if they fail independently (between %s and %s %% otherwise)",
		l.Target, l.ID.SLO, Percent(p.Independent), Percent(p.Low), Percent(p.High))
}

// checkPeriods finds components with other periods.
func (l *ServiceLevel) checkPeriods(c *Composite, warn warning) {
	var others []string
	for _, x := range c.Component {
		if !slices.ContainsFunc(x.Level.Periods(), func(p Period) bool { return p == l.Period }) {
			others = append(others, fmt.Sprintf("%s over %s", x.Label, x.Level.Period.Words()))
		}
	}
	if len(others) > 0 {
		warn(l.PeriodPos, "composite-period", "judge them over the same period: a level may have several",
			"%q is judged over %s and components of it over others, so their figures do not explain its own: %s", l.ID.SLO, l.Period.Words(), strings.Join(others, ", "))
	}
}

// checkExclusions finds components with service hours, maintenance or exclusions that
// the composite does not have, so that they promise nothing at times when the composite
// does.
func (l *ServiceLevel) checkExclusions(c *Composite, warn warning) {
	from, to := AgreedTable(time.Now())
	own := l.promised(from, to)
	for _, x := range c.Component {
		var why []string
		if left := own.Without(x.Level.promised(from, to)); len(left) > 0 {
			share := NewDecimal(int64(left.Total()), int64(own.Total()))
			why = append(why, fmt.Sprintf("in %s %% of the time that counts for %q", PercentUp(share), l.ID.SLO))
		}
		for _, e := range x.Level.Exclusions {
			if e.OnCondition() && !slices.Contains(l.Exclusions, e) {
				why = append(why, "while "+e.Name)
			}
		}
		if len(why) > 0 {
			warn(l.Pos, "composite-exclusions", "agree on the same hours and exclusions, or promise less: what is excused there is not excused here",
				"%s is excused by its own contract %s, and %q is not", x.Label, strings.Join(why, ", and "), l.ID.SLO)
		}
	}
}

// promised is the time in which failures count, as far as it is known in advance.
func (l *ServiceLevel) promised(from, to time.Time) Spans {
	left := l.Agreed(from, to)
	for _, e := range l.Exclusions {
		if !e.Removes() {
			left = left.Without(e.Spans(from, to))
		}
	}
	return left
}

// checkDuplicates finds members that occur twice, probably by mistake.
func (c *Composite) checkDuplicates(l *ServiceLevel, warn warning) {
	c.Root.Walk(func(n *Node) {
		seen := map[*ServiceLevel]bool{}
		for _, m := range n.Members {
			if !m.Leaf() {
				continue
			}
			if seen[m.Level] {
				remedy := "keep one of them"
				if n.Least() < len(n.Members) {
					remedy += ": the same thing twice is no redundancy"
				}
				warn(m.Pos, "composite-double", remedy, "%s is twice a member of the same part of %q", labelIn(l.ID.SLA, m.Of), l.ID.SLO)
			}
			seen[m.Level] = true
		}
	})
	for _, x := range c.Component {
		if x.Leaves < 2 {
			continue
		}
		direct, within := false, ""
		for i, leaf := range c.Root.Leaves() {
			if leaf.Level == x.Level {
				direct = true
			} else if inner, ok := leaf.Level.Indicator.(*Composite); ok && inner.contains(x.Level) {
				within = c.Root.Leaves()[i].Of.String()
			}
		}
		if direct && within != "" {
			warn(l.Pos, "composite-double", "leave it out if the part that is a composite is enough",
				"%s is a member of %q, and also of its member %s; it is counted once", x.Label, l.ID.SLO, within)
		}
	}
}

// contains returns whether a level is a leaf of the composite, or of a composite in it.
func (c *Composite) contains(level *ServiceLevel) bool {
	return slices.ContainsFunc(c.Root.Leaves(), func(n *Node) bool {
		inner, ok := n.Level.Indicator.(*Composite)
		return n.Level == level || ok && inner.contains(level)
	})
}

// checkShared finds components that promise more than what they depend on.
func (c *Composite) checkShared(warn warning) {
	for _, d := range c.Shared {
		ratio := d.Availability.Quo(hundred)
		for i, id := range d.Affects {
			for _, x := range c.Component {
				if x.Level.ID == id && x.Level != d.Level && x.Level.TargetRatio().Cmp(ratio) > 0 {
					warn(d.AffectsPos[i], "composite-shared", "correct one of the two targets",
						"%s promises %s %% and depends on %s, which promises %s %%", x.Label, x.Level.Target, d.Name, d.Availability)
				}
			}
		}
	}
}

// checkEndToEnd finds an end-to-end level that is a component. It measures only a part,
// so it would hardly ever differ from the composite.
func (c *Composite) checkEndToEnd(l *ServiceLevel, warn warning) {
	if c.EndToEnd != nil && c.contains(c.EndToEnd.Level) {
		warn(c.EndToEnd.Pos, "composite-end-to-end", "name a level that measures the whole, like a probe of the journey",
			"%s is a component of %q, so it measures a part and not the whole", labelIn(l.ID.SLA, c.EndToEnd.Of), l.ID.SLO)
	}
}

// percentPlaces are enough for five nines.
const percentPlaces = 4

// Percent is a ratio in per cent for people. It is cut off and not rounded, so that a
// value below a target never looks like the target.
func Percent(ratio Decimal) string { return trimmed(ratio, false) }

// PercentUp is Percent rounded up, for targets that must be reached.
func PercentUp(ratio Decimal) string { return trimmed(ratio, true) }

// EmptySlotIsGood returns whether a component is good in a slot without events. The
// level's aggregation decides; without slots it is good if users' requests are counted,
// and unknown for probes and states.
func (l *ServiceLevel) EmptySlotIsGood() bool {
	if l.Slots.Width > 0 {
		return !l.Slots.EmptyUnknown
	}
	return traitsOf(l.Indicator).emptyIsGood
}
