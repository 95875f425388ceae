package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// What is bad of a level that says what is good is the total less that, and at
// least 0. Where more good events are counted than events, because the two
// selectors do not count the same, it hides as many bad ones: so it is recorded
// by how much, and told on the level's page and in its alerts.

// annotationExcess is the annotation that says that good events exceed the total.
const annotationExcess = "excess"

// tellExcess says in an alert that good events exceed the total, while they do:
// an annotation without text is left out by servers.
func (al alerts) tellExcess(r Rule) {
	if !al.kind.exceeds {
		return
	}
	id := al.ID
	of, where := fmt.Sprintf(`%s{%s=%q,%s=%q,%s=%q}`, metricnames.Excess, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO), ""
	if al.grouped() { // an alert may be of all of them
		of, where = "max("+of+")", "of a group "
	}
	r.Annotations[annotationExcess] = fmt.Sprintf("{{ range query `%s` }}{{ .Value | humanizePercentage }} more good events %sare counted than events: "+
		"the two do not count the same, and as many bad events are hidden.{{ end }}", of, where)
}
