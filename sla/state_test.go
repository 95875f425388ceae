package sla_test

import (
	"math"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// The numbers are recorded in databases: they never change, and a greater one is worse.
func TestStatesAreRecordedByTheseNumbers(t *testing.T) {
	want := []string{"up Up good", "out_of_hours Out of hours none", "maintenance Maintenance none", "unknown Unknown none", "degraded Degraded warn", "down Down bad"}
	if got := len(sla.States()); got != len(want) {
		t.Fatalf("%d states, want %d", got, len(want))
	}
	for code, words := range want {
		s, ok := sla.StateOf(float64(code))
		if got := s.String() + " " + s.Words() + " " + string(s.Class()); !ok || got != words || s.Code() != code {
			t.Errorf("%d is %q (%v), want %q", code, got, ok, words)
		}
		if s.Sentence() == "" || s.NeedsAttention() != (code >= 3) || code > 0 && !s.WorseThan(sla.State(code-1)) {
			t.Errorf("%s: %q, needs attention: %v", s, s.Sentence(), s.NeedsAttention())
		}
	}
	for _, code := range []float64{-1, 0.5, 6, math.NaN(), math.Inf(1)} {
		if s, ok := sla.StateOf(code); ok {
			t.Errorf("%v is %s, want none", code, s)
		}
	}
}

func TestBudgetsAndTargetsHaveStates(t *testing.T) {
	for _, test := range []struct {
		left  float64
		burns bool
		want  string
		known bool
	}{{1, false, "fine", true}, {0.1, true, "burning", true}, {0, true, "spent", true}, {-3, false, "spent", true}, {math.NaN(), true, "", false}} {
		if got, ok := sla.BudgetStateOf(test.left, test.burns); ok != test.known || ok && got.String() != test.want {
			t.Errorf("%v left, burns %v: %s (%v), want %s", test.left, test.burns, got, ok, test.want)
		}
	}
	for _, test := range []struct {
		achieved, left float64
		forecast       bool
		want           string
		known          bool
	}{
		{0.9995, 0.5, false, "met", true},
		{0.999, 0.5, false, "met", true},
		{0.9995, 0.5, true, "at_risk", true},
		{0.9995, 0.24, false, "at_risk", true},
		{0.9989, 0.5, false, "missed", true},
		{math.NaN(), 1, false, "", false},
		{1, math.NaN(), false, "", false},
	} {
		if got, ok := sla.TargetStateOf(test.achieved, 0.999, test.left, test.forecast); ok != test.known || ok && got.String() != test.want {
			t.Errorf("%+v: %s (%v)", test, got, ok)
		}
	}
	for _, s := range sla.BudgetStates() {
		if s.Words() == "" || s.Sentence() == "" || (s.Class() == sla.ClassGood) == s.NeedsAttention() {
			t.Errorf("%s: %q, %q, %s", s, s.Words(), s.Sentence(), s.Class())
		}
	}
	for _, s := range sla.TargetStates() {
		if s.Words() == "" || s.Sentence() == "" || (s.Class() == sla.ClassGood) == s.NeedsAttention() {
			t.Errorf("%s: %q, %q, %s", s, s.Words(), s.Sentence(), s.Class())
		}
	}
}
