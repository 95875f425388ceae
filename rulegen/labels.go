package rulegen

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// ownLabels are those that rules set themselves, on some series or alert.
var ownLabels = []string{
	metricnames.SLA, metricnames.Service, metricnames.SLO, metricnames.Period, metricnames.Calendar, metricnames.Start,
	metricnames.Zone, metricnames.Exclusion, metricnames.Agreed, metricnames.At,
	metricnames.Severity, metricnames.Tier, metricnames.LongWindow, metricnames.ShortWindow,
	metricnames.Escalation, infoIndicator, infoUnit, infoTarget, infoObjective, infoGroupBy, infoImpact, "alertname", "alertstate", "le", "term",
	metricnames.Component, metricnames.Node, metricnames.Parent, metricnames.Assume, metricnames.Members, metricnames.Part, metricnames.How,
	metricnames.PartOf, metricnames.InhibitedBy, metricnames.By, metricnames.Value,
	metricnames.Recovery, metricnames.Obligation, metricnames.Party,
}

// Labels of sla_service_level_info besides those of every series; the level's
// own labels follow the prefix.
const (
	infoIndicator = "indicator"
	infoUnit      = "unit"
	infoTarget    = "target"
	infoObjective = "objective"
	infoGroupBy   = "group_by"
	infoImpact    = "impact"
	infoPrefix    = "label_"
)

// CheckLabel reports whether Options.Labels may have the label.
func CheckLabel(name, value string) error {
	switch {
	case !labelName.MatchString(name) || strings.HasPrefix(name, "__"):
		return fmt.Errorf("%q is not the name of a label", name)
	case value == "":
		return fmt.Errorf("the label %q has no value, which is the same as not being there", name)
	case strings.Contains(value, "{{"):
		return fmt.Errorf("the label %q is to be a template, and rules select by the text itself; write it out", name)
	case slices.Contains(ownLabels, name) || strings.HasPrefix(name, infoPrefix):
		return fmt.Errorf("the label %q is set by the rules themselves; choose another name", name)
	}
	return nil
}

// extraMatchers select by Options.Labels. Without them a label that is edited
// would leave two histories under one selector, and every sum over both would
// be two samples with the same labels, which fails the rule.
func extraMatchers(extra map[string]string) []promql.Matcher {
	if len(extra) == 0 {
		return nil
	}
	ms := make([]promql.Matcher, 0, len(extra))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		ms = append(ms, promql.Eq(name, extra[name]))
	}
	return ms
}

// clashes are labels that the agreement and Options.Labels both give to alerts.
func clashes(l level) sla.Findings {
	var findings sla.Findings
	given := []map[string]string{l.Labels, l.Alerting.Labels}
	for _, a := range l.Alerts() {
		given = append(given, a.Labels)
	}
	for _, name := range slices.Sorted(maps.Keys(l.extra)) {
		if slices.Contains(l.groupLabels(), name) {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "label-clash", Pos: l.Pos,
				Message: fmt.Sprintf("the level %q is grouped by %q, and everything that is recorded is to have %q there", l.ID.SLO, name, l.extra[name]),
				Remedy:  "group by another label, or leave this one out",
			})
		}
		for _, labels := range given {
			if value, ok := labels[name]; ok && value != l.extra[name] {
				findings = append(findings, sla.Finding{
					Severity: sla.Error, Rule: "label-clash", Pos: l.Pos,
					Message: fmt.Sprintf("the label %q of level %q is %q here, and everything that is recorded is to have %q", name, l.ID.SLO, value, l.extra[name]),
					Remedy:  "give one of them another name, or leave one out",
				})
				break
			}
		}
	}
	return findings
}
