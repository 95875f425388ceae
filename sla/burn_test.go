package sla_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

const day = 24 * time.Hour

func TestDefaultTiersOfThirtyDays(t *testing.T) {
	want := []struct {
		name, severity string
		long, short    time.Duration
		factor, share  string
	}{
		{"page-fast", "page", time.Hour, 5 * time.Minute, "14.4", "0.02"},
		{"page-slow", "page", 6 * time.Hour, 30 * time.Minute, "6", "0.05"},
		{"ticket-fast", "ticket", day, 2 * time.Hour, "3", "0.1"},
		{"ticket-slow", "ticket", 3 * day, 6 * time.Hour, "1", "0.1"},
	}
	period := sla.Period{Rolling: 30 * day}
	tiers := sla.DefaultTiers(period)
	if len(tiers) != len(want) {
		t.Fatalf("%d tiers", len(tiers))
	}
	for i, w := range want {
		got := tiers[i]
		if got.Name != w.name || got.Severity != w.severity || got.Long != w.long || got.Short != w.short ||
			got.Factor.String() != w.factor || budgetShare(got, period).String() != w.share {
			t.Errorf("tier %d is %+v with factor %s and share %s, want %+v", i, got, got.Factor, budgetShare(got, period), w)
		}
	}
}

// budgetShare is the share of a period's budget that burning at the tier's
// factor for its long window spends: factor × long / period.
func budgetShare(t sla.Tier, period sla.Period) sla.Decimal {
	return t.Factor.Mul(sla.NewDecimal(int64(t.Long), int64(period.Nominal())))
}

// TestDefaultTiersFitAnyPeriod: the default tiers fulfil what the reader demands of tiers
// that users write, whatever the period.
func TestDefaultTiersFitAnyPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := sla.Period{Rolling: time.Duration(rapid.Int64Range(288, 366*288).Draw(t, "steps")) * 5 * time.Minute}
		shares := map[string]string{"page-fast": "0.02", "page-slow": "0.05", "ticket-fast": "0.1", "ticket-slow": "0.1"}
		for _, tier := range sla.DefaultTiers(period) {
			switch {
			case tier.Short < sla.BaseWindow, tier.Long <= tier.Short, tier.Long > period.Rolling, tier.Factor.Sign() <= 0:
				t.Fatalf("period %s: %+v", period, tier)
			case tier.Long%(5*time.Minute) != 0 || tier.Short%time.Minute != 0 || tier.Short > 6*time.Hour && tier.Short%(5*time.Minute) != 0:
				t.Fatalf("period %s: windows %s and %s are between the steps of the rules", period, tier.Long, tier.Short)
			case period.Rolling >= 28*day && budgetShare(tier, period).String() != shares[tier.Name]:
				t.Fatalf("period %s: %s stands for %s of the budget", period, tier.Name, budgetShare(tier, period))
			}
		}
	})
}

func TestThreshold(t *testing.T) {
	tier := sla.Tier{Factor: sla.MustDecimal("14.4")}
	for _, tt := range []struct {
		budget, want string
		adapted      bool
	}{
		{"0.001", "0.0144", false}, {"0.05", "0.72", false}, {"0.0625", "0.9", false}, {"0.0626", "0.9", true}, {"0.1", "0.9", true},
	} {
		if got, adapted := tier.Threshold(sla.MustDecimal(tt.budget)); got.String() != tt.want || adapted != tt.adapted {
			t.Errorf("budget %s: threshold %s, adapted %v; want %s, %v", tt.budget, got, adapted, tt.want, tt.adapted)
		}
	}
}

// TestTimeToDetect replays a total outage second by second: five-minute rates
// rise for five minutes, a window is the mean of those in it, and the tier
// fires when both windows are over its threshold.
func TestTimeToDetect(t *testing.T) {
	for _, target := range []string{"95", "99", "99.9", "99.99"} {
		for _, tier := range sla.DefaultTiers(sla.Period{Rolling: 30 * day}) {
			budget := sla.NewDecimal(1, 1).Sub(sla.MustDecimal(target).Quo(sla.NewDecimal(100, 1)))
			threshold, _ := tier.Threshold(budget)
			want := replay(threshold.Float64(), tier.Long, tier.Short)
			if got := tier.TimeToDetect(budget); math.Abs(float64(got-want)) > float64(2*time.Second) {
				t.Errorf("target %s, %s: detected after %s, the replay says %s", target, tier.Name, got, want)
			}
			tier.For = time.Minute
			if got := tier.TimeToDetect(budget); math.Abs(float64(got-want-time.Minute)) > float64(2*time.Second) {
				t.Errorf("target %s, %s: for is not counted: %s", target, tier.Name, got)
			}
		}
	}
}

// replay is after how many seconds of total outage both windows exceed the
// threshold, found by summing.
func replay(threshold float64, windows ...time.Duration) time.Duration {
	base := sla.BaseWindow.Seconds()
	sums := 0.0
	for s := 1; ; s++ {
		rate := min(float64(s)-0.5, base) / base
		sums += rate
		over := true
		for _, w := range windows {
			share := sums / w.Seconds()
			if w <= sla.BaseWindow {
				share = min(float64(s), base) / base
			}
			over = over && share >= threshold
		}
		if over {
			return time.Duration(s) * time.Second
		}
	}
}

func TestBudgetTime(t *testing.T) {
	l := sla.ServiceLevel{Target: sla.MustDecimal("99.9")}
	if got := sla.BudgetTime(l.TargetBudget(), sla.Period{Rolling: 30 * day}); got != 43*time.Minute+12*time.Second {
		t.Errorf("99.9 %% of 30 days leave %s", got)
	}
}

func TestFormatDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "30d": 30 * day, "7d": 7 * day, "365d": 365 * day, "300ms": 300 * time.Millisecond, "0s": 0,
	} {
		if got := sla.FormatDuration(d); got != want {
			t.Errorf("%v prints as %s, want %s", d, got, want)
		}
	}
}

// Tiers of every period under a day can be reached, differ, and leave some of
// the budget.
func TestTiersOfShortPeriods(t *testing.T) {
	for p := time.Hour; p <= 24*time.Hour; p += 5 * time.Minute {
		tiers := sla.DefaultTiers(sla.Period{Rolling: p})
		if len(tiers) < 2 || p >= 2*time.Hour && len(tiers) < 3 || p >= 4*time.Hour && len(tiers) < 4 {
			t.Errorf("%s has %d tiers", p, len(tiers))
		}
		for i, tier := range tiers {
			share := budgetShare(tier, sla.Period{Rolling: p}).Float64()
			if share < 0.09 || share > 0.3 || tier.Long >= p || tier.Short >= tier.Long || tier.Factor.Float64() < 1 {
				t.Errorf("%s: %+v stands for %v of the budget", p, tier, share)
			}
			if i > 0 && tier.Long <= tiers[i-1].Long {
				t.Errorf("%s: %s after %s", p, tier.Long, tiers[i-1].Long)
			}
		}
	}
}
