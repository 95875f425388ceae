package rulegen

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// What a burn alert says to somebody who was asleep: how the service is, why, and what
// is left of the budget. Each part is queried when the alert is sent, and left out if
// there is no result.

// summaryWords say what is down and for which group, since when, and why.
func (bn burning) summaryWords() string {
	name := bn.nameOfGroup()
	down := name + " is down"
	if bn.Impact != "" {
		down = bn.impactWords()
	}
	return fmt.Sprintf("{{ $state := 0.0 }}{{ range %s }}{{ $state = .Value }}{{ end }}"+
		"{{ if eq $state %d.0 }}%s{{ else if eq $state %d.0 }}%s is degraded{{ else }}%s burns its error budget faster than allowed{{ end }}"+
		"{{ if ge $state %d.0 }}%s{{ end }}%s",
		bn.ask("%s", metricnames.ServiceState), sla.StateDown.Code(), down, sla.StateDegraded.Code(), name, name, sla.StateDegraded.Code(), bn.sinceClock(), bn.whyWords())
}

// impactWords say what it means for users that the level is down, as its specification
// words it.
func (bn burning) impactWords() string {
	impact := strings.TrimRight(bn.Impact, ". ")
	if strings.Contains(impact, "{{") {
		impact = "{{ " + templateText(impact) + " }}"
	}
	if group, grouped := strings.CutPrefix(bn.groupWords(), " of "); grouped {
		impact += " (" + group + ")"
	}
	return impact
}

// whyWords say why: the components that are down, for probes the most frequent reason
// of failure, else the bad share.
func (bn burning) whyWords() string {
	switch {
	case bn.kind.why != nil:
		return bn.kind.why(bn)
	case bn.kind.probedBy != nil:
		return fmt.Sprintf("{{ range %s }}: {{ reReplaceAll `_` ` ` .Labels.%s }}{{ end }}", bn.askReason(bn.kind.probedBy(bn.level)), metricnames.Reason)
	}
	of := "of the last five minutes is bad"
	if bn.Aggregation.Counts() == sla.CountsEvents {
		of = "of the events of the last five minutes are bad"
	}
	return fmt.Sprintf("{{ range %s }}: {{ .Value | humanizePercentage }} %s{{ end }}", bn.ask("%s > 0", ratioName(sla.BaseWindow)), of)
}

// blameWords name the components that are down, or the first few if there are many.
func (bn burning) blameWords() string {
	const most = 3
	return fmt.Sprintf("{{ with $down := %s | sortByLabel `%s` }}: {{ range $i, $c := $down }}"+
		"{{ if lt $i %d }}{{ if $i }} and {{ end }}{{ $c.Labels.%s }}{{ else if eq $i %d }} and others{{ end }}{{ end }} {{ if eq (len $down) 1 }}is{{ else }}are{{ end }} down{{ end }}",
		bn.ask("%s", metricnames.DownSince), metricnames.Component, most, metricnames.Component, most)
}

// askReason is how an annotation queries why most failed probes of the last five minutes
// failed, in the alert's group. The exporter's own faults are left out.
func (bn burning) askReason(by sla.ID) string {
	matchers := []string{
		fmt.Sprintf("%s=%q", metricnames.SLA, by.SLA), fmt.Sprintf("%s=%q", metricnames.Service, by.Service), fmt.Sprintf("%s=%q", metricnames.SLO, by.SLO),
		fmt.Sprintf("%s!~%q", metricnames.Reason, strings.Join(metricnames.ExporterReasons(), "|")),
	}
	var values strings.Builder
	for _, label := range bn.groupLabels() {
		matchers = append(matchers, label+"=%q")
		values.WriteString(" $labels." + label)
	}
	query := fmt.Sprintf("topk(1, sum by (%s) (increase(%s{%s}[%s])) > 0)",
		metricnames.Reason, metricnames.ProbeFailures, strings.Join(matchers, ","), sla.FormatDuration(sla.BaseWindow))
	return fmt.Sprintf("printf %s%s | query", templateText(query), values.String())
}

// budgetLeftWords say what is left of the budget, and when it is spent if things go on as
// over the long window of the first tier.
func (bn burning) budgetLeftWords(a sla.BurnAlert) string {
	p, long := bn.Period, a.Tiers[0].Long
	left := askedFor(bn.level, metricnames.BudgetRemaining, fmt.Sprintf("%s=%q", metricnames.Period, p.String()))
	words := fmt.Sprintf("{{ range %s }}{{ if gt .Value 0.0 }}{{ .Value | humanizePercentage }} of the budget of %s is left.{{ else }}The budget of %s is spent.{{ end }}{{ end }}",
		askAbout(bn.level, left), p.Words(), p.Words())
	if bn.ownTargets() {
		return words
	}
	seconds := promql.Num(sla.Seconds(p.Nominal()).Mul(bn.TargetBudget())).String()
	ends := fmt.Sprintf("sum(%s > 0) * %s / sum(%s > 0)", left, seconds, askedFor(bn.level, ratioName(long)))
	return words + fmt.Sprintf("{{ range %s }} If it goes on as over the last %s, that ends in {{ .Value | humanizeDuration }}.{{ end }}",
		askAbout(bn.level, ends), sla.FormatDuration(long))
}
