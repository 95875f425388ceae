package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// If a level says what is good, bad is the total less that, and at least 0. If
// the two selectors do not count the same there may be more good events than
// events, and the surplus hides as many bad ones. So the surplus is recorded,
// and shown on the level's page and in its alerts.

// annotationExcess is the annotation that says that good events exceed the total.
const annotationExcess = "excess"

// noteExcess adds an annotation to an alert: good events exceed the total. Its
// text is empty while they do not, and servers leave out empty annotations.
func (al alerts) noteExcess(r Rule) {
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
