package spec

import (
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// filledIn lists the keys that were left out and have a default. The value is the one in
// values, or else the text of the section.
func (o *object) filledIn(prefix string, values map[string]string) []sla.Default {
	var filled []sla.Default
	for _, f := range o.section.fields {
		if _, given := o.get(f.key); given {
			continue
		}
		value, known := values[f.key]
		if !known {
			value = strings.Trim(f.def, "`")
		}
		if value != "" {
			filled = append(filled, sla.Default{Key: prefix + f.key, Value: value})
		}
	}
	return filled
}

// defaultsOfLevel lists the defaults of a level and of its probe. What the agreement
// sets for all its levels is not a default.
func defaultsOfLevel(o *object, l *sla.ServiceLevel, shared levelDefaults) []sla.Default {
	values := map[string]string{
		"service":     l.ID.Service,
		"objective":   l.Objective.String(),
		"aggregation": string(l.Aggregation),
		"period":      strings.Join(periodNames(l), ", "),
	}
	if shared.periodGiven {
		values["period"] = ""
	}
	if values["alerting"] = "the standard tiers"; shared.alerting != nil {
		values["alerting"] = ""
	}
	values["partialPeriod"] = "" // it matters only where the agreement begins or ends
	if !l.CountsMissing() {
		values["missingData"] = "" // there is no such time
	}
	filled := append(o.filledIn("", values), o.d.periodDefaults[l.PeriodPos]...)
	return append(filled, o.d.probeDefaults[l.Indicator]...)
}
