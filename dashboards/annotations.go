package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// annotation marks ranges of time in all graphs of a board. The SDK's type lacks the
// fields that name them.
type annotation struct {
	Name        string                `json:"name"`
	Datasource  *common.DataSourceRef `json:"datasource"`
	Enable      bool                  `json:"enable"`
	IconColor   string                `json:"iconColor"`
	Expr        string                `json:"expr"`
	Step        string                `json:"step"`
	TitleFormat string                `json:"titleFormat"`
	TextFormat  string                `json:"textFormat"`
	TagKeys     string                `json:"tagKeys"`
}

func annotate(name, color, expr, title, text string) annotation {
	return annotation{
		Name: name, Datasource: datasource(), Enable: true, IconColor: color, Expr: expr, Step: evaluation,
		TitleFormat: title, TextFormat: text, TagKeys: strings.Join([]string{metricnames.Service, metricnames.SLO}, ","),
	}
}

// alertAnnotations mark when alerts fired, even for less than a step of the graphs. All
// alerts with the same values of the labels share one mark: a hundred levels with a
// mark each would hide the graph.
func alertAnnotations(of selector, u urgencies, by ...string) []annotation {
	var names []string
	for _, label := range by {
		names = append(names, "{{"+label+"}}")
	}
	mark := func(name, color, urgency string) annotation {
		fired := fmt.Sprintf("max by (%s) (%s)", strings.Join(by, ", "), peak(of.with(anyAlert, urgency, firing).series("ALERTS")))
		a := annotate(name, color, fired, name, strings.Join(names, " "))
		a.TagKeys = strings.Join(by, ",")
		return a
	}
	return []annotation{mark("Pages", colorBad, u.page), mark("Tickets", colorWorse, u.ticket)}
}

// levelAnnotations mark alerts, open exclusions, and revisions of the agreement.
func levelAnnotations(c chosen) []annotation {
	all := alertAnnotations(c.selector, urgenciesOf(c.of), "alertname")
	own := c.selectorWithoutGroups()
	down := fmt.Sprintf("max by (%s) (%s) == %d", byLevel, worst(own.series(metricnames.ServiceState)), sla.StateDown.Code())
	all = append(all, annotate("Down", colorBad, down, sla.StateDown.Words(), "{{service}}/{{slo}}"))
	if len(c.of.Levels) > 0 && c.any(func(l *sla.ServiceLevel) bool { return len(l.Exclusions) > 0 }) {
		open := worst(choose(eq(metricnames.SLA, c.of.Name)).series(metricnames.ExclusionMask)) + " == 1"
		all = append(all, annotate("Maintenance and exclusions", colorNeutral, open, "{{exclusion}}", "is excluded"))
	}
	promise := "target, objective, period"
	info := own.series(metricnames.LevelInfo)
	revised := fmt.Sprintf("max by (%s) (%s) unless max by (%s) (%s offset $__interval) and on () %s offset $__interval", promise, info, promise, info, info)
	return append(all, annotate("Revisions", colorUnknown, revised, "Revised", "target {{target}} %, objective {{objective}} %, period {{period}}"))
}
