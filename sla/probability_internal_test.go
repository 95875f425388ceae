package sla

import "testing"

// The probability that at least n of some independent events occur is the sum over all
// their outcomes in which at least n do.
func TestAtLeastSo(t *testing.T) {
	one := NewDecimal(1, 1)
	chances := []Decimal{{}, MustDecimal("0.999"), MustDecimal("0.5"), one, MustDecimal("0.01"), NewDecimal(1, 3), MustDecimal("0.7")}
	for n := range len(chances) + 1 {
		for k := range n + 1 {
			var want Decimal
			for outcome := range 1 << n {
				chance, happened := one, 0
				for i, c := range chances[:n] {
					if outcome>>i&1 == 1 {
						chance, happened = chance.Mul(c), happened+1
					} else {
						chance = chance.Mul(one.Sub(c))
					}
				}
				if happened >= k {
					want = want.Add(chance)
				}
			}
			if got := chanceOfAtLeast(chances[:n], k, NewDecimal(1, 1)); got.Cmp(want) != 0 {
				t.Errorf("%d or more of %d: %s, want %s", k, n, got, want)
			}
		}
	}
}
