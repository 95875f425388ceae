package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// whatIfView says what outages of a few lengths would cost, and which alerts would
// fire.
type whatIfView struct {
	Asked   string // the requested length, as it was written
	Problem string // why it cannot be calculated
	Rows    []whatIfRow
	Note    string
}

type whatIfRow struct {
	Outage string
	Spends string // of the whole period's budget
	Leaves string // of the budget, together with what is already spent; "" if that is unknown
	State  mark   // of the budget then
	Fires  string
}

// longestWhatIf is the longest outage that can be requested.
const longestWhatIf = 366 * 24 * time.Hour

// newWhatIf calculates for the requested outage, or for a few usual ones.
func newWhatIf(s LevelStatus, asked string, c clock) whatIfView {
	v := whatIfView{Asked: strings.TrimSpace(asked)}
	if len(v.Asked) > 20 {
		v.Asked = ""
	}
	outages := []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour}
	if v.Asked != "" {
		d, ok := parseOutage(v.Asked)
		if !ok || d <= 0 || d > longestWhatIf {
			v.Problem = "Write a time such as 10m, 1h30m or 2d, up to a year."
		} else {
			outages = []time.Duration{d}
		}
	}
	allowed := s.Level.BudgetTime(s.Level.TargetBudget(), s.Level.Period, c.now)
	if allowed <= 0 {
		v.Note = "The target share allows nothing to be bad, so every outage misses it."
	} else if !s.Level.Aggregation.ByTime() {
		v.Note = "At the mean traffic of the period; an outage in a busy hour costs more."
	}
	for _, d := range outages {
		v.Rows = append(v.Rows, newWhatIfRow(s, d, allowed))
	}
	return v
}

// parseOutage reads "10m", "1h30m" and "2d".
func parseOutage(text string) (time.Duration, bool) {
	text = strings.ReplaceAll(text, " ", "")
	if days, found := strings.CutSuffix(text, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

func newWhatIfRow(s LevelStatus, outage, allowed time.Duration) whatIfRow {
	r := whatIfRow{Outage: span(outage), Spends: "all of it", State: budgetMark(sla.BudgetSpent), Fires: firesAfter(s.Level, outage)}
	if allowed <= 0 {
		return r
	}
	spends := float64(outage) / float64(allowed)
	r.Spends = percent(spends)
	if !s.BudgetRemaining.Known {
		r.State = mark{string(sla.ClassNone), "Unknown"}
		return r
	}
	left := s.BudgetRemaining.Value - spends
	r.Leaves = budgetLeft(left)
	if left > noise {
		r.State = budgetMark(sla.BudgetFine)
	}
	return r
}

// firesAfter says which alerts a total outage fires after a quiet time, and when.
func firesAfter(l *sla.ServiceLevel, outage time.Duration) string {
	var words []string
	for _, b := range l.BurnAlerts() {
		if after := b.TimeToDetect(l.ObjectiveBudget()); after <= outage {
			words = append(words, fmt.Sprintf("%s after %s", b.Severity, span(after.Truncate(time.Second))))
		}
	}
	if len(words) == 0 {
		return "no alert of a burning budget"
	}
	return strings.Join(words, ", ")
}
