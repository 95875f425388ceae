package credit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/credit"
	"github.com/upheld-sla/upheld/sla"
)

func TestEarnBackAfterPeriods(t *testing.T) {
	a := level("a", "99.9", tiers("99.9", "10"))
	policy := sla.CreditPolicy{Fee: euros("100.00"), EarnBack: &sla.EarnBack{After: 3}}
	for _, c := range []struct {
		name    string
		percent string
		earlier []credit.Earlier
		back    string
		net     string
	}{
		{"July, after three good months", "99.9", []credit.Earlier{month(7, "99", "10"), month(8, "100", "0"), month(9, "99.9", "0")}, "10", "-10"},
		{"only two months since", "99.9", []credit.Earlier{month(8, "99", "10"), month(9, "100", "0")}, "0", "0"},
		{"one of them missed", "99.9", []credit.Earlier{month(7, "99", "10"), month(8, "99", "10"), month(9, "100", "0")}, "0", "0"},
		{"this one missed", "99", []credit.Earlier{month(7, "99", "10"), month(8, "100", "0"), month(9, "100", "0")}, "0", "10"},
		{"one of them unknown", "99.9", []credit.Earlier{month(7, "99", "10"), month(8, "", "0"), month(9, "100", "0")}, "0", "0"},
		{"not before its time again", "99.9", []credit.Earlier{month(6, "99", "10"), month(7, "100", "0"), month(8, "100", "0"), month(9, "100", "-10")}, "0", "0"},
		{"a month is missing", "99.9", []credit.Earlier{month(6, "99", "10"), month(8, "100", "0"), month(9, "100", "0")}, "0", "0"},
	} {
		in := october(policy, achieved(a, c.percent))
		in.Earlier = c.earlier
		s := credit.Settle(in)
		if s.EarnedBack.Cmp(dec(c.back)) != 0 || s.Net.Cmp(dec(c.net)) != 0 {
			t.Errorf("%s: %s earned back, net %s, want %s and %s: %s", c.name, s.EarnedBack, s.Net, c.back, c.net, s.Words)
		}
	}
}

// In December, the mean of a year that is known in full decides.
func TestEarnBackByYear(t *testing.T) {
	a := level("a", "99.9", tiers("99.9", "10"))
	year := func(one string) credit.Input {
		in := october(sla.CreditPolicy{Fee: euros("100.00"), EarnBack: &sla.EarnBack{}}, achieved(a, "100"))
		in.Start, in.End = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		for m := time.January; m < time.December; m++ {
			if m == time.May {
				in.Earlier = append(in.Earlier, month(m, one, "10"))
			} else {
				in.Earlier = append(in.Earlier, month(m, "100", "0"))
			}
		}
		return in
	}
	// Eleven months of 100 % and one of 98.8 % are 99.9 % on the mean, exactly the target.
	for one, back := range map[string]string{"98.8": "10", "98.7999": "0"} {
		if s := credit.Settle(year(one)); s.EarnedBack.Cmp(dec(back)) != 0 {
			t.Errorf("with %s %% in May %s is earned back, want %s", one, s.EarnedBack, back)
		}
	}
	in := year("98.8")
	in.Earlier = in.Earlier[1:]
	if s := credit.Settle(in); s.EarnedBack.Sign() != 0 {
		t.Errorf("without January %s is earned back", s.EarnedBack)
	}
	in = year("98.8")
	in.Start, in.End, in.Earlier = in.Earlier[10].Start, in.Earlier[10].End, in.Earlier[:10]
	if s := credit.Settle(in); s.EarnedBack.Sign() != 0 {
		t.Errorf("in November %s is earned back", s.EarnedBack)
	}
}

// What twelve months cost together is limited: October's twelve begin in November.
func TestCapOfTwelveMonths(t *testing.T) {
	a := level("a", "99.9", tiers("99.9", "40"))
	in := october(sla.CreditPolicy{Fee: euros("100.00"), Caps: []sla.CreditCap{{Per: sla.CapYear, Percent: dec("100")}}}, achieved(a, "99"))
	october2025 := month(10, "99", "90")
	october2025.Start, october2025.End = october2025.Start.AddDate(-1, 0, 0), october2025.End.AddDate(-1, 0, 0)
	in.Earlier = []credit.Earlier{october2025, month(3, "99", "40"), month(9, "99", "40")}
	s := credit.Settle(in)
	if s.Net.Cmp(dec("20")) != 0 || s.CappedBy != "at most 100 % in 12 months" {
		t.Errorf("%s, capped by %q", s.Net, s.CappedBy)
	}
	in.Earlier = append(in.Earlier[:2], month(8, "99", "40"), month(9, "99", "20"))
	if s := credit.Settle(in); s.Net.Sign() != 0 || s.Words != "Nothing is owed. At most 100 % in 12 months: 0.00 EUR." {
		t.Errorf("%s: %s", s.Net, s.Words)
	}
}

func TestClaim(t *testing.T) {
	a := level("a", "99.9", tiers("99.9", "10"))
	for _, c := range []struct {
		claim sla.CreditClaim
		zone  string
		by    string
	}{
		{sla.CreditClaim{Days: 30}, "", "2026-11-30"},
		{sla.CreditClaim{Days: 1}, "America/Los_Angeles", "2026-11-01"},
		{sla.CreditClaim{Periods: 1}, "Europe/Berlin", "2026-11-30"},
		{sla.CreditClaim{Periods: 2}, "", "2026-12-31"},
	} {
		in := october(sla.CreditPolicy{Claim: &c.claim}, achieved(a, "99"))
		in.Period.Zone = c.zone
		in.Start, in.End = in.Period.Bounds(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC))
		s := credit.Settle(in)
		if got := s.ClaimBy.Format("2006-01-02"); got != c.by || !strings.Contains(s.Words, "Claim it by "+c.by) {
			t.Errorf("%+v: %s: %s, want %s", c.claim, got, s.Words, c.by)
		}
		in.Levels = []credit.Level{achieved(a, "100")}
		if s := credit.Settle(in); !s.ClaimBy.IsZero() {
			t.Errorf("nothing is owed, and is to be claimed by %s", s.ClaimBy)
		}
	}
}

func TestTermination(t *testing.T) {
	a, b := level("a", "99.9", tiers("99.9", "10")), level("b", "99.9", sla.Credits{})
	bad := func(m time.Month, a, b bool) credit.Earlier {
		e := month(m, "100", "0")
		e.Levels = map[string]credit.EarlierLevel{"web/a": {Known: true, Met: !a}, "web/b": {Known: true, Met: !b}}
		return e
	}
	for _, c := range []struct {
		name    string
		right   sla.TerminationRight
		a, b    string
		earlier []credit.Earlier
		want    string
	}{
		{
			"three of six",
			sla.TerminationRight{Breached: 3, OfPeriods: 6, SameLevel: true},
			"99", "100",
			[]credit.Earlier{bad(5, true, false), bad(6, false, true), bad(7, false, false), bad(8, true, false), bad(9, false, true)},
			"You may end the agreement: web/a was breached in 3 of the last 6 periods",
		},
		{
			"the third lies too far back",
			sla.TerminationRight{Breached: 3, OfPeriods: 5, SameLevel: true},
			"99", "100",
			[]credit.Earlier{bad(5, true, false), bad(6, false, true), bad(7, false, false), bad(8, true, false), bad(9, false, true)},
			"",
		},
		{"two levels in turn", sla.TerminationRight{Breached: 2, OfPeriods: 2, SameLevel: true}, "99", "100", []credit.Earlier{bad(9, false, true)}, ""},
		{"any level", sla.TerminationRight{Breached: 2, OfPeriods: 2}, "99", "100", []credit.Earlier{bad(9, false, true)}, "You may end the agreement: 2 of the last 2 periods were breached"},
		{"this one good", sla.TerminationRight{Breached: 2, OfPeriods: 3}, "100", "100", []credit.Earlier{bad(8, true, true), bad(9, true, true)}, "You may end the agreement: 2 of the last 3 periods were breached"},
		{"two at once are one period", sla.TerminationRight{Breached: 2, OfPeriods: 3}, "99", "99", nil, ""},
	} {
		in := october(sla.CreditPolicy{}, achieved(a, c.a), achieved(b, c.b))
		in.Termination, in.Earlier = &c.right, c.earlier
		if s := credit.Settle(in); s.Termination != c.want {
			t.Errorf("%s: %q, want %q", c.name, s.Termination, c.want)
		}
	}
}
