package web

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// One line says what was excluded, and another which credit is due.
func TestContractLines(t *testing.T) {
	l := &sla.ServiceLevel{Aggregation: sla.Time, Period: sla.Period{Rolling: 24 * time.Hour}, ServiceHours: &sla.Calendar{}}
	l.Credits.Tiers = []sla.CreditTier{{Below: sla.MustDecimal("99.9"), Percent: sla.MustDecimal("10")}, {Below: sla.MustDecimal("99"), Percent: sla.MustDecimal("25")}}
	s := LevelStatus{Level: l, Bad: Known(1000), Contract: Contract{
		MeasuredBad: Known(3000), ExcludedBad: Known(1200), Credit: Known(10), MinutesToTier: []Figure{Known(0), Known(60)},
	}}
	plain := func(text string) string { return strings.NewReplacer(thin, " ", "\u00a0", " ").Replace(text) }
	if got, want := plain(excludedWords(s)), "of 50 min bad: 20 min excluded, 13 min 20 s outside service hours, 16 min 40 s counted"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := plain(creditWords(s)), "10 % if the rest of the period is good; 25 % after 1 h more outage"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Contract.Credit, s.Contract.MinutesToTier[0] = Known(0), Known(30)
	if got, want := plain(creditWords(s)), "no credit so far; 10 % after 30 min more outage"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	l.Aggregation = sla.RequestRatio
	if got, want := plain(excludedWords(s)), "of 3 000 bad: 1 200 excluded, 800 outside service hours, 1 000 counted"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Contract = Contract{}
	if excludedWords(s) != "" || creditWords(s) != "" {
		t.Error("there is a line of a level without hours and credits")
	}
}

// If good events exceed the total, the page says so beside the achieved share.
func TestExcessIsTold(t *testing.T) {
	s := LevelStatus{Level: &sla.ServiceLevel{Aggregation: sla.RequestRatio}}
	if got := newPeriodSummary(s, atNoon).Excess; got != "" {
		t.Errorf("without excess: %q", got)
	}
	s.Excess = Known(0.3)
	if got := newPeriodSummary(s, atNoon).Excess; !strings.HasPrefix(got, "30.0"+thin+"% more good events than events") {
		t.Errorf("got %q", got)
	}
}
