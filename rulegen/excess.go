package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// What is bad of a level that says what is good is the total less that, and at
// least 0. Where more good events are counted than events, because the two
// selectors do not count the same, it hides as many bad ones: so it is recorded
// by how much, and told on the level's page and in its alerts.

// annotationExcess is the annotation that says that good events exceed the total.
const annotationExcess = "excess"

// leastExcess is what rates of two series of the same events may differ by, since
// each is extrapolated by itself; mostExcess bounds what no total makes of it.
var leastExcess, mostExcess = sla.NewDecimal(1, 100), sla.NewDecimal(1000, 1)

// countsExcess tells whether good events can exceed the total: those of a
// histogram are among its own.
func countsExcess(i sla.Indicator) bool {
	e, ok := i.(*sla.Events)
	return ok && e.Good.Text != ""
}

// excess records by what share of the total good events exceed it, while they do.
func (c compiler) excess() []Rule {
	names := c.ofGood()
	if names.rate != metricnames.GoodRate {
		return nil // a component's, which its own rules record
	}
	more := promql.Sub(promql.Div(c.recorded(names.rate).Now(), c.total()), promql.Num(one))
	return []Rule{c.record(metricnames.Excess, promql.Gt(promql.ClampMax(more, mostExcess), promql.Num(leastExcess)))}
}

// tellExcess says in an alert that good events exceed the total, while they do:
// an annotation without text is left out by servers.
func (c compiler) tellExcess(r Rule) {
	if !countsExcess(c.level.Indicator) {
		return
	}
	id := c.level.ID
	of, where := fmt.Sprintf(`%s{%s=%q,%s=%q,%s=%q}`, metricnames.Excess, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO), ""
	if c.grouped() { // an alert may be of all of them
		of, where = "max("+of+")", "of a group "
	}
	r.Annotations[annotationExcess] = fmt.Sprintf("{{ range query `%s` }}{{ .Value | humanizePercentage }} more good events %sare counted than events: "+
		"the two do not count the same, and as many bad events are hidden.{{ end }}", of, where)
}
