package verdict

import (
	"math"

	"github.com/upheld-sla/upheld/sla"
)

// sum is an exact running total. Nearly all numbers are whole, so these are kept as an
// integer.
type sum struct {
	whole int64
	rest  sla.Decimal
}

// mostWhole is far below where integers overflow.
const mostWhole = math.MaxInt64 / 4

func (s *sum) add(n int64) {
	if n > mostWhole || n < -mostWhole {
		s.rest = s.rest.Add(sla.NewDecimal(n, 1))
		return
	}
	if s.whole += n; s.whole > mostWhole || s.whole < -mostWhole {
		s.rest = s.rest.Add(sla.NewDecimal(s.whole, 1))
		s.whole = 0
	}
}

func (s *sum) addDecimal(d sla.Decimal) {
	if d.Sign() != 0 {
		s.rest = s.rest.Add(d)
	}
}

func (s *sum) addSum(other sum) {
	s.add(other.whole)
	s.addDecimal(other.rest)
}

// addFloat adds a finite number; evidence was checked when it was read.
func (s *sum) addFloat(f float64) {
	const exact = 1 << 53
	if f == math.Trunc(f) && math.Abs(f) < exact {
		s.add(int64(f))
		return
	}
	if d, err := sla.ExactDecimal(f); err == nil {
		s.addDecimal(d)
	}
}

// part is the share of a sum, spread evenly over length, that falls into overlap.
func (s sum) part(overlap, length int64) sum {
	if overlap == length || s.isZero() {
		return s
	}
	return sum{rest: s.value().Mul(sla.NewDecimal(overlap, length))}
}

// addShare adds n times a share.
func (s *sum) addShare(n int64, share sla.Decimal) {
	switch {
	case share.Sign() == 0:
	case share.Cmp(one) == 0:
		s.add(n)
	default:
		s.addDecimal(share.Mul(sla.NewDecimal(n, 1)))
	}
}

func (s sum) isZero() bool { return s.whole == 0 && s.rest.Sign() == 0 }

func (s sum) value() sla.Decimal {
	if s.whole == 0 {
		return s.rest
	}
	return s.rest.Add(sla.NewDecimal(s.whole, 1))
}

var (
	one     = sla.NewDecimal(1, 1)
	hundred = sla.NewDecimal(100, 1)
)
