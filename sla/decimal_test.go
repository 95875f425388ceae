package sla_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"99.9": "99.9", "0": "0", "99.90": "99.9", "-1.5": "-1.5", "007": "7",
		strings.Repeat("9", 31): strings.Repeat("9", 31),
	} {
		d, err := sla.ParseDecimal(text)
		if err != nil || d.String() != want {
			t.Errorf("ParseDecimal(%q) = %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"", ".5", "5.", "1e3", "1/3", "0x10", "+1", "99,9", "1_000", " 1", "NaN", "Inf", strings.Repeat("9", 32)} {
		if d, err := sla.ParseDecimal(text); err == nil {
			t.Errorf("ParseDecimal(%q) = %s, want an error", text, d)
		}
	}
}

// decimalTexts are decimals as people write targets.
var decimalTexts = rapid.StringMatching(`-?[0-9]{1,4}(\.[0-9]{1,9})?`)

// TestDecimalIsExact compares every operation with big.Rat on its own parsing.
func TestDecimalIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ta, tb := decimalTexts.Draw(t, "a"), decimalTexts.Draw(t, "b")
		a, b := sla.MustDecimal(ta), sla.MustDecimal(tb)
		ra, _ := new(big.Rat).SetString(ta)
		rb, _ := new(big.Rat).SetString(tb)
		same := func(op string, got sla.Decimal, want *big.Rat) {
			if back, ok := new(big.Rat).SetString(got.String()); !ok || back.Cmp(want) != 0 {
				t.Fatalf("%s %s %s = %s, want %s", ta, op, tb, got, want.FloatString(20))
			}
		}
		same("+", a.Add(b), new(big.Rat).Add(ra, rb))
		same("-", a.Sub(b), new(big.Rat).Sub(ra, rb))
		if a.Cmp(b) != ra.Cmp(rb) || a.Sign() != ra.Sign() {
			t.Fatalf("comparing %s and %s", ta, tb)
		}
		if a.Sub(b).Add(b).Cmp(a) != 0 {
			t.Fatalf("(%s - %s) + %s is not %s", ta, tb, tb, ta)
		}
		if b.Sign() != 0 && a.Quo(b).Mul(b).Cmp(a) != 0 {
			t.Fatalf("(%s / %s) × %s is not %s", ta, tb, tb, ta)
		}
		if got, err := sla.ParseDecimal(a.String()); err != nil || got.Cmp(a) != 0 {
			t.Fatalf("%s prints as %s, which reads as %s (%v)", ta, a, got, err)
		}
	})
}

// TestDecimalHasNoFloatNoise holds the budgets that floats get wrong.
func TestDecimalHasNoFloatNoise(t *testing.T) {
	for target, budget := range map[string]string{
		"99.9": "0.001", "99.95": "0.0005", "99.99": "0.0001", "99.999": "0.00001", "99": "0.01", "95": "0.05", "97.3": "0.027", "99.9999999": "0.000000001",
	} {
		l := sla.ServiceLevel{Target: sla.MustDecimal(target), Objective: sla.MustDecimal(target)}
		if got := l.TargetBudget().String(); got != budget {
			t.Errorf("the budget of %s is %s, want %s", target, got, budget)
		}
		if l.ObjectiveBudget().Cmp(l.TargetBudget()) != 0 || l.ObjectiveRatio().Add(l.ObjectiveBudget()).String() != "1" {
			t.Errorf("the objective's ratio and budget of %s are not 1 together", target)
		}
	}
}

func TestDecimalZeroValue(t *testing.T) {
	var d sla.Decimal
	if d.String() != "0" || d.Sign() != 0 || d.Add(sla.NewDecimal(1, 2)).String() != "0.5" {
		t.Errorf("the zero value is %s", d)
	}
}

func TestDecimalDuration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(2000*time.Hour)).Draw(t, "d"))
		got := sla.Seconds(d).Duration()
		if diff := got - d; diff < -time.Nanosecond || diff > time.Nanosecond {
			t.Fatalf("%d ns came back as %d ns", d, got)
		}
	})
	if got := sla.NewDecimal(1, 3).String(); got != "0.3333333333333333" {
		t.Errorf("a third prints as %s", got)
	}
}
