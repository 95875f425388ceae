package credit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/credit"
	"github.com/upheld-sla/upheld/sla"
)

var eur = sla.Currency{Code: "EUR", Places: 2}

func dec(text string) sla.Decimal { return sla.MustDecimal(text) }

func euros(amount string) *sla.Fee {
	return &sla.Fee{Money: sla.Money{Amount: dec(amount), Currency: eur}}
}

// level is a level with a target and credits.
func level(slo, target string, c sla.Credits) *sla.ServiceLevel {
	return &sla.ServiceLevel{
		ID: sla.ID{SLA: "shop", Service: "web", SLO: slo}, Target: dec(target), Credits: c,
		Period: sla.Period{Calendar: sla.Month}, Aggregation: sla.Time,
	}
}

// tiers are "below percent" pairs; a threshold with <= before it is owed at exactly that.
func tiers(belowAndPercent ...string) sla.Credits {
	var c sla.Credits
	for i := 0; i < len(belowAndPercent); i += 2 {
		below, atMost := strings.CutPrefix(belowAndPercent[i], "<=")
		c.Tiers = append(c.Tiers, sla.CreditTier{Below: dec(below), AtMost: atMost, Percent: dec(belowAndPercent[i+1])})
	}
	return c
}

// october is a period of 31 days, 2,678,400 s.
func october(p sla.CreditPolicy, levels ...credit.Level) credit.Input {
	return credit.Input{
		Policy: p, Period: sla.Period{Calendar: sla.Month}, Levels: levels,
		Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
	}
}

// achieved is a level that achieved a percentage of October.
func achieved(l *sla.ServiceLevel, percent string) credit.Level {
	share, agreed := dec(percent).Quo(dec("100")), dec("2678400")
	return credit.Level{
		Level: l, Known: true, Met: dec(percent).Cmp(l.Target) >= 0, Achieved: share,
		Agreed: agreed, Bad: agreed.Sub(agreed.Mul(share)),
	}
}

// down is a level with outages of so many seconds.
func down(l *sla.ServiceLevel, seconds ...string) credit.Level {
	agreed, bad := dec("2678400"), sla.Decimal{}
	var outages []credit.Outage
	for _, s := range seconds {
		bad = bad.Add(dec(s))
		outages = append(outages, credit.Outage{Counted: dec(s)})
	}
	share := agreed.Sub(bad).Quo(agreed)
	return credit.Level{
		Level: l, Known: true, Met: share.Cmp(l.TargetRatio()) >= 0, Achieved: share, Agreed: agreed, Bad: bad,
		Outages: outages, BadByHour: nil,
	}
}

func blocks(block time.Duration, percent, days string, part bool) sla.Credits {
	return sla.Credits{Schemes: []sla.CreditScheme{sla.PerBlock{Block: block, PartCounts: part, CreditAmount: amount(percent, days)}}}
}

func amount(percent, days string) sla.CreditAmount {
	a := sla.CreditAmount{}
	if percent != "" {
		a.Percent = dec(percent)
	}
	if days != "" {
		a.Days = dec(days)
	}
	return a
}

func bands(perPeriod bool) sla.Credits {
	return sla.Credits{Schemes: []sla.CreditScheme{sla.OutageBands{PerPeriod: perPeriod, Bands: []sla.OutageBand{
		{Length: 5 * time.Minute, CreditAmount: amount("", "1")},
		{Length: 31 * time.Minute, CreditAmount: amount("", "7")},
		{Length: 4 * time.Hour, Above: true, CreditAmount: amount("", "30")},
	}}}}
}

// TestPublicAgreements settles what public agreements say, exactly at their boundaries
// and just beside them. The fee is 1,000.00 EUR.
func TestPublicAgreements(t *testing.T) {
	objects := level("objects", "99.9", tiers("99.9", "10", "99", "25", "95", "100"))
	features := level("features", "99.9", tiers("<=99.9", "10", "99", "25"))
	zones := level("zones", "99.999", tiers("100", "10", "99.99", "30", "99.95", "100"))
	share := func(multiplier string) *sla.ServiceLevel {
		return level("edge", "99.99", sla.Credits{Schemes: []sla.CreditScheme{sla.Proportional{Multiplier: dec(multiplier)}}, Cap: &sla.CreditCap{Per: sla.CapLevel, Percent: dec("100")}})
	}
	hosting := level("network", "99.99", blocks(30*time.Minute, "5", "", true))
	whole := level("network", "99.99", blocks(30*time.Minute, "5", "", false))
	circuit := level("circuit", "99.99", blocks(time.Hour, "", "1", true))
	circuit.Credits.Cap = &sla.CreditCap{Per: sla.CapLevel, Percent: dec("100")}
	names, all := level("names", "99.99", bands(false)), level("names", "99.99", bands(true))
	support := level("support", "99", sla.Credits{Schemes: []sla.CreditScheme{sla.OutageSteps{Steps: []sla.CreditStep{
		{From: 1, CreditAmount: amount("5", "")}, {From: 3, CreditAmount: amount("10", "")}, {From: 5, CreditAmount: amount("15", "")},
	}}}})
	for _, c := range []struct {
		name string
		l    credit.Level
		net  string
		says string // part of the words
	}{
		{"S3: met at exactly 99.9", achieved(objects, "99.9"), "0", "99.9 % is not below 99.9 %: nothing is owed."},
		{"S3: just below", achieved(objects, "99.899999999"), "100", "99.89999999 % is below 99.9 %: 10 % of 1,000.00 EUR = 100.00 EUR."},
		{"S3: exactly 99 is the first tier", achieved(objects, "99"), "100", "99 % is below 99.9 %"},
		{"S3: below 99", achieved(objects, "98.995"), "250", "98.995 % is below 99 %: 25 %"},
		{"S3: exactly 95", achieved(objects, "95"), "250", ""},
		{"S3: below 95", achieved(objects, "94.999"), "1000", ""},
		{"GitHub: exactly 99.9 is met and owes", achieved(features, "99.9"), "100", "99.9 % is at most 99.9 %: 10 %"},
		{"GitHub: exactly 99.0 is in no tier of the text; the first still applies", achieved(features, "99"), "100", ""},
		{"GitHub: below 99.0", achieved(features, "98.999"), "250", ""},
		{"100 %: no failure owes nothing", achieved(zones, "100"), "0", ""},
		{"100 %: any failure owes", achieved(zones, "99.9999999"), "100", "99.9999999 % is below 100 %"},
		{"100 %: lowest tier", achieved(zones, "99.9"), "1000", ""},
		{"Cloudflare Business: an hour down", down(share("1"), "3600"), "1.34", "1 h bad of 31 d: 0.134409 % of 1,000.00 EUR = 1.34 EUR."},
		{"Cloudflare Enterprise: 25 times", down(share("25"), "3600"), "33.60", "times 25"},
		{"Cloudflare: capped at the fee", down(share("25"), "260000"), "1000", "but at most 100 % for a level: 100 %"},
		{"Rackspace: no downtime", down(hosting), "0", ""},
		{"Rackspace: a second is a part of a block", down(hosting, "1"), "50", "1 s bad, 1 begun block of 30m: 5 %"},
		{"Rackspace: exactly one block", down(hosting, "1800"), "50", "30 min bad, 1 begun block"},
		{"Rackspace: a second more", down(hosting, "1800", "1"), "100", "2 begun blocks"},
		{"Rackspace, older: full blocks alone", down(whole, "1799.999"), "0", ""},
		{"Rackspace, older: exactly a block", down(whole, "900", "900"), "50", "1 full block of 30m"},
		{"Verizon: an hour or a fraction is a day", down(circuit, "3601"), "66.67", "2 begun blocks of 1h: 6.666667 %"},
		{"Verizon: at most the monthly charge", down(circuit, "200000"), "1000", "at most 100 %"},
		{"Dyn: under five minutes", down(names, "299.999"), "0", ""},
		{"Dyn: five minutes are a day", down(names, "300"), "33.33", "an outage of 5 min owes the fee of 1 day"},
		{"Dyn: between the printed 30 and 31 minutes", down(names, "1830"), "33.33", ""},
		{"Dyn: 31 minutes are a week", down(names, "1860"), "233.33", ""},
		{"Dyn: exactly four hours", down(names, "14400"), "233.33", ""},
		{"Dyn: more than four hours are a month", down(names, "14401"), "1000", ""},
		{"Dyn: each outage by itself", down(names, "300", "300"), "66.67", "an outage of 5 min owes the fee of 1 day, an outage of 5 min owes the fee of 1 day: 6.666667 %"},
		{"bands over the period", down(all, "300", "1560"), "233.33", "31 min bad: 23.333333 %"},
		{"EdgeVIRT: none", down(support), "0", ""},
		{"EdgeVIRT: one", down(support, "60"), "50", "1 outage: 5 %"},
		{"EdgeVIRT: two", down(support, "60", "60"), "50", ""},
		{"EdgeVIRT: three", down(support, "60", "60", "60"), "100", "3 outages: 10 %"},
		{"EdgeVIRT: five", down(support, "60", "60", "60", "60", "60"), "150", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := credit.Settle(october(sla.CreditPolicy{Fee: euros("1000.00")}, c.l))
			if s.Net.Cmp(dec(c.net)) != 0 || !strings.Contains(s.Levels[0].Words, c.says) {
				t.Errorf("%s is owed, want %s: %s", s.Net, c.net, s.Levels[0].Words)
			}
			if words := s.Levels[0].Words; !strings.HasSuffix(words, ".") || strings.HasSuffix(words, "..") {
				t.Errorf("not one sentence: %q", words)
			}
		})
	}
}

// An instance that is down for more than six minutes of a clock hour costs nothing in
// that hour, besides what the tiers owe.
func TestFreeHours(t *testing.T) {
	c := tiers("99.5", "10")
	c.Schemes = []sla.CreditScheme{sla.FreeHours{Above: 6 * time.Minute}}
	l := down(level("instance", "99.5", c), "361", "360", "3000")
	l.BadByHour = []sla.Decimal{dec("361"), dec("360"), dec("3000")}
	s := credit.Settle(october(sla.CreditPolicy{Fee: euros("744.00")}, l))
	if s.Net.Cmp(dec("2")) != 0 || s.Levels[0].Words != "2 clock hours with more than 6m bad of 744: 0.268817 % of 744.00 EUR = 2.00 EUR." {
		t.Errorf("%s: %s", s.Net, s.Levels[0].Words)
	}
	l.Achieved, l.Met = dec("0.99"), false
	s = credit.Settle(october(sla.CreditPolicy{Fee: euros("744.00")}, l))
	if s.Net.Cmp(dec("76.4")) != 0 || !strings.Contains(s.Levels[0].Words, "; together 10.268817 % of 744.00 EUR = 76.40 EUR.") {
		t.Errorf("%s: %s", s.Net, s.Levels[0].Words)
	}
}

// The first minutes are free, an amount is capped, and the rest is put together, limited
// and rounded in this order.
func TestOrderOfTheSettlement(t *testing.T) {
	third := level("third", "99.99", tiers("99.99", "33.333333"))
	big := level("big", "99.99", tiers("99.99", "80"))
	big.Credits.Cap = &sla.CreditCap{Per: sla.CapLevel, Amount: &sla.Money{Amount: dec("60.00"), Currency: eur}}
	policy := sla.CreditPolicy{Fee: euros("100.00"), Caps: []sla.CreditCap{{Per: sla.CapPeriod, Percent: dec("90")}, {Per: sla.CapLevel, Percent: dec("50")}}}
	s := credit.Settle(october(policy, achieved(third, "99"), achieved(big, "99")))
	// 33.333333 + min(80, 60, 50) = 83.333333: below 90, and rounded once.
	if s.Gross.Cmp(dec("83.33")) != 0 || s.CappedBy != "" || s.Levels[1].Amount.Cmp(dec("50")) != 0 {
		t.Errorf("%s, capped by %q: %s", s.Gross, s.CappedBy, s.Words)
	}
	policy.Caps[0].Percent = dec("70")
	s = credit.Settle(october(policy, achieved(third, "99"), achieved(big, "99")))
	if s.Gross.Cmp(dec("70")) != 0 || s.CappedBy != "at most 70 % for a period" || s.Words != "70.00 EUR is owed. The sum of 2 credits is 83.33 EUR. At most 70 % for a period: 70.00 EUR." {
		t.Errorf("%s, capped by %q: %s", s.Gross, s.CappedBy, s.Words)
	}
	for _, c := range []struct {
		minimum string
		orEqual bool
		gross   string
	}{{"69.99", false, "70"}, {"70", false, "0"}, {"70", true, "70"}, {"70.01", true, "0"}} {
		policy.Minimum = &sla.Minimum{Money: sla.Money{Amount: dec(c.minimum), Currency: eur}, OrEqual: c.orEqual}
		if s = credit.Settle(october(policy, achieved(third, "99"), achieved(big, "99"))); s.Gross.Cmp(dec(c.gross)) != 0 {
			t.Errorf("minimum %s: %s is paid, want %s: %s", c.minimum, s.Gross, c.gross, s.Words)
		}
	}
}

// Half a cent is rounded up, once, after everything was added up; and currencies have
// the places that they have.
func TestRounding(t *testing.T) {
	half := level("half", "99", tiers("99", "0.5"))
	more := level("more", "99", tiers("99", "0.5"))
	s := credit.Settle(october(sla.CreditPolicy{Fee: euros("1.00")}, achieved(half, "98")))
	if s.Gross.Cmp(dec("0.01")) != 0 {
		t.Errorf("half a cent is %s", s.Gross)
	}
	s = credit.Settle(october(sla.CreditPolicy{Fee: euros("1.00")}, achieved(half, "98"), achieved(more, "98")))
	if s.Gross.Cmp(dec("0.01")) != 0 {
		t.Errorf("two halves are %s: each was rounded", s.Gross)
	}
	for code, want := range map[sla.Currency]string{{Code: "JPY"}: "1235", {Code: "BHD", Places: 3}: "1234.568"} {
		fee := &sla.Fee{Money: sla.Money{Amount: dec("246913.5"), Currency: code}}
		if s := credit.Settle(october(sla.CreditPolicy{Fee: fee}, achieved(half, "98"))); s.Gross.Cmp(dec(want)) != 0 {
			t.Errorf("%s: %s, want %s", code.Code, s.Gross, want)
		}
	}
}

// Without a fee everything is in per cent of it. A quarter costs three monthly fees.
func TestBase(t *testing.T) {
	l := level("l", "99.9", tiers("99.9", "10"))
	s := credit.Settle(october(sla.CreditPolicy{}, achieved(l, "99")))
	if s.InMoney || s.Net.Cmp(dec("10")) != 0 || s.Words != "10 % is owed." || s.Levels[0].Words != "99 % is below 99.9 %: 10 % of the fee." {
		t.Errorf("%+v", s)
	}
	l.Period = sla.Period{Calendar: sla.Quarter}
	in := october(sla.CreditPolicy{Fee: &sla.Fee{Money: euros("100").Money, Per: sla.Month}}, achieved(l, "99"))
	in.Period = l.Period
	if s := credit.Settle(in); s.Net.Cmp(dec("30")) != 0 {
		t.Errorf("a tenth of a quarter of 100 a month is %s", s.Net)
	}
	own, other := level("own", "99.9", tiers("99.9", "10")), level("other", "99.9", tiers("99.9", "20"))
	own.Credits.Fee, other.Credits.Fee = euros("50"), euros("150")
	if s := credit.Settle(october(sla.CreditPolicy{}, achieved(own, "99"), achieved(other, "99"))); s.Net.Cmp(dec("35")) != 0 || s.Percent.Cmp(dec("17.5")) != 0 {
		t.Errorf("10 %% of 50 and 20 %% of 150 is %s, %s %%", s.Net, s.Percent)
	}
}

// What nobody decided owes nothing, and says so.
func TestUndecided(t *testing.T) {
	l := achieved(level("l", "99.9", tiers("99.9", "10")), "90")
	l.Known = false
	s := credit.Settle(october(sla.CreditPolicy{Fee: euros("100")}, l))
	if s.Net.Sign() != 0 || !strings.HasPrefix(s.Levels[0].Words, "Not decided") || s.Words != "Nothing is owed." {
		t.Errorf("%+v", s)
	}
}

// Time instead of money: a tenth of a month of 30 days, and days as they are.
func TestExtension(t *testing.T) {
	c := tiers("99.9", "10")
	c.AsTime = true
	s := credit.Settle(october(sla.CreditPolicy{Fee: euros("100")}, achieved(level("l", "99.9", c), "99")))
	if s.Net.Sign() != 0 || s.ExtendedBy.Cmp(dec("3")) != 0 || s.Levels[0].Words != "99 % is below 99.9 %: 10 % of the period: the term is extended by 3 days." {
		t.Errorf("%+v", s)
	}
	b := bands(false)
	b.AsTime = true
	s = credit.Settle(october(sla.CreditPolicy{DayOfFee: sla.ActualDay}, down(level("l", "99.9", b), "300", "2000")))
	if s.ExtendedBy.Cmp(dec("8")) != 0 || s.Words != "The term is extended by 8 days." {
		t.Errorf("%s: %s", s.ExtendedBy, s.Words)
	}
}
