package spec

import "github.com/upheld-sla/upheld/sla"

// splitBroken takes the levels with mistakes, and those that depend on one, out of
// the others. So nothing after the reader has to ask whether a level has an
// indicator, or whether a reference leads anywhere.
func (l *loader) splitBroken() {
	p := wholeLevels{levels: l.levels, whole: map[*sla.ServiceLevel]bool{}}
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

// wholeLevels finds which levels are whole.
type wholeLevels struct {
	levels map[sla.ID]*sla.ServiceLevel
	whole  map[*sla.ServiceLevel]bool // as far as it is known
}

// isWhole tells whether a level has no mistake, and none that it depends on. Each
// is looked at once; a composite in a circle has no tree.
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

// dependencies are the levels that a level refers to, nil among them for one that
// does not exist.
func (p *wholeLevels) dependencies(level *sla.ServiceLevel) []*sla.ServiceLevel {
	switch i := level.Indicator.(type) {
	case *sla.SharedProbe:
		return []*sla.ServiceLevel{p.levels[i.Of]}
	case *sla.ProbeLatency:
		return []*sla.ServiceLevel{p.levels[i.Of]}
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

// fillGaps gives a broken level something in the place of what could not be read,
// so that mistakes can be looked for in the rest: an indicator that counts
// nothing, a probe that is too short for any warning about it.
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
