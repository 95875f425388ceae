package sla_test

import (
	"math"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

func TestRoundingNeverReachesTheTargetByItself(t *testing.T) {
	for _, c := range []struct {
		d             sla.Decimal
		places        int
		down, nearest string
	}{
		{sla.MustDecimal("99.9996"), 2, "99.99", "100"},
		{sla.NewDecimal(219, 220), 4, "0.9954", "0.9955"},
		{sla.MustDecimal("90"), 8, "90", "90"},
		{sla.MustDecimal("100"), 8, "100", "100"},
		{sla.MustDecimal("-0.5"), 0, "-1", "-1"},
		{sla.MustDecimal("-0.001"), 2, "-0.01", "0"},
		{sla.Decimal{}, 3, "0", "0"},
	} {
		if got := c.d.RoundedDown(c.places); got != c.down {
			t.Errorf("%s down to %d places is %s, want %s", c.d, c.places, got, c.down)
		}
		if got := c.d.Rounded(c.places); got != c.nearest {
			t.Errorf("%s to %d places is %s, want %s", c.d, c.places, got, c.nearest)
		}
	}
	if got := sla.NewDecimal(438, 440).Ratio(); got != "219/220" {
		t.Errorf("fraction %s", got)
	}
}

func TestFloatsBecomeExactDecimals(t *testing.T) {
	d, err := sla.ExactDecimal(0.1)
	if err != nil || d.Cmp(sla.MustDecimal("0.1")) <= 0 {
		t.Errorf("0.1 as a float is a little more than a tenth, got %s (%v)", d.Ratio(), err)
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := sla.ExactDecimal(f); err == nil {
			t.Errorf("%v became a decimal", f)
		}
	}
}
