package web

import "github.com/upheld-sla/upheld/sla"

// mark is a judgement. Its class selects colour and symbol; the word is there
// because colour must never be the only sign.
type mark struct {
	Class string // good, bad, warn, none
	Word  string
}

func stateMark(s sla.State) mark        { return mark{string(s.Class()), s.Words()} }
func budgetMark(s sla.BudgetState) mark { return mark{string(s.Class()), s.Words()} }
func targetMark(s sla.TargetState) mark { return mark{string(s.Class()), s.Words()} }

// Marks for places with nothing to show.
func (page) NoBurn() mark          { return mark{"none", "No data yet"} }
func (page) NoAlert() mark         { return mark{"good", "Inactive"} }
func (page) NoComponentDown() mark { return mark{"good", "No component"} }
func (page) NothingSpent() mark    { return mark{"good", "Nothing is spent"} }
