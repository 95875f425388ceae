package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

var labelRegexp = regexp.MustCompile(labelPattern)

// reservedLabels are the labels that the rules set.
var reservedLabels = []string{
	"sla", "service", "slo", "severity", "tier", "long_window",
	"short_window", "period", "alertname", "alertstate", "escalation", "composite", "inhibited_by",
}

// parseLabels parses labels of series and alerts.
func parseLabels(v value) (map[string]string, bool) {
	return parseNamedTexts(v, func(entry value) bool {
		if !slices.Contains(reservedLabels, entry.name) {
			return true
		}
		remedy := "choose another name"
		if entry.name == "severity" {
			remedy = severityRemedy(entry)
		}
		v.d.errorAt(entry.key, "bad-label", "the label "+quote(entry.name)+" is set by the rules themselves", remedy)
		return false
	})
}

// severityRemedy says how to set the label severity.
func severityRemedy(entry value) string {
	name := "critical"
	if _, _, urgency := (sla.SeverityNames{}).Named(entry.node.Value); entry.node.Kind == yaml.ScalarNode && entry.node.Value != "" && !urgency {
		name = entry.node.Value
	}
	return fmt.Sprintf("name severities for the whole agreement in spec.alerting: severities: {page: %s, ticket: …}; or give one alert another: tiers: {page-fast: {severity: %s}}", name, name)
}

// parseAnnotations parses annotations of alerts.
func parseAnnotations(v value) (map[string]string, bool) {
	return parseNamedTexts(v, func(entry value) bool {
		if entry.name == "runbook_url" {
			v.d.errorAt(entry.key, "bad-label", `the annotation "runbook_url" is made of alerting.runbook`, "write runbook: instead")
			return false
		}
		return true
	})
}

func parseNamedTexts(v value, accept func(value) bool) (map[string]string, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	texts := map[string]string{}
	for _, entry := range entries {
		switch {
		case !labelRegexp.MatchString(entry.name):
			v.d.errorAt(entry.key, "bad-label", quote(entry.name)+" is not a valid name in "+v.name,
				"use letters, digits and _, not beginning with a digit")
		case strings.HasPrefix(entry.name, "__"):
			v.d.errorAt(entry.key, "bad-label", quote(entry.name)+" begins with __, which Prometheus keeps for itself", "choose another name")
		case accept(entry):
			if text, ok := entry.text(); ok && checkTemplate(entry, text) {
				texts[entry.name] = text
			}
		}
	}
	return texts, true
}
