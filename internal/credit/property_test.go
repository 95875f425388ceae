package credit_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/internal/credit"
	"github.com/upheld-sla/upheld/sla"
)

// naive settles with integers and fractions of its own, as a person would by hand: one
// level after the other, each outage second by second. It shares nothing with the
// package but the model.
type naive struct {
	fee     int64 // cents
	agreed  int64 // seconds
	outages []int64
	c       sla.Credits
}

func rat(d sla.Decimal) *big.Rat {
	num, den := d.Fraction()
	r, _ := new(big.Rat).SetString(num + "/" + den)
	return r
}

// percent is what the level owes in per cent, before its cap.
func (n naive) percent() *big.Rat {
	bad := int64(0)
	for _, o := range n.outages {
		bad += o
	}
	owed := new(big.Rat)
	good := big.NewRat((n.agreed-bad)*100, n.agreed)
	lowest := big.NewRat(1000, 1)
	for _, t := range n.c.Tiers {
		reached := good.Cmp(rat(t.Below)) < 0
		if t.AtMost && good.Cmp(rat(t.Below)) == 0 {
			reached = true
		}
		if reached && rat(t.Below).Cmp(lowest) < 0 {
			lowest = rat(t.Below)
			owed.Set(rat(t.Percent))
		}
	}
	left := max(bad-int64(n.c.Allowance/time.Second), 0)
	day := big.NewRat(100, 30)
	worth := func(a sla.CreditAmount) *big.Rat {
		return new(big.Rat).Add(rat(a.Percent), new(big.Rat).Mul(rat(a.Days), day))
	}
	for _, s := range n.c.Schemes {
		switch s := s.(type) {
		case sla.Proportional:
			owed.Add(owed, new(big.Rat).Mul(rat(s.Multiplier), big.NewRat(left*100, n.agreed)))
		case sla.PerBlock:
			each := []int64{left}
			if s.PerOutage {
				each = n.outages
			}
			for _, seconds := range each {
				for seconds > 0 { // a block at a time
					if seconds >= int64(s.Block/time.Second) || s.PartCounts {
						owed.Add(owed, worth(s.CreditAmount))
					}
					seconds -= int64(s.Block / time.Second)
				}
			}
		case sla.OutageBands:
			for _, seconds := range n.outages {
				best := new(big.Rat)
				for _, b := range s.Bands {
					if length := int64(b.Length / time.Second); seconds > length || seconds == length && !b.Above {
						best = worth(b.CreditAmount)
					}
				}
				owed.Add(owed, best)
			}
		}
	}
	return owed
}

// cents is a level's credit in cents, not rounded.
func (n naive) cents() *big.Rat {
	p := n.percent()
	if n.c.Cap != nil && p.Cmp(rat(n.c.Cap.Percent)) > 0 {
		p = rat(n.c.Cap.Percent)
	}
	return p.Mul(p, big.NewRat(n.fee, 100))
}

// halfUp rounds to whole numbers.
func halfUp(r *big.Rat) int64 {
	twice := new(big.Rat).Add(new(big.Rat).Mul(r, big.NewRat(2, 1)), big.NewRat(1, 1))
	twice.Quo(twice, big.NewRat(2, 1))
	return new(big.Int).Div(twice.Num(), twice.Denom()).Int64()
}

// aDecimal draws a decimal from lo to hi hundredths.
func aDecimal(t *rapid.T, name string, lo, hi int) sla.Decimal {
	return sla.NewDecimal(int64(rapid.IntRange(lo, hi).Draw(t, name)), 100)
}

func anAmount(t *rapid.T) sla.CreditAmount {
	if rapid.Bool().Draw(t, "days") {
		return sla.CreditAmount{Days: aDecimal(t, "days", 1, 1000)}
	}
	return sla.CreditAmount{Percent: aDecimal(t, "percent", 1, 3000)}
}

// someCredits draws credits of tiers and schemes whose greater failures owe more.
func someCredits(t *rapid.T) sla.Credits {
	var c sla.Credits
	below, percent := 10000, 0
	for range rapid.IntRange(0, 3).Draw(t, "tiers") {
		below, percent = below-rapid.IntRange(1, 300).Draw(t, "below"), percent+rapid.IntRange(1, 3000).Draw(t, "more")
		c.Tiers = append(c.Tiers, sla.CreditTier{Below: sla.NewDecimal(int64(below), 100), AtMost: rapid.Bool().Draw(t, "atMost"), Percent: sla.NewDecimal(int64(percent), 100)})
	}
	if rapid.Bool().Draw(t, "proportional") {
		c.Schemes = append(c.Schemes, sla.Proportional{Multiplier: aDecimal(t, "multiplier", 1, 2500)})
	}
	if rapid.Bool().Draw(t, "blocks") {
		c.Schemes = append(c.Schemes, sla.PerBlock{
			Block: time.Duration(rapid.SampledFrom([]int{60, 1800, 3600}).Draw(t, "block")) * time.Second, CreditAmount: anAmount(t),
			PartCounts: rapid.Bool().Draw(t, "part"), PerOutage: rapid.Bool().Draw(t, "perOutage"),
		})
	}
	if rapid.Bool().Draw(t, "bands") {
		first, second := anAmount(t), anAmount(t)
		c.Schemes = append(c.Schemes, sla.OutageBands{Bands: []sla.OutageBand{
			{Length: 5 * time.Minute, CreditAmount: first},
			{Length: 30 * time.Minute, Above: rapid.Bool().Draw(t, "above"), CreditAmount: sla.CreditAmount{Percent: first.Percent.Add(second.Percent), Days: first.Days.Add(second.Days)}},
		}})
		if both := c.Schemes[len(c.Schemes)-1].(sla.OutageBands).Bands[1]; both.Percent.Sign() > 0 && both.Days.Sign() > 0 {
			c.Schemes = c.Schemes[:len(c.Schemes)-1] // an amount is one or the other
		}
	}
	c.Allowance = time.Duration(rapid.SampledFrom([]int{0, 60, 1800}).Draw(t, "allowance")) * time.Second
	if rapid.Bool().Draw(t, "cap") {
		c.Cap = &sla.CreditCap{Per: sla.CapLevel, Percent: aDecimal(t, "most", 1, 10000)}
	}
	return c
}

// someOutages draws outages, some exactly at lengths that contracts name.
func someOutages(t *rapid.T) []int64 {
	length := rapid.OneOf(rapid.SampledFrom([]int64{1, 60, 299, 300, 301, 1799, 1800, 1801, 3600, 26784}), rapid.Int64Range(1, 20000))
	return rapid.SliceOfN(length, 0, 5).Draw(t, "outages")
}

func asLevel(slo string, c sla.Credits, outages []int64) credit.Level {
	texts := make([]string, len(outages))
	for i, s := range outages {
		texts[i] = fmt.Sprint(s)
	}
	return down(level(slo, "99.9", c), texts...)
}

// TestSettlementsEqualThoseByHand settles random contracts and histories twice.
func TestSettlementsEqualThoseByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fee := rapid.Int64Range(1, 1_000_000).Draw(t, "fee")
		most := aDecimal(t, "cap of the period", 1, 10000)
		policy := sla.CreditPolicy{Fee: &sla.Fee{Money: sla.Money{Amount: sla.NewDecimal(fee, 100), Currency: eur}}, Caps: []sla.CreditCap{{Per: sla.CapPeriod, Percent: most}}}
		var levels []credit.Level
		sum := new(big.Rat)
		for i := range rapid.IntRange(1, 3).Draw(t, "levels") {
			c, outages := someCredits(t), someOutages(t)
			levels = append(levels, asLevel(fmt.Sprintf("l%d", i), c, outages))
			sum.Add(sum, naive{fee: fee, agreed: 2678400, outages: outages, c: c}.cents())
		}
		if limit := new(big.Rat).Mul(rat(most), big.NewRat(fee, 100)); sum.Cmp(limit) > 0 {
			sum = limit
		}
		s := credit.Settle(october(policy, levels...))
		if want := sla.NewDecimal(halfUp(sum), 100); s.Net.Cmp(want) != 0 {
			t.Fatalf("%s is owed, by hand %s: %s", s.Net, want, s.Words)
		}
		if s.Net.Sign() < 0 || s.Net.Sub(sla.NewDecimal(1, 200)).Cmp(most.Mul(policy.Fee.Amount).Quo(dec("100"))) > 0 {
			t.Fatalf("%s is below nothing, or above the cap of %s %%", s.Net, most)
		}
	})
}

// TestMoreDowntimeNeverOwesLess makes an outage longer, or adds one.
func TestMoreDowntimeNeverOwesLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, outages := someCredits(t), someOutages(t)
		worse := append([]int64{}, outages...)
		if len(worse) > 0 && rapid.Bool().Draw(t, "longer") {
			worse[0] += rapid.Int64Range(1, 5000).Draw(t, "by")
		} else {
			worse = append(worse, rapid.Int64Range(1, 5000).Draw(t, "another"))
		}
		policy := sla.CreditPolicy{Fee: euros("777.77")}
		before := credit.Settle(october(policy, asLevel("l", c, outages)))
		after := credit.Settle(october(policy, asLevel("l", c, worse)))
		if after.Net.Cmp(before.Net) < 0 {
			t.Fatalf("%v owes %s, and %v owes %s", outages, before.Net, worse, after.Net)
		}
	})
}

// TestEarningBackNeverPaysTwice runs months one after the other. What is earned back was
// paid before, so the sum is never below nothing, and never above the cap of 12 months.
func TestEarningBackNeverPaysTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := sla.CreditPolicy{
			Fee: euros("100.00"), EarnBack: &sla.EarnBack{After: rapid.IntRange(0, 4).Draw(t, "after")},
			Caps: []sla.CreditCap{{Per: sla.CapYear, Percent: dec("150")}},
		}
		l := level("a", "99.9", tiers("99.9", "10", "99", "25", "95", "100"))
		var earlier []credit.Earlier
		sum := sla.Decimal{}
		start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		for range 20 {
			in := october(policy, achieved(l, rapid.SampledFrom([]string{"100", "99.9", "99.8", "98", "90"}).Draw(t, "achieved")))
			in.Start, in.End, in.Earlier = start, start.AddDate(0, 1, 0), earlier
			s := credit.Settle(in)
			sum = sum.Add(s.Net)
			if sum.Sign() < 0 {
				t.Fatalf("more was earned back by %s than was paid: %s", start, sum)
			}
			earlier = append(earlier, credit.Earlier{
				Start: in.Start, End: in.End, Gross: credit.Owed{Amount: s.Gross}, Net: credit.Owed{Amount: s.Net},
				Levels: map[string]credit.EarlierLevel{"web/a": {Known: true, Met: in.Levels[0].Met, Achieved: in.Levels[0].Achieved}},
			})
			year := sla.Decimal{}
			for _, e := range earlier[max(0, len(earlier)-12):] {
				year = year.Add(e.Net.Amount)
			}
			if s.Gross.Sign() > 0 && year.Cmp(dec("150")) > 0 {
				t.Fatalf("%s was paid in 12 months, more than 150", year)
			}
			start = in.End
		}
	})
}
