package report

import (
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// Brief is a summary of a report, in the words and numbers of its pages.
type Brief struct {
	Period      string // "October 2026"
	Class, Word string // of the verdict: good, bad, warn or none, and the word
	Headline    string
	Credit      string // the amount owed, "" for nothing
	Levels      []BriefLevel
}

// BriefLevel is a summary of a level.
type BriefLevel struct {
	Name        string // with its group
	Class, Word string
	Promised    string
	Achieved    string
	Best        string // the best that the period can end at; "" once it is over
	Left        string // of the budget
}

// NewBrief summarizes a report.
func NewBrief(r *verdict.Report) Brief {
	m, words := headline(r)
	b := Brief{Period: upperFirst(periodWords(r.Period)), Class: plainClass(m), Word: m.Word, Headline: words, Credit: creditWords(r.Credit)}
	for i := range r.Levels {
		b.Levels = append(b.Levels, newBriefLevel(r, &r.Levels[i]))
	}
	return b
}

func newBriefLevel(r *verdict.Report, l *verdict.Level) BriefLevel {
	p := periodOf(r, l)
	m := markOf(l.Verdict, running(p))
	var v levelView
	v.spent(l)
	b := BriefLevel{
		Name: strings.TrimSpace(levelName(l) + " " + oneLine(labelWords(l.Group))), Class: plainClass(m), Word: m.Word,
		Promised: orNone(allDigits(oneLine(l.Target))), Achieved: orNone(percentText(l.Achieved, l.Target)), Left: v.Left,
	}
	if running(p) {
		b.Best = orNone(percentText(l.Best, l.Target))
	}
	return b
}

// plainClass is the class of a mark on pages without a symbol for too little data.
func plainClass(m mark) string {
	if m.Class == "unsure" {
		return "none"
	}
	return m.Class
}

// creditWords is the amount owed: money, or the share of the fee if that is unknown; ""
// for nothing.
func creditWords(t *verdict.TotalCredit) string {
	if t == nil || isZero(t.Percent) && isZero(t.Amount) {
		return ""
	}
	if amount := money(t.Amount, t.Currency); amount != "" {
		return amount
	}
	return allDigits(t.Percent) + " of the fee"
}
