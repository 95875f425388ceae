package overview

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// sentence says in one sentence what is wrong, since when, by whom and what it costs.
func (o *Overview) sentence() string {
	if len(o.Levels) == 0 {
		return "The server has nothing of these levels."
	}
	worst := o.Levels[0]
	if !worst.state.NeedsAttention() {
		return o.nothingDown()
	}
	same := 0
	for _, l := range o.Levels {
		if l.state == worst.state {
			same++
		}
	}
	lead := ""
	if same > 1 {
		lead = fmt.Sprintf("%d of %d levels are %s: ", same, len(o.Levels), strings.ToLower(worst.state.Words()))
	}
	text := lead + o.wrong(worst) + "."
	if rest, nobody := strings.CutPrefix(text, "nobody "); nobody {
		text = "Nobody " + rest
	}
	return text
}

// wrong is what is wrong with a level, as a sentence without its end.
func (o *Overview) wrong(l Level) string {
	text := fmt.Sprintf("%s is %s", l.named(), strings.ToLower(l.state.Words()))
	if l.state == sla.StateUnknown {
		text = fmt.Sprintf("nobody knows how %s is", l.named())
	}
	if l.Since != nil {
		text += " " + sinceWords(*l.Since, o.At, l.SinceBefore)
	}
	if cause := l.cause(); cause != "" {
		text += ", because " + cause
	}
	if cost := l.cost(); cost != "" {
		text += "; " + cost
	}
	return text
}

func (l Level) named() string {
	if l.Group != "" {
		return l.ID() + " of " + l.Group
	}
	return l.ID()
}

// mostNamed is how many things a sentence names before it counts the others.
const mostNamed = 3

// cause names the components that are down.
func (l Level) cause() string {
	var names []string
	for _, c := range l.Down {
		names = append(names, c.Component)
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " is down"
	}
	return listed(names) + " are down"
}

// listed names the first of several things.
func listed(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), more)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// cost is what of the budget is spent, and which credit is owed.
func (l Level) cost() string {
	var words []string
	if len(l.Periods) > 0 && l.Periods[0].Left != nil {
		words = append(words, l.Periods[0].spent())
	}
	for _, p := range l.Periods {
		if p.Credit != nil && *p.Credit > 0 {
			words = append(words, fmt.Sprintf("a credit of %.4g %% is owed", *p.Credit))
		}
	}
	return strings.Join(words, ", ")
}

// spent is what is spent of the budget of a period.
func (p Period) spent() string {
	left, in := *p.Left, " in "+periodWords(p.Period)
	if p.Budget == nil {
		if left < 0 {
			return fmt.Sprintf("its budget%s is overspent by %s", in, percentUp(-left))
		}
		return fmt.Sprintf("%s of its budget%s is spent", percentUp(1-left), in)
	}
	whole := Span(seconds(*p.Budget))
	if left < 0 {
		return fmt.Sprintf("its budget of %s%s is overspent by %s", whole, in, Span(seconds(-*p.LeftTime)))
	}
	return fmt.Sprintf("%s of its budget of %s%s is spent", Span(seconds(*p.Budget-*p.LeftTime)), whole, in)
}

// periodWords are a period in a sentence.
func periodWords(period string) string {
	if slices.Contains(sla.Units, sla.Unit(period)) {
		return "a " + period
	}
	return period
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// nothingDown is the sentence while no state needs attention: budgets and alerts may.
func (o *Overview) nothingDown() string {
	var spent, atRisk, alerting []string
	for _, l := range o.Levels {
		switch {
		case l.budget == sla.BudgetSpent || l.target == sla.TargetMissed:
			spent = append(spent, l.ID())
		case l.target == sla.TargetAtRisk:
			atRisk = append(atRisk, l.ID())
		case len(l.Alerts) > 0:
			alerting = append(alerting, l.ID())
		}
	}
	var words []string
	if len(spent) > 0 {
		words = append(words, "the budget of "+listed(spent)+" is spent")
	}
	if len(atRisk) > 0 {
		words = append(words, "the target of "+listed(atRisk)+" is at risk")
	}
	if len(alerting) > 0 {
		words = append(words, "an alert fires for "+listed(alerting))
	}
	if len(words) > 0 {
		return "Nothing is down, but " + strings.Join(words, "; ") + "."
	}
	return o.allWell()
}

// allWell counts the states, and names the least budget.
func (o *Overview) allWell() string {
	count := map[sla.State]int{}
	for _, l := range o.Levels {
		count[l.state]++
	}
	n, up := len(o.Levels), count[sla.StateUp]
	text := fmt.Sprintf("All %d levels are up", n)
	switch {
	case n == 1 && up == 1:
		text = o.Levels[0].ID() + " is up"
	case up < n:
		var parts []string
		for _, s := range sla.States() {
			if count[s] > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", count[s], strings.ToLower(s.Words())))
			}
		}
		text = fmt.Sprintf("Nothing is wrong: of %d levels %s", n, listed(parts))
	}
	least := slices.MinFunc(o.Levels, func(a, b Level) int {
		if a.least() < b.least() {
			return -1
		}
		return 1
	})
	if least.least() < 1 {
		text += fmt.Sprintf("; the least budget left is %s, of %s", percentDown(least.least(), 1), least.ID())
	}
	return text + "."
}

// sinceWords say when something began and how long ago that is.
func sinceWords(since, now time.Time, before bool) string {
	word := "since "
	if before {
		word = "since before "
	}
	return fmt.Sprintf("%s%s (%s)", word, clock(since, now), Span(now.Sub(since)))
}

// clock is a time of today as such, and of another day with its date, in the zone of now.
func clock(at, now time.Time) string {
	at = at.In(now.Location())
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("2 Jan 15:04")
}
