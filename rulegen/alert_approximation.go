package rulegen

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// Rules cannot count everything to the minute as contracts do. Alerts of levels
// where this matters say so, with the bound; docs/rules.md has the reasons.

// annotationApproximation is the annotation that says how exact a level's figures are.
const annotationApproximation = "approximation"

// approximation says which of the level's figures are not exact; "" if all are.
func (l level) approximation() string {
	var words []string
	if inexact := l.aggregation().inexact; inexact != nil {
		words = append(words, inexact(l.Slots))
	}
	if l.kind.inexact != "" {
		words = append(words, l.kind.inexact)
	}
	if l.Masked() && !l.isCut() {
		words = append(words, "Where hours or windows begin and end, up to 37.5 s of an outage may be counted on the other side.")
	}
	for _, e := range l.Exclusions {
		if e.Cap != nil && e.Cap.Downtime > 0 {
			words = append(words, fmt.Sprintf("%s may excuse %s of downtime a %s; what is bad beyond that is still excused here, and counts where the contract is settled.",
				e.Name, sla.FormatDuration(e.Cap.Downtime), e.Cap.Per.Calendar))
		}
	}
	return strings.Join(words, " ")
}
