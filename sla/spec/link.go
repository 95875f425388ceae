package spec

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// link checks what only all documents together show: names that are taken, and
// levels that refer to others.
func (l *loader) link() {
	agreements := map[string]sla.Position{}
	levels := map[sla.ID]*sla.ServiceLevel{}
	for _, doc := range l.docs {
		a := doc.agreement
		if first, taken := agreements[a.Name]; taken && a.Name != "" {
			doc.report(sla.Error, a.Pos, "duplicate-agreement", fmt.Sprintf("the agreement %q is already defined at %s", a.Name, first),
				"give one of them another name, or put its levels into the other")
		} else {
			agreements[a.Name] = a.Pos
		}
		own := map[sla.ID]sla.Position{}
		for _, level := range a.Levels {
			if first, taken := own[level.ID]; taken && level.ID.SLO != "" {
				doc.report(sla.Error, level.Pos, "duplicate-level", fmt.Sprintf("service %q already has a level %q, on line %d",
					level.ID.Service, level.ID.SLO, first.Line), "give one of them another name")
				continue
			}
			own[level.ID] = level.Pos
			if levels[level.ID] == nil {
				levels[level.ID] = level
			}
		}
	}
	defer l.linkComposites(levels)
	for _, doc := range l.docs {
		for _, level := range doc.agreement.Levels {
			if latency, ok := level.Indicator.(*sla.ProbeLatency); ok {
				if latency.Of.SLA == "" {
					latency.Of.SLA = doc.agreement.Name
				}
				l.linkProbe(doc, latency, levels)
			}
		}
	}
}

// linkProbe finds the probe that a response-time level reads.
func (l *loader) linkProbe(doc *document, latency *sla.ProbeLatency, levels map[sla.ID]*sla.ServiceLevel) {
	level, exists := levels[latency.Of]
	if !exists {
		doc.report(sla.Error, latency.OfPos, "dangling-reference", fmt.Sprintf("there is no level %q", latency.Of), l.nearestProbe(doc, latency.Of))
		return
	}
	probe, ok := level.Indicator.(*sla.Probe)
	if !ok {
		if level.Indicator != nil {
			doc.report(sla.Error, latency.OfPos, "bad-reference", fmt.Sprintf("the level %q has no probe, its indicator is %s",
				latency.Of, level.Indicator.Kind()), "refer to a level with a probe indicator")
		}
		return
	}
	latency.Probe = probe
	if at, ok := doc.thresholds[latency]; ok && latency.Threshold >= probe.Timeout {
		doc.report(sla.Error, at, "bad-threshold", fmt.Sprintf(
			"the threshold %s is not below the probe's timeout of %s, so no answer could ever be too slow",
			sla.FormatDuration(latency.Threshold), sla.FormatDuration(probe.Timeout)), "choose a shorter threshold, or give the probe a longer timeout")
	}
}

// nearestProbe says which level with a probe was meant.
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
