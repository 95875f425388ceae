package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// endToEnd records the state of the level that measures the whole.
func (t tree) endToEnd() ([]Rule, sla.Findings) {
	e := t.EndToEnd
	if e == nil {
		return nil, nil
	}
	return t.stateOf(e.Level, componentLabel(t.ID, e.Level.ID), e.DownAbove, endToEndState)
}

// componentLabel names a level as a composite calls it.
func componentLabel(composite, level sla.ID) string {
	if composite.SLA == level.SLA {
		return level.Service + "/" + level.SLO
	}
	return level.String()
}

// divergence records by how much the end-to-end level was worse than the
// composite: in each slot where both are known, and as the mean over all slots
// of a window.
func (t tree) divergence() []Rule {
	if t.EndToEnd == nil {
		return nil
	}
	worse := promql.Sub(promql.Sum(t.recorded(metricnames.EndToEndBad).Now()), promql.Sum(t.recorded(metricnames.SlotJudged).Now()))
	slots := sla.NewDecimal(int64(t.EndToEnd.Over), int64(t.interval))
	sum := t.recorded(metricnames.DivergenceSlot).SumOverTime(t.samples(t.EndToEnd.Over))
	return []Rule{
		t.record(metricnames.DivergenceSlot, worse).
			says("By how much %s, which measures the whole, was worse than the composite in the last whole minute.", componentLabel(t.ID, t.EndToEnd.Level.ID)),
		t.record(divergenceName(t.Composite), promql.Div(sum, promql.Num(slots))).
			says("The mean of that over the last %s.", sla.FormatDuration(t.EndToEnd.Over)).says("%s", t.evaluationsIn(t.EndToEnd.Over)),
	}
}

func divergenceName(of *sla.Composite) string {
	return metricnames.Divergence + sla.FormatDuration(of.EndToEnd.Over)
}

// diverges fires while a composite is worse when measured end to end.
func (al alerts) diverges(a sla.Alert, _ sla.Period) []Rule {
	of := al.Indicator.(*sla.Composite)
	e := of.EndToEnd
	over := sla.FormatDuration(e.Over)
	worse := promql.Gt(al.recorded(divergenceName(of)).Now(), promql.Num(e.Above.Quo(hundred)))
	return []Rule{al.notice(a, al.duringService(worse), map[string]string{
		"summary": fmt.Sprintf("%s looks better than what customers meet", al.name()),
		"description": fmt.Sprintf("Measured end to end by %s it was bad for {{ $value | humanizePercentage }} more of the last %s than its components account for; %s%% is let pass. "+
			"Something that customers need is no component, or is not seen to fail.", componentLabel(al.ID, e.Level.ID), over, e.Above),
	}).says("Fires when %s was bad for more of the last %s than the composite.", componentLabel(al.ID, e.Level.ID), over).
		says("%s = %s %%, which is let pass", inRules(e.Above.Quo(hundred)), e.Above)}
}
