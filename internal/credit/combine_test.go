package credit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/credit"
	"github.com/upheld-sla/upheld/sla"
)

// owing is a level that owes a percentage, for causes.
func owing(slo, percent string, causes ...string) credit.Level {
	l := achieved(level(slo, "99.9", tiers("99.9", percent)), "99")
	if len(causes) > 0 {
		l.Outages = []credit.Outage{{Counted: dec("100"), Causes: causes}}
	}
	return l
}

func paid(s credit.Settlement) string {
	var names []string
	for i, l := range s.Levels {
		if l.Paid {
			names = append(names, string(rune('a'+i)))
		}
	}
	return strings.Join(names, "")
}

func TestCombine(t *testing.T) {
	stack := func(l credit.Level, name string) credit.Level {
		l.Level.Credits.NonStacking = name
		return l
	}
	for _, c := range []struct {
		name   string
		policy sla.CreditPolicy
		levels []credit.Level
		paid   string
		net    string
	}{
		{"sum", sla.CreditPolicy{}, []credit.Level{owing("a", "10"), owing("b", "25")}, "ab", "35"},
		{"max", sla.CreditPolicy{Combine: sla.CombineMax}, []credit.Level{owing("a", "10"), owing("b", "25"), owing("c", "25")}, "b", "25"},
		{"first", sla.CreditPolicy{Combine: sla.CombineFirst}, []credit.Level{owing("a", "10"), owing("b", "25")}, "a", "10"},
		{"one group", sla.CreditPolicy{}, []credit.Level{stack(owing("a", "10"), "vm"), stack(owing("b", "30"), "vm"), owing("c", "5")}, "bc", "35"},
		{"two groups", sla.CreditPolicy{}, []credit.Level{stack(owing("a", "10"), "vm"), stack(owing("b", "30"), "db")}, "ab", "40"},
		{"equal in a group", sla.CreditPolicy{}, []credit.Level{stack(owing("a", "10"), "vm"), stack(owing("b", "10"), "vm")}, "a", "10"},
		{"component and composite", sla.CreditPolicy{OneCause: true}, []credit.Level{owing("a", "10"), owing("b", "25", "web/a")}, "b", "25"},
		{"component owes more", sla.CreditPolicy{OneCause: true}, []credit.Level{owing("a", "50"), owing("b", "25", "web/a", "web/x")}, "a", "50"},
		{"another cause", sla.CreditPolicy{OneCause: true}, []credit.Level{owing("a", "10"), owing("b", "25", "web/x")}, "ab", "35"},
		{"two components", sla.CreditPolicy{OneCause: true}, []credit.Level{owing("a", "10"), owing("b", "15"), owing("c", "25", "web/a", "web/b")}, "c", "25"},
		{"without the rule", sla.CreditPolicy{}, []credit.Level{owing("a", "10"), owing("b", "25", "web/a")}, "ab", "35"},
		{
			"breaches",
			sla.CreditPolicy{BreachCount: []sla.CreditStep{{From: 1, CreditAmount: amount("5", "")}, {From: 3, CreditAmount: amount("10", "")}}},
			[]credit.Level{owing("a", "10"), achieved(level("b", "99.9", sla.Credits{}), "99")},
			"a", "15",
		},
	} {
		c.policy.Fee = euros("100.00")
		s := credit.Settle(october(c.policy, c.levels...))
		if paid(s) != c.paid || s.Net.Cmp(dec(c.net)) != 0 {
			t.Errorf("%s: %s is owed for %q, want %s for %q: %s", c.name, s.Net, paid(s), c.net, c.paid, s.Words)
		}
		for i, l := range s.Levels {
			if left := strings.Contains(l.Words, "; not paid: "); left == l.Paid && c.levels[i].Level.Credits.Any() {
				t.Errorf("%s: %q, and paid is %v", c.name, l.Words, l.Paid)
			}
		}
	}
}

// pool is a level with a weight.
func pool(slo, weight string) *sla.ServiceLevel {
	return level(slo, "99.9", sla.Credits{Schemes: []sla.CreditScheme{sla.PoolShare{
		Weight: dec(weight), CriticalBelow: dec("99"), CriticalMultiplier: dec("2"), RepeatFrom: 2, RepeatMultiplier: dec("1.5"),
	}}})
}

// month is what became of web/a in a month of 2026, and what it cost.
func month(m time.Month, percent, gross string) credit.Earlier {
	start := time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC)
	owed := credit.Owed{Amount: dec(gross), Percent: dec(gross)}
	return credit.Earlier{
		Start: start, End: start.AddDate(0, 1, 0), Gross: owed, Net: owed,
		Levels: map[string]credit.EarlierLevel{"web/a": {Known: percent != "", Met: percent != "" && dec(percent).Cmp(dec("99.9")) >= 0, Achieved: dec("0" + percent).Quo(dec("100"))}},
	}
}

// The amount at risk: weights, the critical bound, misses in a row, and never more than
// is at risk.
func TestAtRisk(t *testing.T) {
	policy := sla.CreditPolicy{Fee: euros("1000.00"), AtRisk: dec("12")}
	for _, c := range []struct {
		name    string
		levels  []credit.Level
		earlier []credit.Earlier
		net     string
	}{
		{"met", []credit.Level{achieved(pool("a", "25"), "99.9")}, nil, "0"},
		{"missed", []credit.Level{achieved(pool("a", "25"), "99.8")}, nil, "30"},
		{"exactly critical", []credit.Level{achieved(pool("a", "25"), "99")}, nil, "30"},
		{"critical", []credit.Level{achieved(pool("a", "25"), "98.9")}, nil, "60"},
		{"second miss in a row", []credit.Level{achieved(pool("a", "25"), "99.8")}, []credit.Earlier{month(9, "99", "30")}, "45"},
		{"met between", []credit.Level{achieved(pool("a", "25"), "99.8")}, []credit.Earlier{month(8, "99", "30"), month(9, "99.9", "0")}, "30"},
		{"unknown between", []credit.Level{achieved(pool("a", "25"), "99.8")}, []credit.Earlier{month(8, "99", "30"), month(9, "", "0")}, "30"},
		{"gap between", []credit.Level{achieved(pool("a", "25"), "99.8")}, []credit.Earlier{month(8, "99", "30")}, "30"},
		{"all that is at risk", []credit.Level{achieved(pool("a", "100"), "99.8"), achieved(pool("b", "100"), "99.8")}, nil, "120"},
	} {
		in := october(policy, c.levels...)
		in.Earlier = c.earlier
		if s := credit.Settle(in); s.Net.Cmp(dec(c.net)) != 0 {
			t.Errorf("%s: %s, want %s: %s", c.name, s.Net, c.net, s.Words)
		}
	}
}
