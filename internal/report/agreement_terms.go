package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// exclusionTable lists what does not count, and for which levels.
func exclusionTable(a *sla.Agreement) []docBlock {
	var rows [][]string
	for _, e := range a.Exclusions {
		rows = append(rows, []string{oneLine(e.Name), inWords(categoryWords, e.Category), exclusionTimes(e), e.Effect.Words(), capText(e), levelsWith(a, e)})
	}
	for _, e := range a.OnClaim {
		rows = append(rows, []string{oneLine(e.Name), inWords(categoryWords, e.Category), claimText(e.Claim), e.Effect.Words(), capText(e), claimedIn(a, e)})
	}
	if rows == nil {
		return []docBlock{{Text: "Nothing: all bad time counts, whatever its cause."}}
	}
	return []docBlock{
		{Text: "Time that several exclusions name is excluded once. Where one has a cap, it is used up in order of time, and what lies beyond counts."},
		{Head: []string{"Exclusion", "Kind", "When", "Effect", "At most", "Levels"}, Rows: rows},
	}
}

func exclusionTimes(e *sla.Exclusion) string {
	if e.OnCondition() {
		return "while " + oneLine(e.Condition.Text)
	}
	once, words := 0, []string{}
	for _, w := range e.Windows {
		if w.Recurs == nil {
			once++
			continue
		}
		words = append(words, fmt.Sprintf("%s, from %s for %s", ruleWords(w.Recurs.Rule), w.Recurs.Start.Format("15:04"), sla.FormatDuration(w.Recurs.Length)))
	}
	if once > 0 {
		words = append(words, plural(once, "single window"))
	}
	text := strings.Join(words, "; ")
	if e.Notice > 0 {
		text += ", announced at least " + sla.FormatDuration(e.Notice) + " before"
	}
	return text
}

// weekdays are the names of days in recurrence rules.
var weekdays = []phrase{
	{"MO", "Monday"}, {"TU", "Tuesday"}, {"WE", "Wednesday"}, {"TH", "Thursday"}, {"FR", "Friday"}, {"SA", "Saturday"}, {"SU", "Sunday"},
}

// ruleWords prints the simplest rules plainly, "every Sunday", and others as written.
func ruleWords(rule string) string {
	rule = oneLine(strings.TrimPrefix(rule, "RRULE:"))
	if rule == "FREQ=DAILY" {
		return "every day"
	}
	list, found := strings.CutPrefix(rule, "FREQ=WEEKLY;BYDAY=")
	if !found || strings.ContainsAny(list, ";=") {
		return rule
	}
	var days []string
	for day := range strings.SplitSeq(list, ",") {
		days = append(days, inWords(weekdays, day))
	}
	return "every " + strings.Join(days, " and ")
}

// claimText says how unforeseeable time is claimed.
func claimText(c *sla.Claim) string {
	words := "claimed afterwards: " + c.Approval.Doc()
	if c.Evidence {
		words += ", on evidence"
	}
	if c.DisputeBy > 0 {
		words += ", disputed at the latest " + plural(c.DisputeBy, "day") + " after it was filed"
	}
	return words
}

func capText(e *sla.Exclusion) string {
	switch {
	case e.Cap == nil:
		return none
	case e.Cap.WindowTime > 0:
		return fmt.Sprintf("%s of windows a %s", sla.FormatDuration(e.Cap.WindowTime), e.Cap.Per.Calendar)
	}
	return fmt.Sprintf("%s of downtime a %s", sla.FormatDuration(e.Cap.Downtime), e.Cap.Per.Calendar)
}

func levelsWith(a *sla.Agreement, e *sla.Exclusion) string {
	return levelsWhere(a, func(l *sla.ServiceLevel) bool { return slices.Contains(l.Exclusions, e) })
}

func claimedIn(a *sla.Agreement, e *sla.Exclusion) string {
	return levelsWhere(a, func(l *sla.ServiceLevel) bool { return slices.Contains(l.OnClaim, e) })
}

func levelsWhere(a *sla.Agreement, is func(*sla.ServiceLevel) bool) string {
	var with []string
	for _, l := range a.Levels {
		if is(l) {
			with = append(with, levelID(l))
		}
	}
	if len(with) == len(a.Levels) {
		return "all"
	}
	return orNone(strings.Join(with, ", "))
}

// creditsOf lists what missed promises cost, with an example for each level with tiers.
func creditsOf(a *sla.Agreement, now time.Time) []docBlock {
	var rows [][]string
	var examples []string
	for _, l := range a.Levels {
		if !l.Credits.Any() {
			continue
		}
		rows = append(rows, []string{levelID(l), periodText(l.CreditPeriod()), l.Credits.CreditWords(), oneLine(a.CreditPolicy.BasisOf(l))})
		if len(l.Credits.Tiers) > 0 {
			examples = append(examples, creditExample(l, now))
		}
	}
	if rows == nil {
		return nil
	}
	blocks := []docBlock{
		{Text: "If less was achieved than a tier names, its share is due. The lowest tier that applies decides."},
		{Head: []string{"Level", "Period", "Credit", "Of"}, Rows: rows},
	}
	if pairs := policyFacts(a); len(pairs) > 0 {
		blocks = append(blocks, docBlock{Pairs: pairs})
	}
	if examples != nil {
		blocks = append(blocks, docBlock{Text: "Examples, before caps:"}, docBlock{Items: examples})
	}
	return blocks
}

// policyFacts are the terms for all credits together.
func policyFacts(a *sla.Agreement) []fact {
	p := a.CreditPolicy
	var facts []fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{Name: name, Value: oneLine(value)})
		}
	}
	if p.Fee != nil {
		add("Fee", p.Fee.Words())
	}
	if len(facts) > 0 || p.Combine != "" {
		add("Of several levels", p.Combine.Doc()+" is due")
	}
	if p.OneCause {
		add("One cause", "of levels that failed for the same cause, only the greatest credit counts")
	}
	if len(p.BreachCount) > 0 {
		add("By missed promises", sla.StepWords(p.BreachCount, "missed promise"))
	}
	if p.AtRisk.Sign() > 0 {
		add("At risk", p.AtRisk.String()+" % of the fee")
	}
	for _, c := range p.Caps {
		add("At most", c.Words())
	}
	if p.Minimum != nil {
		add("Paid out", p.Minimum.Words())
	}
	if p.EarnBack != nil {
		add("Earned back", p.EarnBack.Words())
	}
	if p.Claim != nil {
		add("To be claimed", p.Claim.Words())
	}
	if a.Termination != nil {
		add("Right to end the agreement", a.Termination.Words())
	}
	return facts
}

// creditExample is an example of the first tier: when it applies, and what follows.
func creditExample(l *sla.ServiceLevel, now time.Time) string {
	first := l.Credits.Tiers[0]
	// Halfway to the next tier, or as far below the tier as the tier is below 100 %.
	next := first.Below.Sub(sla.NewDecimal(100, 1).Sub(first.Below))
	bound := ""
	if len(l.Credits.Tiers) > 1 {
		next = l.Credits.Tiers[1].Below
		bound = " and not below " + next.String() + " %"
	}
	achieved := first.Below.Add(next).Quo(sla.NewDecimal(2, 1))
	if achieved.Sign() < 0 {
		achieved = sla.Decimal{}
	}
	bad := sla.NewDecimal(100, 1).Sub(achieved).Quo(sla.NewDecimal(100, 1))
	p := l.CreditPeriod()
	what := fmt.Sprintf("%s of all events bad", allDigits(bad.Mul(sla.NewDecimal(100, 1)).String()))
	if l.Aggregation.ByTime() {
		what = fmt.Sprintf("%s bad in a period of %s", duration(sla.Seconds(l.BudgetTime(bad, p, now))), daysWords(p.Nominal()))
	}
	return fmt.Sprintf("%s: with %s, %s %% is achieved. That is %s%s, so %s %% is due: of 1000.00, that is %s.",
		levelID(l), what, achieved, first.Words(), bound, first.Percent, twoPlaces(first.Percent.Mul(sla.NewDecimal(10, 1))))
}

// twoPlaces is an amount of money: "100.00".
func twoPlaces(d sla.Decimal) string {
	whole, fraction, _ := strings.Cut(d.String(), ".")
	return whole + "." + (fraction + "00")[:2]
}
