package rulegen

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// Rules cannot count all that contracts say to the minute. Alerts of a level for
// which they do not say so, with the bound; docs/rules.md has the reasons.

// annotationApproximation is the annotation that says how exact a level's figures are.
const annotationApproximation = "approximation"

// minutesWords are those of judged minutes.
const minutesWords = "Minutes are the clock's, as scrapes cut them: what happens after the last scrape of a minute counts in the next. A minute is read 15s after its end."

// approximations are what is not exact of an aggregation.
var approximations = map[sla.Aggregation]func(sla.Slots) string{
	sla.BadMinute:       func(sla.Slots) string { return minutesWords },
	sla.AllFailedMinute: func(sla.Slots) string { return minutesWords },
	sla.QualifiedRun: func(s sla.Slots) string {
		return fmt.Sprintf("%s The minutes of a run count when it has become %s long, all at once.", minutesWords, sla.FormatDuration(s.MinRun))
	},
	sla.MeanSlotErrorRate: slotsWords,
	sla.SlotQuantile:      slotsWords,
}

func slotsWords(s sla.Slots) string {
	return fmt.Sprintf("Slots of %s count while the next one lasts, so what is seen is a slot late.", sla.FormatDuration(s.Width))
}

// approximation says what of the level's figures is not exact; "" if there is
// nothing to say.
func (c compiler) approximation() string {
	var words []string
	if say := approximations[c.level.Aggregation]; say != nil {
		words = append(words, say(c.level.Slots))
	}
	if _, native := c.level.Indicator.(*sla.NativeLatency); native {
		words = append(words, "The share within the threshold is interpolated in its bucket of the histogram.")
	}
	if c.level.Masked() && !c.isCut() {
		words = append(words, "Where hours or windows begin and end, up to 37.5 s of an outage may be counted on the other side.")
	}
	for _, e := range c.level.Exclusions {
		if e.Cap != nil && e.Cap.Downtime > 0 {
			words = append(words, fmt.Sprintf("%s may excuse %s of downtime a %s; what is bad beyond that is still excused here, and counts where the contract is settled.",
				e.Name, sla.FormatDuration(e.Cap.Downtime), e.Cap.Per.Calendar))
		}
	}
	return strings.Join(words, " ")
}
