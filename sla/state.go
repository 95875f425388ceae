package sla

// State is how a level is at one moment, as pages, boards, alerts and the terminal all
// name it. Rules record its number. A greater number is worse, so the worst of several
// levels, or of a stretch of time, is the greatest.
type State int

// The states.
const (
	StateUp State = iota
	StateOutOfHours
	StateMaintenance
	StateUnknown
	StateDegraded
	StateDown
)

// Class says how to draw something, whatever the colours are. It is the name of a CSS
// class, and boards choose their colours by it.
type Class string

// The classes. ClassNone says nothing about the service, and is drawn neither as good
// nor as bad.
const (
	ClassGood Class = "good"
	ClassWarn Class = "warn"
	ClassBad  Class = "bad"
	ClassNone Class = "none"
)

// facets are everything that is known about a state of some kind.
type facets struct {
	name     string // in JSON, in URLs and as a label
	words    string // for people: "Out of hours"
	sentence string
	class    Class
	look     bool // somebody should look
}

// states is the table of all states, by their numbers.
var states = []facets{
	{"up", "Up", "It works, as far as the objective asks.", ClassGood, false},
	{"out_of_hours", "Out of hours", "Nothing is promised now: it is outside the service hours.", ClassNone, false},
	{"maintenance", "Maintenance", "A maintenance window, or another window that is excluded, is open now.", ClassNone, false},
	{"unknown", "Unknown", "Nothing says how it is: there is no measurement.", ClassNone, true},
	{"degraded", "Degraded", "A part of it is bad, and more than the objective allows.", ClassWarn, true},
	{"down", "Down", "It does not work: no target answers, or at least half of what was measured in the last five minutes is bad.", ClassBad, true},
}

// States are all of them, the best first.
func States() []State { return numbersOf[State](states) }

// StateOf is the state that a recorded number stands for, or not ok if none does.
func StateOf(code float64) (state State, ok bool) { return lineOf[State](states, code) }

func (s State) facets() facets { return states[s] }

// Code is the number that rules record.
func (s State) Code() int { return int(s) }

// String is the name of the state where programs read it: "out_of_hours".
func (s State) String() string { return s.facets().name }

// Words are those for people: "Out of hours".
func (s State) Words() string { return s.facets().words }

// Sentence says what the state means.
func (s State) Sentence() string { return s.facets().sentence }

// Class says how the state is drawn.
func (s State) Class() Class { return s.facets().class }

// NeedsAttention reports whether somebody should look: it is known not to be well, or not
// known to be.
func (s State) NeedsAttention() bool { return s.facets().look }

// WorseThan reports whether it is worse to be in this state than in another.
func (s State) WorseThan(other State) bool { return s > other }

// BudgetState is how the budget of a level is doing, which is not how the service is: it
// may be up with its budget spent, and down with most of it left.
type BudgetState int

// The states of budgets, each worse than the one before.
const (
	BudgetFine BudgetState = iota
	BudgetBurning
	BudgetSpent
)

var budgetStates = []facets{
	{"fine", "Fine", "The budget lasts if it goes on like this.", ClassGood, false},
	{"burning", "Burning", "The budget is being spent faster than an alert allows.", ClassWarn, true},
	{"spent", "Spent", "Nothing of the budget is left.", ClassBad, true},
}

// BudgetStates are all of them, the best first.
func BudgetStates() []BudgetState { return numbersOf[BudgetState](budgetStates) }

// BudgetStateOf is the state of a budget of which a share is left, 1 for all of it, while
// a tier of alerts burns or not. It is not ok if the share is not known.
func BudgetStateOf(left float64, burns bool) (state BudgetState, ok bool) {
	switch {
	case left != left:
		return BudgetFine, false
	case left <= 0:
		return BudgetSpent, true
	case burns:
		return BudgetBurning, true
	}
	return BudgetFine, true
}

func (s BudgetState) facets() facets { return budgetStates[s] }

// String is the name of the state where programs read it.
func (s BudgetState) String() string { return s.facets().name }

// Words are those for people.
func (s BudgetState) Words() string { return s.facets().words }

// Sentence says what the state means.
func (s BudgetState) Sentence() string { return s.facets().sentence }

// Class says how the state is drawn.
func (s BudgetState) Class() Class { return s.facets().class }

// NeedsAttention reports whether somebody should look.
func (s BudgetState) NeedsAttention() bool { return s.facets().look }

// TargetState says whether a level keeps its promise over the period, so far.
type TargetState int

// The states of targets, each worse than the one before.
const (
	TargetMet TargetState = iota
	TargetAtRisk
	TargetMissed
)

var targetStates = []facets{
	{"met", "Target met", "The target share is met so far.", ClassGood, false},
	{"at_risk", "Target at risk", "The target share is met so far, and will be missed soon if it goes on like this, or little of the budget is left.", ClassWarn, true},
	{"missed", "Target missed", "Less was achieved than the target share.", ClassBad, true},
}

// LittleBudget is the share of the budget under which a target is at risk.
const LittleBudget = 0.25

// TargetStates are all of them, the best first.
func TargetStates() []TargetState { return numbersOf[TargetState](targetStates) }

// TargetStateOf is the state of a target share, given what was achieved in the period so
// far, the share of the whole period's budget that is left, and whether the forecast alert
// fires. It is not ok if one of the shares is not known.
func TargetStateOf(achieved, target, left float64, forecast bool) (state TargetState, ok bool) {
	switch {
	case achieved != achieved || target != target || left != left:
		return TargetMet, false
	case achieved < target:
		return TargetMissed, true
	case forecast || left < LittleBudget:
		return TargetAtRisk, true
	}
	return TargetMet, true
}

func (s TargetState) facets() facets { return targetStates[s] }

// String is the name of the state where programs read it.
func (s TargetState) String() string { return s.facets().name }

// Words are those for people.
func (s TargetState) Words() string { return s.facets().words }

// Sentence says what the state means.
func (s TargetState) Sentence() string { return s.facets().sentence }

// Class says how the state is drawn.
func (s TargetState) Class() Class { return s.facets().class }

// NeedsAttention reports whether somebody should look.
func (s TargetState) NeedsAttention() bool { return s.facets().look }

// numbersOf are the numbers of a table's lines.
func numbersOf[S ~int](table []facets) []S {
	numbers := make([]S, len(table))
	for i := range table {
		numbers[i] = S(i)
	}
	return numbers
}

// lineOf is the line of a table that a number stands for.
func lineOf[S ~int](table []facets, code float64) (S, bool) {
	if i := int(code); float64(i) == code && i >= 0 && i < len(table) {
		return S(i), true
	}
	return 0, false
}
