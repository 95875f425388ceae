package spec

import "github.com/upheld-sla/upheld/sla"

// splitBroken moves the levels with errors, and the levels that depend on one, from
// Levels to Broken. So code after the reader need not check whether a level has an
// indicator, or whether a reference exists.
func (l *loader) splitBroken() {
	p := wholeLevels{refers: l.refers, whole: map[*sla.ServiceLevel]bool{}}
	for _, doc := range l.docs {
		for level, broken := range doc.broken {
			if broken {
				p.whole[level] = false
			}
		}
	}
	for _, doc := range l.docs {
		a, all := doc.agreement, doc.agreement.Levels
		a.Levels = nil
		for _, level := range all {
			if p.isWhole(level) {
				a.Levels = append(a.Levels, level)
			} else {
				a.Broken = append(a.Broken, level)
			}
		}
	}
	for _, doc := range l.docs {
		for _, level := range doc.agreement.Broken {
			fillGaps(level)
		}
	}
}

// wholeLevels finds the levels without errors.
type wholeLevels struct {
	refers map[*sla.ServiceLevel]*sla.ServiceLevel // to the level that has its probe
	whole  map[*sla.ServiceLevel]bool              // those that were looked at
}

// isWhole returns whether neither a level nor a level that it depends on has an error.
// Each level is looked at once. It terminates because composites in a cycle have no
// tree.
func (p *wholeLevels) isWhole(level *sla.ServiceLevel) bool {
	if whole, known := p.whole[level]; known {
		return whole
	}
	whole := true
	for _, other := range p.dependencies(level) {
		whole = whole && other != nil && p.isWhole(other)
	}
	p.whole[level] = whole
	return whole
}

// dependencies returns the levels that a level refers to, with nil for one that does not
// exist.
func (p *wholeLevels) dependencies(level *sla.ServiceLevel) []*sla.ServiceLevel {
	switch i := level.Indicator.(type) {
	case *sla.SharedProbe, *sla.ProbeLatency:
		return []*sla.ServiceLevel{p.refers[level]}
	case *sla.Composite:
		if i.Tree == nil {
			return []*sla.ServiceLevel{nil}
		}
		var all []*sla.ServiceLevel
		for _, leaf := range i.Root.Leaves() {
			all = append(all, leaf.Level)
		}
		if i.EndToEnd != nil {
			all = append(all, i.EndToEnd.Level)
		}
		return all
	}
	return nil
}

// fillGaps replaces what could not be read of a broken level, so that its other parts
// can be checked: the indicator by one without queries, a probe by one whose interval is
// too short for any warning.
func fillGaps(level *sla.ServiceLevel) {
	switch i := level.Indicator.(type) {
	case nil:
		level.Indicator = &sla.Events{}
	case *sla.Composite:
		if i.Tree == nil {
			level.Indicator = &sla.Events{}
		}
	case *sla.SharedProbe:
		if i.Probe == nil {
			i.Probe = &sla.Probe{Interval: minInterval}
		}
	case *sla.ProbeLatency:
		if i.Probe == nil {
			i.Probe = &sla.Probe{Interval: minInterval}
		}
	}
}
