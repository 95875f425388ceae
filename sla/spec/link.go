package spec

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// link checks what depends on several documents: unique names and references to levels.
func (l *loader) link() {
	l.linkRevisions()
	l.levels, l.refers = map[sla.ID]*sla.ServiceLevel{}, map[*sla.ServiceLevel]*sla.ServiceLevel{}
	for _, doc := range l.docs {
		doc.own = map[sla.ID]*sla.ServiceLevel{}
		for _, level := range doc.agreement.Levels {
			if first, taken := doc.own[level.ID]; taken && level.ID.SLO != "" {
				doc.levelError(level, level.Pos, "duplicate-level", fmt.Sprintf("service %q already has a level %q, on line %d",
					level.ID.Service, level.ID.SLO, first.Pos.Line), "give one of them another name")
				continue
			}
			doc.own[level.ID] = level
			if l.levels[level.ID] == nil && !doc.replaced {
				l.levels[level.ID] = level
			}
		}
	}
	defer l.linkComposites()
	for _, doc := range l.docs {
		for _, level := range doc.agreement.Levels {
			switch i := level.Indicator.(type) {
			case *sla.ProbeLatency:
				if i.Probe = l.probeOf(doc, level, &i.Of, i.OfPos); i.Probe != nil {
					checkThreshold(doc, level, i)
				}
			case *sla.SharedProbe:
				i.Probe = l.probeOf(doc, level, &i.Of, i.OfPos)
				if message, remedy, is := coarseProbe(level); is && level.Target.Sign() > 0 {
					doc.report(sla.Warning, level.TargetPos, "coarse-probe", fmt.Sprintf("target %q", level.Target)+message, remedy)
				}
			}
		}
	}
}

// level returns the level that an agreement means: its own, or that of the revision that
// is in force of another agreement.
func (l *loader) level(doc *document, id sla.ID) (*sla.ServiceLevel, bool) {
	all := l.levels
	if id.SLA == doc.agreement.Name {
		all = doc.own
	}
	level, ok := all[id]
	return level, ok
}

// probeOf returns the probe that the level own refers to. It completes a reference
// without an agreement.
func (l *loader) probeOf(doc *document, own *sla.ServiceLevel, of *sla.ID, pos sla.Position) *sla.Probe {
	if of.SLA == "" {
		of.SLA = doc.agreement.Name
	}
	level, exists := l.level(doc, *of)
	l.refers[own] = level
	switch {
	case !exists:
		doc.levelError(own, pos, "dangling-reference", fmt.Sprintf("there is no level %q", *of), l.nearestProbe(doc, *of))
		return nil
	case *of == own.ID:
		doc.levelError(own, pos, "bad-reference", "this level refers to itself for its probe", "write what is probed here, or refer to another level")
		return nil
	}
	switch i := level.Indicator.(type) {
	case nil: // reported at its place
	case *sla.Probe:
		return i
	case *sla.SharedProbe:
		remedy := "write what is probed at one of them, and refer to that level"
		if i.Of.SLA == "" {
			i.Of.SLA = level.ID.SLA
		}
		if defines, ok := l.level(doc, i.Of); ok {
			if _, ok := defines.Indicator.(*sla.Probe); ok {
				remedy = "refer to " + quote(strings.TrimPrefix(i.Of.String(), doc.agreement.Name+":")) + ", which defines it"
			}
		}
		doc.levelError(own, pos, "bad-reference", fmt.Sprintf("the level %q has no probe of its own, it refers to another's too", *of), remedy)
	default:
		doc.levelError(own, pos, "bad-reference", fmt.Sprintf("the level %q has no probe, its indicator is %s", *of, i.Kind()), "refer to a level with a probe indicator")
	}
	return nil
}

// checkThreshold reports a threshold that is not below the probe's timeout.
func checkThreshold(doc *document, level *sla.ServiceLevel, latency *sla.ProbeLatency) {
	if at, ok := doc.thresholds[latency]; ok && latency.Threshold >= latency.Probe.Timeout {
		doc.levelError(level, at, "bad-threshold", fmt.Sprintf(
			"the threshold %s is not below the probe's timeout of %s, so no answer could ever be too slow",
			sla.FormatDuration(latency.Threshold), sla.FormatDuration(latency.Probe.Timeout)), "choose a shorter threshold, or give the probe a longer timeout")
	}
}

// nearestProbe is the remedy for an unknown level: the level with a probe that was
// probably meant.
func (l *loader) nearestProbe(doc *document, id sla.ID) string {
	var candidates []string
	known := false
	for _, other := range l.docs {
		known = known || other.agreement.Name == id.SLA
		for _, level := range other.agreement.Levels {
			if _, ok := level.Indicator.(*sla.Probe); ok || level.Indicator == nil { // nil: it could not be read
				candidates = append(candidates, level.ID.String())
			}
		}
	}
	own := doc.agreement.Name + ":"
	if near := Nearest(id.String(), candidates); near != "" {
		return "did you mean " + quote(strings.TrimPrefix(near, own)) + "?"
	}
	if !known {
		return fmt.Sprintf("no agreement %q is loaded: name its file too", id.SLA)
	}
	if len(candidates) == 0 {
		return "no level has a probe; add one with indicator: {probe: …}"
	}
	for i, c := range candidates {
		candidates[i] = strings.TrimPrefix(c, own)
	}
	return "levels with a probe are " + list(candidates[:min(len(candidates), 8)])
}
