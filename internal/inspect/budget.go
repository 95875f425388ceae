package inspect

import (
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Budget is what is left of a level's error budget in one of its periods.
type Budget struct {
	Period string
	Group  string  // label=value of the group, "" for a level without groups
	Left   float64 // of the whole period's budget: 1 is untouched, 0 spent, negative overspent
}

// recently is twice the interval at which budgets are recorded, so that one missed
// evaluation does not hide a budget.
const recently = 10 * time.Minute

// Budgets returns the level's recently recorded budgets, one for each period and group;
// if several replicas differ, the smallest. There are none if the rules are not loaded
// or nothing has been measured yet.
func (s *Server) Budgets(l *sla.ServiceLevel) []Budget {
	var all []Budget
	for _, sample := range s.vector(promql.Series(metricnames.BudgetRemaining, ofAgreement(l)).LastOverTime(recently)) {
		if !isOf(sample.Metric, l.ID) || math.IsNaN(float64(sample.Value)) {
			continue
		}
		b := Budget{string(sample.Metric[metricnames.Period]), groupOf(l, sample.Metric), float64(sample.Value)}
		known := false
		for i, other := range all {
			if other.Period == b.Period && other.Group == b.Group {
				all[i].Left, known = min(other.Left, b.Left), true
			}
		}
		if !known {
			all = append(all, b)
		}
	}
	return all
}

// Unmeasured returns whether the alert is firing that a level's state is unknown.
func (s *Server) Unmeasured(l *sla.ServiceLevel) bool {
	firing := promql.Series("ALERTS", ofAgreement(l), promql.Eq(model.AlertNameLabel, sla.AlertMeasurementLost.Name), promql.Eq("alertstate", "firing"))
	for _, sample := range s.vector(firing.Now()) {
		if isOf(sample.Metric, l.ID) {
			return true
		}
	}
	return false
}

func ofAgreement(l *sla.ServiceLevel) promql.Matcher { return promql.Eq(metricnames.SLA, l.ID.SLA) }

func isOf(m model.Metric, id sla.ID) bool {
	return string(m[metricnames.SLA]) == id.SLA && string(m[metricnames.Service]) == id.Service && string(m[metricnames.SLO]) == id.SLO
}

func groupOf(l *sla.ServiceLevel, m model.Metric) string {
	var words []string
	for _, label := range l.GroupBy.Labels {
		words = append(words, label+"="+string(m[model.LabelName(label)]))
	}
	return strings.Join(words, ", ")
}
