package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// budgetOf is how much the target allows to be bad in a period: time, or a share of
// events.
func budgetOf(l *sla.ServiceLevel, p sla.Period, now time.Time) string {
	if !l.Aggregation.ByTime() {
		bad, of := l.TargetBudget().Fraction()
		return fmt.Sprintf("%s of every %s events", group(bad), group(of))
	}
	words := duration(sla.Seconds(l.BudgetTime(l.TargetBudget(), p, now)))
	if p.Calendar != "" {
		words += " in a " + string(p.Calendar) + " of " + daysWords(p.Nominal())
	}
	if l.ServiceHours != nil {
		words += " of service hours"
	}
	return words
}

// periodText names a period for people: "a calendar month (Europe/Berlin)", "any 30 days".
func periodText(p sla.Period) string {
	if p.Calendar != "" {
		return p.Words()
	}
	return "any " + daysWords(p.Rolling)
}

// daysWords prints "30 days" for whole days, and otherwise a duration.
func daysWords(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return plural(int(d/(24*time.Hour)), "day")
	}
	return sla.FormatDuration(d)
}

func formulaOf(l *sla.ServiceLevel) string {
	for _, f := range formulas {
		if f.counts == l.Aggregation.Counts() {
			return f.words
		}
	}
	return none
}

func formulasOf(a *sla.Agreement) []docBlock {
	blocks := []docBlock{{Text: "The achieved share is calculated as an exact fraction over the period and compared with the promise before anything is rounded. What was measured decides, and both parties can calculate it again from the same measurements."}}
	for _, l := range a.Levels {
		pairs := []fact{
			{Name: "Level", Value: levelID(l)},
			{Name: "Measured", Value: upperFirst(oneLine(l.Indicator.Words()))},
			{Name: "Counted", Value: upperFirst(oneLine(l.AggregationWords()))},
			{Name: "Formula", Value: formulaOf(l)},
		}
		if l.ServiceHours != nil {
			pairs = append(pairs, fact{Name: "Service hours", Value: oneLine(l.ServiceHours.Name)})
		}
		if len(l.GroupBy.Labels) > 0 {
			pairs = append(pairs, fact{Name: "Promised to each", Value: oneLine(strings.Join(l.GroupBy.Labels, ", "))})
		}
		blocks = append(blocks, docBlock{Pairs: pairs})
	}
	return blocks
}
