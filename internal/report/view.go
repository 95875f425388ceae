package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// figure is a value of the JSON and how it is shown: the text for people, the exact
// value, and its path in the JSON ("levels.0.achieved").
type figure struct{ Text, Value, Path string }

// none is shown where there is no value.
const none = "\u2013"

// reviewView is one report, ready for rendering.
type reviewView struct {
	Anchor      string
	Agreement   string
	Description string
	Period      string
	Parties     string
	Mark        mark
	Headline    string
	Facts       []fact
	Restated    string
	Counts      string
	Levels      []*levelView
	AnyMet      bool // a level is met, so remarks on met levels are explained
	Buts        []butView
	Recovery    []recoveryView
	Exclusions  []exclusionView
	Obligations []obligationView
	Credit      *creditView
	Trend       *trendView
	Findings    []findingView
	Method      []methodView
	Words       []fact
	Made        []fact
}

// fact is a name with a value; Code is a value for machines.
type fact struct {
	Name, Value string
	Code        bool
}

type butView struct{ Level, Href, Title, Words string }

type recoveryView struct {
	Level, Href             string
	Objective, Value, Limit string
	Words                   string
	Mark                    mark
}

type exclusionView struct {
	Name, Category, Effect string
	Spans                  []spanView
	MoreSpans              int
	Time, CapLeft          figure
	Approval, Reason       string
	Evidence               evidence
}

type spanView struct{ From, To moment }

type obligationView struct {
	Party, Name, Due, Done string
	Mark                   mark
	Excused                figure
}

type creditView struct {
	Due        string // the amount owed, in one phrase
	Words      string
	Percent    figure
	Amount     figure
	Facts      []fact
	Levels     []levelCreditView
	NothingDue bool
}

type levelCreditView struct {
	Level, Href, Words string
	Percent, Amount    figure
}

type findingView struct{ Level, Kind, Message string }

// newReview makes the view of one report. Its anchors start with prefix, so that
// several reports fit on one page.
func newReview(r *verdict.Report, history []*verdict.Report, prefix string) *reviewView {
	c := clockOf(r.Period)
	m, words := headline(r)
	v := &reviewView{
		Anchor: prefix, Agreement: oneLine(r.Agreement), Description: oneLine(r.Description), Period: periodWords(r.Period),
		Mark: m, Headline: words, Trend: newTrend(r, history),
	}
	switch provider, customer := oneLine(r.Provider), oneLine(r.Customer); {
	case provider != "" && customer != "":
		v.Parties = provider + " for " + customer
	default:
		v.Parties = provider + customer
	}
	if r.Version > 1 {
		v.Restated = fmt.Sprintf("Version %d. It replaces version %d", r.Version, r.Supersedes)
		if r.Reason != "" {
			v.Restated += ": " + oneLine(r.Reason)
		}
	}
	for i := range r.Levels {
		v.Levels = append(v.Levels, newLevel(r, i, prefix, v.Trend))
	}
	v.Counts = countVerdicts(r)
	v.Facts = reviewFacts(r, c)
	v.AnyMet = slices.ContainsFunc(r.Levels, func(l verdict.Level) bool { return l.Verdict == verdict.Met })
	v.Buts, v.Recovery = butsOf(r, v.Levels), recoveryOf(r, v.Levels)
	v.Exclusions, v.Obligations = exclusionsOf(r, c), obligationsOf(r)
	v.Credit = creditOf(r, v.Levels)
	for _, f := range r.Findings {
		v.Findings = append(v.Findings, findingView{oneLine(f.Level), inWords(nil, f.Kind), oneLine(f.Message)})
	}
	for i := range r.Levels {
		v.Method = append(v.Method, newMethod(&r.Levels[i], v.Levels[i]))
	}
	v.Words, v.Made = glossary, madeOf(r, c)
	return v
}

func reviewFacts(r *verdict.Report, c clock) []fact {
	period := fmt.Sprintf("%s to %s, %s", c.day(r.Period.Start).Text, c.day(r.Period.End).Text, oneLine(r.Period.Zone))
	standing := "Final: the period is over"
	if running(r.Period) {
		standing = "To date: judged until " + c.day(r.Period.Until).Text
	}
	facts := []fact{{Name: "Period", Value: period}, {Name: "Figures", Value: standing}}
	if len(r.Levels) > 1 {
		facts = append(facts, fact{Name: "Promises", Value: countVerdicts(r)})
	}
	switch t := r.Credit; {
	case t == nil:
	case t.Amount != "":
		facts = append(facts, fact{Name: "Credit", Value: money(t.Amount, t.Currency)})
	default:
		facts = append(facts, fact{Name: "Credit", Value: allDigits(t.Percent) + " of the fee"})
	}
	return facts
}

// countVerdicts prints "28 met, 1 breached, 1 insufficient data".
func countVerdicts(r *verdict.Report) string {
	counts := map[verdict.Verdict]int{}
	for _, l := range r.Levels {
		counts[l.Verdict]++
	}
	var parts []string
	for _, w := range verdictTable {
		if n := counts[w.verdict]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(w.word)))
		}
	}
	return strings.Join(parts, ", ")
}

func butsOf(r *verdict.Report, levels []*levelView) []butView {
	var buts []butView
	for i, l := range r.Levels {
		for _, b := range l.But {
			buts = append(buts, butView{levels[i].Name, levels[i].Anchor, upperFirst(inWords(checkWords, b.Check)), oneLine(b.Words)})
		}
	}
	return buts
}

func recoveryOf(r *verdict.Report, levels []*levelView) []recoveryView {
	var all []recoveryView
	for i, l := range r.Levels {
		running := running(periodOf(r, &r.Levels[i]))
		for _, o := range l.Recovery {
			all = append(all, recoveryView{
				Level: levels[i].Name, Href: levels[i].Anchor, Objective: upperFirst(oneLine(o.Objective)), Words: oneLine(o.Words),
				Value: orNone(oneLine(o.Value)), Limit: orNone(oneLine(o.Limit)), Mark: markOf(o.Verdict, running),
			})
		}
	}
	return all
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

// maxSpans is how many times of one exclusion are listed, for example of a recurring
// one.
const maxSpans = 12

func exclusionsOf(r *verdict.Report, c clock) []exclusionView {
	var all []exclusionView
	for i, e := range r.Exclusions {
		path := fmt.Sprintf("exclusions.%d.", i)
		v := exclusionView{
			Name: oneLine(e.Name), Category: inWords(categoryWords, e.Category), Effect: inWords(effectWords, e.Effect),
			Time: figure{quantity(e.Seconds, "seconds"), e.Seconds, path + "seconds"}, MoreSpans: max(0, len(e.Spans)-maxSpans),
			Approval: upperFirst(oneLine(e.Approval)), Reason: upperFirst(oneLine(e.Reason)), Evidence: evidenceOf(e.Evidence),
		}
		if e.CapLeft != "" {
			v.CapLeft = figure{quantity(e.CapLeft, "seconds"), e.CapLeft, path + "capLeft"}
		}
		for _, s := range e.Spans[:min(len(e.Spans), maxSpans)] {
			v.Spans = append(v.Spans, spanView{c.instant(s.From), c.until(s.From, s.To)})
		}
		all = append(all, v)
	}
	return all
}

func obligationsOf(r *verdict.Report) []obligationView {
	var all []obligationView
	for i, o := range r.Obligations {
		v := obligationView{
			Party: upperFirst(oneLine(o.Party)), Name: upperFirst(oneLine(o.Name)), Due: orNone(dateWords(o.Due)), Done: orNone(dateWords(o.Done)), Mark: mark{"In time", "good"},
		}
		if o.Excused != "" {
			v.Excused = figure{quantity(o.Excused, "seconds"), o.Excused, fmt.Sprintf("obligations.%d.excused", i)}
		}
		switch {
		case o.Late:
			v.Mark = mark{"Late", "warn"}
		case o.Done == "":
			v.Mark = mark{"Open", "none"}
		}
		all = append(all, v)
	}
	return all
}

// creditOf returns nil if the agreement has no credits.
func creditOf(r *verdict.Report, levels []*levelView) *creditView {
	v := &creditView{NothingDue: true}
	for i, l := range r.Levels {
		if l.Credit == nil {
			continue
		}
		path := fmt.Sprintf("levels.%d.credit.", i)
		v.Levels = append(v.Levels, levelCreditView{
			Level: levels[i].Name, Href: levels[i].Anchor, Words: oneLine(l.Credit.Words),
			Percent: figure{allDigits(l.Credit.Percent), l.Credit.Percent, path + "percent"},
			Amount:  figure{money(l.Credit.Amount, l.Credit.Currency), l.Credit.Amount, path + "amount"},
		})
	}
	t := r.Credit
	if t == nil {
		if len(v.Levels) == 0 {
			return nil
		}
		return v
	}
	v.Words = oneLine(t.Words)
	v.Percent = figure{allDigits(t.Percent), t.Percent, "credit.percent"}
	v.Amount = figure{money(t.Amount, t.Currency), t.Amount, "credit.amount"}
	v.NothingDue = isZero(t.Percent) && isZero(t.Amount) && t.ExtendedBy == ""
	gross := t.Gross
	if gross == t.Amount || t.Amount == "" && gross == t.Percent {
		gross = "" // the amount was neither limited nor earned back
	}
	for _, f := range []fact{
		{Name: "Term extended by", Value: extension(t.ExtendedBy)},
		{Name: "Before caps and earn-back", Value: moneyOrShare(gross, t.Currency)},
		{Name: "Earned back", Value: moneyOrShare(t.Earned, t.Currency)},
		{Name: "Cut to the cap", Value: oneLine(t.CappedBy)},
		{Name: "Claim until", Value: dateWords(t.ClaimBy)},
		{Name: "A claim needs", Value: oneLine(strings.Join(t.Evidence, "; "))},
		{Name: "Right to end the agreement", Value: upperFirst(oneLine(t.Termination))},
	} {
		if f.Value != "" {
			v.Facts = append(v.Facts, f)
		}
	}
	return v
}

// moneyOrShare is an amount of money, or without a currency a share of the fee.
func moneyOrShare(amount, currency string) string {
	if currency != "" || amount == "" {
		return money(amount, currency)
	}
	return allDigits(oneLine(amount)) + " of the fee"
}

// extension is a number of days in words.
func extension(days string) string {
	if days == "" {
		return ""
	}
	return quantity(days, "days")
}

func isZero(number string) bool { return strings.Trim(number, "0.") == "" }

func madeOf(r *verdict.Report, c clock) []fact {
	facts := []fact{
		{"Specification, SHA-256", oneLine(r.Spec.SHA256), true},
		{"Measurements, SHA-256", oneLine(r.Inputs.SHA256), true},
	}
	for i, s := range r.Sources {
		facts = append(facts, fact{[]string{"Measured by", ""}[min(i, 1)], oneLine(s), true})
	}
	version := fmt.Sprintf("%d", r.Version)
	if r.Supersedes > 0 {
		version += fmt.Sprintf(", which replaces version %d", r.Supersedes)
	}
	facts = append(facts, fact{Name: "Version of this report", Value: version})
	if !r.Made.At.IsZero() {
		facts = append(facts, fact{Name: "Made", Value: strings.TrimSpace(c.day(r.Made.At).Text + ", by " + oneLine(r.Made.By))})
	}
	return facts
}

// glossary explains the words of the review to a new reader.
var glossary = []fact{
	{Name: "Agreed time", Value: "the time in which the service is promised: service hours, without what the agreement takes out. Where events are promised, all that count."},
	{Name: "Bad", Value: "time, slots or events in which the promise was not kept, and that count."},
	{Name: "Budget", Value: "what the promise allows to be bad: 99.9 % of a month of 30 days allows 43 min 12 s."},
	{Name: "Slot", Value: "a short range of time that is judged as a whole, as 5 minutes."},
	{Name: "Excused", Value: "bad that does not count, for a reason that the agreement names, as announced maintenance. Excluded is that, and time that was taken out of agreed time."},
	{Name: "Unknown", Value: "time in which nothing was measured. Coverage is the share of agreed time that was."},
	{Name: "Raw", Value: "what would have been achieved if nothing had been excluded."},
}
