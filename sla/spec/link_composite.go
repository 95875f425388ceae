package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// compositeLink resolves the references of composites.
type compositeLink struct {
	*loader
	broken   map[*sla.Composite]bool // they or a composite in them have errors
	whole    map[*sla.Composite]bool // neither they nor a composite in them has errors
	reported map[string]bool         // cycles that were reported, by their members
	added    int                     // leaves that composites have only through other composites
}

func (l *loader) linkComposites() {
	link := &compositeLink{l, map[*sla.Composite]bool{}, map[*sla.Composite]bool{}, map[string]bool{}, 0}
	each := func(visit func(*document, *sla.ServiceLevel, *sla.Composite)) {
		for _, doc := range l.docs {
			for _, level := range doc.agreement.Levels {
				if c, ok := level.Indicator.(*sla.Composite); ok && c.Root != nil {
					visit(doc, level, c)
				}
			}
		}
	}
	each(func(doc *document, _ *sla.ServiceLevel, c *sla.Composite) { link.resolveReferences(doc, c) })
	each(func(doc *document, level *sla.ServiceLevel, c *sla.Composite) { link.reportCycle(doc, level, c) })
	each(func(doc *document, level *sla.ServiceLevel, c *sla.Composite) {
		if link.isWhole(c) {
			link.resolve(doc, level, c)
		}
	})
}

// resolveReferences finds the levels that a composite names.
func (l *compositeLink) resolveReferences(doc *document, c *sla.Composite) {
	for _, leaf := range c.Root.Leaves() {
		if leaf.Level = l.find(doc, &leaf.Of, leaf.Pos); leaf.Level == nil {
			l.broken[c] = true
			continue
		}
		if leaf.DownAbove.Sign() > 0 && !leaf.Level.SharesEvents() {
			doc.report(sla.Error, leaf.Pos, "composite-down-above", fmt.Sprintf("the level %q is judged by its own rule, so there is no share of events for downAbove", leaf.Of), "leave downAbove out")
			l.broken[c] = true
		}
	}
	if e := c.EndToEnd; e != nil {
		if e.Level = l.find(doc, &e.Of, e.Pos); e.Level == nil {
			l.broken[c] = true
		} else if e.Level.Indicator.Kind() == c.Kind() {
			doc.report(sla.Error, e.Pos, "bad-reference", fmt.Sprintf("the level %q is a composite, which measures nothing end to end", e.Of), "name a level that measures the whole, like a probe of the journey")
			l.broken[c] = true
		}
	}
	for i := range c.Shared {
		d := &c.Shared[i]
		if d.Of != (sla.ID{}) {
			if d.Level = l.find(doc, &d.Of, d.Pos); d.Level == nil {
				l.broken[c] = true
			} else {
				d.Availability = d.Level.Target
			}
		}
		for j := range d.Affects {
			if l.find(doc, &d.Affects[j], d.AffectsPos[j]) == nil {
				l.broken[c] = true
			}
		}
	}
}

// find returns the level that a composite names. It reports a level that cannot be a
// component, and returns nil. It completes a name without an agreement.
func (l *compositeLink) find(doc *document, id *sla.ID, pos sla.Position) *sla.ServiceLevel {
	if id.SLA == "" {
		id.SLA = doc.agreement.Name
	}
	level, exists := l.level(doc, *id)
	switch {
	case !exists:
		doc.report(sla.Error, pos, "dangling-reference", fmt.Sprintf("there is no level %q", *id), l.nearestLevel(doc, *id))
		return nil
	case level.Indicator == nil:
		return nil // reported at its place
	case len(level.GroupBy.Labels) > 0:
		doc.report(sla.Error, pos, "bad-reference", fmt.Sprintf("the level %q has groups, so it has many states and not one", *id),
			"refer to a level without groupBy: one that counts what matters here")
		return nil
	}
	return level
}

// nearestLevel is the remedy for an unknown level: the level that was probably meant.
func (l *compositeLink) nearestLevel(doc *document, id sla.ID) string {
	var candidates, agreements []string
	for _, other := range l.docs {
		agreements = append(agreements, other.agreement.Name)
		for _, level := range other.agreement.Levels {
			candidates = append(candidates, level.ID.String())
		}
	}
	own := doc.agreement.Name + ":"
	if !slices.Contains(agreements, id.SLA) && Nearest(id.SLA, agreements) == "" {
		return fmt.Sprintf("no agreement %q is loaded: name its file too", id.SLA)
	}
	near := Nearest(id.String(), candidates)
	if i := slices.IndexFunc(candidates, func(c string) bool { return strings.HasSuffix(c, ":"+id.Service+"/"+id.SLO) }); i >= 0 {
		near = candidates[i] // of another agreement
	}
	if near != "" {
		return "did you mean " + quote(strings.TrimPrefix(near, own)) + "?"
	}
	for i, c := range candidates {
		candidates[i] = strings.TrimPrefix(c, own)
	}
	return "the levels are " + list(candidates[:min(len(candidates), 8)])
}

// reportCycle reports a composite that contains itself, at the member that leads back to
// it.
func (l *compositeLink) reportCycle(doc *document, level *sla.ServiceLevel, c *sla.Composite) {
	seen := map[*sla.ServiceLevel]bool{}
	var pathTo func(from *sla.Composite) []string
	pathTo = func(from *sla.Composite) []string {
		for _, leaf := range from.Root.Leaves() {
			inner, ok := compositeOf(leaf.Level)
			switch {
			case leaf.Level == level:
				return []string{leaf.Of.String()}
			case !ok || seen[leaf.Level]:
				continue
			}
			seen[leaf.Level] = true
			if rest := pathTo(inner); rest != nil {
				return append([]string{leaf.Of.String()}, rest...)
			}
		}
		return nil
	}
	for _, leaf := range c.Root.Leaves() {
		circle := []string{level.ID.String()}
		if leaf.Level != level {
			inner, ok := compositeOf(leaf.Level)
			if !ok {
				continue
			}
			if circle = pathTo(inner); circle == nil {
				continue
			}
			circle = append([]string{leaf.Of.String()}, circle...)
		}
		l.broken[c] = true
		members := strings.Join(slices.Sorted(slices.Values(circle)), " ")
		if l.reported[members] {
			return // reported for another composite of the cycle
		}
		l.reported[members] = true
		remedy := "take it out"
		if len(circle) > 1 {
			remedy = "take one of them out"
		}
		doc.report(sla.Error, leaf.Pos, "composite-cycle", fmt.Sprintf("the composite %q is a part of itself: %s", level.ID.SLO,
			strings.Join(append([]string{level.ID.String()}, circle...), " → ")), remedy)
		return
	}
}

func compositeOf(level *sla.ServiceLevel) (*sla.Composite, bool) {
	if level == nil {
		return nil, false
	}
	c, ok := level.Indicator.(*sla.Composite)
	return c, ok && c.Root != nil
}

// isWhole returns whether neither a composite nor a composite in it has errors. Each is
// looked at once.
func (l *compositeLink) isWhole(c *sla.Composite) bool {
	if l.broken[c] || l.whole[c] {
		return l.whole[c]
	}
	for _, leaf := range c.Root.Leaves() {
		if leaf.Level.Indicator.Kind() != c.Kind() {
			continue
		}
		if inner, ok := compositeOf(leaf.Level); !ok || !l.isWhole(inner) {
			l.broken[c] = true
			return false
		}
	}
	l.whole[c] = true
	return true
}

// resolve replaces references to composites by their trees, and reports what is wrong or
// doubtful.
func (l *compositeLink) resolve(doc *document, level *sla.ServiceLevel, c *sla.Composite) {
	findings := c.Resolve(level)
	if !findings.HasErrors() && !l.withinSize(doc, level, c) {
		c.Tree = nil
	}
	if c.Tree != nil {
		for _, d := range c.Shared {
			for i, id := range d.Affects {
				if !slices.ContainsFunc(c.Component, func(x *sla.Component) bool { return x.Level.ID == id }) {
					doc.report(sla.Error, d.AffectsPos[i], "bad-reference", fmt.Sprintf("the level %q is no component of the composite %q, so nothing of it fails with %s", id, level.ID.SLO, d.Name),
						"name components, or leave it out")
					c.Tree = nil
				}
			}
		}
	}
	if c.Tree != nil {
		findings = append(findings, level.CheckComposite()...)
		recordPartOf(level, c)
	}
	for _, f := range findings {
		doc.report(f.Severity, f.Pos, f.Rule, f.Message, f.Remedy)
	}
}

// maxAdded limits how many leaves all composites together have through other composites.
// Each leaf has rules of its own, and one line that names a composite could add two
// hundred of them.
const maxAdded = 2_000

// withinSize adds the leaves that a composite has through others. It returns false above
// maxAdded, and reports that once.
func (l *compositeLink) withinSize(doc *document, level *sla.ServiceLevel, c *sla.Composite) bool {
	before := l.added
	l.added += max(0, len(c.Tree.Leaves())-len(c.Root.Leaves()))
	if l.added > maxAdded && before <= maxAdded {
		doc.report(sla.Error, level.Pos, "composite-size",
			fmt.Sprintf("with %q the composites have more than %d leaves that are not written but come from the composites in them", level.ID.SLO, maxAdded),
			"put fewer composites into others, or refer to the levels that matter")
	}
	return l.added <= maxAdded
}

// recordPartOf records in every level that a composite contains, inner composites
// included, that it is a part of the composite.
func recordPartOf(level *sla.ServiceLevel, c *sla.Composite) {
	if c.Alerts == sla.AlertsIndependent {
		return
	}
	burning := func(u sla.Urgency) []string {
		var all []string
		for _, a := range level.BurnAlerts() {
			if a.Pages() == (u == sla.Page) {
				all = append(all, a.Severity)
			}
		}
		return all
	}
	recorded := map[*sla.ServiceLevel]bool{}
	c.Tree.Walk(func(n *sla.Node) {
		if n.Level != nil && !recorded[n.Level] {
			recorded[n.Level] = true
			n.Level.PartOf = append(n.Level.PartOf, sla.PartOf{
				Composite: level.ID, Alerts: c.Alerts,
				Pages: burning(sla.Page), Tickets: burning(sla.Ticket),
			})
		}
	})
}
