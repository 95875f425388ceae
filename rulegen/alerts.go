package rulegen

import (
	"fmt"
	"maps"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Names of the alerts.
const (
	AlertBudgetBurn      = "SLABudgetBurn"
	AlertMeasurementLost = "SLAMeasurementLost"
)

// measurementLostFor is how long a level must be without data before that is
// an alert of its own: longer than a restart with the base window refilled.
const measurementLostFor = 10 * time.Minute

// burnAlert fires while the bad share over both windows of a tier exceeds its
// threshold (Google SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate
// Alerts"). The long window says that it matters, the short one that it goes on.
func (c compiler) burnAlert(t sla.Tier) Rule {
	budget := c.level.ObjectiveBudget()
	threshold, _ := t.Threshold(budget)
	over := func(w time.Duration) promql.Expr {
		return promql.Gt(c.recorded(ratioName(w)).Now(), promql.Num(threshold))
	}
	long, short := sla.FormatDuration(t.Long), sla.FormatDuration(t.Short)
	factor := threshold.Quo(budget)
	spent := factor.Mul(sla.NewDecimal(int64(t.Long), int64(c.level.Period.Rolling)))
	r := c.alert(AlertBudgetBurn, c.withLeast(promql.AndOn(over(t.Long), over(t.Short), joinLabels...), t.Long), map[string]string{
		"summary": fmt.Sprintf("%s/%s burns its error budget more than %s times too fast", c.level.ID.Service, c.level.ID.SLO, round(factor)),
		"description": fmt.Sprintf("{{ $value | humanizePercentage }} bad over %s, and over %s it goes on; the objective of %s%% allows %s%%. "+
			"%s like this, or worse, spends at least %s%% of the budget of %s.%s",
			long, short, c.level.Objective, budget.Mul(hundred), long, round(spent.Mul(hundred)), c.level.Period, c.leastWords(long)),
	}, metricnames.Severity, t.Severity, metricnames.Tier, t.Name, metricnames.LongWindow, long, metricnames.ShortWindow, short)
	r.For, r.KeepFiringFor = t.For, t.KeepFiringFor
	return r
}

// measurementLost fires when nobody knows how the level is doing, which is told
// apart from its being down.
func (c compiler) measurementLost() Rule {
	r := c.alert(AlertMeasurementLost, promql.Absent(c.recorded(metricnames.TotalRate)), map[string]string{
		"summary": fmt.Sprintf("%s/%s is not being measured", c.level.ID.Service, c.level.ID.SLO),
		"description": fmt.Sprintf("There has been no %s for %s. The service may be well or not: nobody knows. "+
			"Look for a stopped exporter, a failing scrape or a renamed series.", sourceWords(c.level.Indicator), sla.FormatDuration(measurementLostFor)),
	}, metricnames.Severity, "ticket")
	r.For = measurementLostFor
	return r
}

// sourceWords says in words where a level's data come from.
func sourceWords(i sla.Indicator) string {
	if len(i.Queries()) == 0 {
		return "conclusive probe result"
	}
	return "sample of its counters"
}

// alert is an alert of the level. The user's annotations win over ours; the
// labels that name the level and the tier win over the user's.
func (c compiler) alert(name string, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	l := c.level
	r := Rule{Alert: name, Expr: e, Labels: map[string]string{}, Annotations: annotations}
	if l.Alerting.Runbook != "" {
		r.Annotations["runbook_url"] = l.Alerting.Runbook
	}
	maps.Copy(r.Annotations, l.Alerting.Annotations)
	maps.Copy(r.Labels, l.Labels)
	maps.Copy(r.Labels, l.Alerting.Labels)
	maps.Copy(r.Labels, c.labels(labels...))
	return r
}

var hundred = sla.NewDecimal(100, 1)

// round prints a figure for people: three significant digits, whole numbers whole.
func round(d sla.Decimal) string {
	f := d.Float64()
	if f >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.3g", f)
}
