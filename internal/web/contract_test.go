package web

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// A line says what was left out of what was bad, and one what is owed.
func TestContractLines(t *testing.T) {
	l := &sla.ServiceLevel{Aggregation: sla.Time, Period: sla.Period{Rolling: 24 * time.Hour}, ServiceHours: &sla.Calendar{}}
	l.Credits.Tiers = []sla.CreditTier{{Below: sla.MustDecimal("99.9"), Percent: sla.MustDecimal("10")}, {Below: sla.MustDecimal("99"), Percent: sla.MustDecimal("25")}}
	s := LevelStatus{Level: l, Bad: Known(1000), Contract: Contract{
		MeasuredBad: Known(3000), ExcludedBad: Known(1200), Owed: Known(10), MinutesToTier: []Figure{Known(0), Known(60)},
	}}
	plain := func(text string) string { return strings.NewReplacer(thin, " ", "\u00a0", " ").Replace(text) }
	if got, want := plain(leftOut(s)), "of 50 min bad: 20 min excluded, 13 min 20 s outside of hours, 16 min 40 s counted"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := plain(owed(s)), "10 % owed if the rest is good; 25 % after 1 h more of outage"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Contract.Owed, s.Contract.MinutesToTier[0] = Known(0), Known(30)
	if got, want := plain(owed(s)), "nothing owed; 10 % after 30 min more of outage"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	l.Aggregation = sla.RequestRatio
	if got, want := plain(leftOut(s)), "of 3 000 bad: 1 200 excluded, 800 outside of hours, 1 000 counted"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Contract = Contract{}
	if leftOut(s) != "" || owed(s) != "" {
		t.Error("there is a line of a level without hours and credits")
	}
}

// Good events that exceed the total are told beside what was achieved.
func TestExcessIsTold(t *testing.T) {
	s := LevelStatus{Level: &sla.ServiceLevel{Aggregation: sla.RequestRatio}}
	if got := newStanding(s).Excess; got != "" {
		t.Errorf("without excess: %q", got)
	}
	s.Excess = Known(0.3)
	if got := newStanding(s).Excess; !strings.HasPrefix(got, "30.0"+thin+"% more good events are counted than events") {
		t.Errorf("got %q", got)
	}
}
