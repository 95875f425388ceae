package sla

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Decimal is an exact, immutable rational number that is parsed from, and if possible
// printed as, a decimal. Targets, thresholds and budgets are Decimals, so that 1-0.999
// is 0.001 and never 0.0010000000000000009. The zero value is 0.
type Decimal struct{ rat *big.Rat }

// ParseDecimal parses plain decimal notation ("99.95"). Exponents, fractions,
// hexadecimals and more than 30 digits are errors.
func ParseDecimal(text string) (Decimal, error) {
	if !isDecimal(text) || len(text) > 31 {
		return Decimal{}, fmt.Errorf("%q is not a decimal number", text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return Decimal{}, fmt.Errorf("%q is not a decimal number", text)
	}
	return Decimal{r}, nil
}

// isDecimal returns whether text matches -?[0-9]+(\.[0-9]+)?
func isDecimal(text string) bool {
	whole, places, point := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return isDigits(whole) && (!point || isDigits(places))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// MustDecimal is ParseDecimal for constants; it panics on bad text.
func MustDecimal(text string) Decimal {
	d, err := ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// NewDecimal is num/den. It panics if den is 0.
func NewDecimal(num, den int64) Decimal { return Decimal{big.NewRat(num, den)} }

// Seconds is a duration as an exact number of seconds.
func Seconds(d time.Duration) Decimal { return NewDecimal(int64(d), int64(time.Second)) }

func (d Decimal) value() *big.Rat {
	if d.rat == nil {
		return new(big.Rat)
	}
	return d.rat
}

// Add is d + e.
func (d Decimal) Add(e Decimal) Decimal { return Decimal{new(big.Rat).Add(d.value(), e.value())} }

// Sub is d - e.
func (d Decimal) Sub(e Decimal) Decimal { return Decimal{new(big.Rat).Sub(d.value(), e.value())} }

// Mul is d × e.
func (d Decimal) Mul(e Decimal) Decimal { return Decimal{new(big.Rat).Mul(d.value(), e.value())} }

// Quo is d / e; it panics if e is 0.
func (d Decimal) Quo(e Decimal) Decimal { return Decimal{new(big.Rat).Quo(d.value(), e.value())} }

// Cmp is -1, 0 or +1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int { return d.value().Cmp(e.value()) }

// Sign is -1, 0 or +1.
func (d Decimal) Sign() int { return d.value().Sign() }

// Fraction is d in lowest terms: 0.003 is "3" of "1000".
func (d Decimal) Fraction() (num, den string) {
	return d.value().Num().String(), d.value().Denom().String()
}

// Float64 is the nearest float64.
func (d Decimal) Float64() float64 {
	f, _ := d.value().Float64()
	return f
}

// Duration is d seconds, rounded to the nanosecond.
func (d Decimal) Duration() time.Duration {
	ns := new(big.Rat).Mul(d.value(), big.NewRat(int64(time.Second), 1))
	f, _ := ns.Float64()
	return time.Duration(f)
}

// String is the exact decimal without trailing zeros if it has at most 17 places, and
// otherwise the shortest decimal that parses to the nearest float64. Both are valid
// PromQL number literals.
func (d Decimal) String() string {
	if places, exact := d.value().FloatPrec(); exact && places <= 17 {
		return d.value().FloatString(places)
	}
	return strconv.FormatFloat(d.Float64(), 'f', -1, 64)
}

// trimmed is a ratio in per cent with at most percentPlaces places, cut off or rounded
// up, without trailing zeros.
func trimmed(ratio Decimal, roundUp bool) string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(percentPlaces), nil)
	scaled := new(big.Rat).Mul(ratio.value(), new(big.Rat).SetInt(new(big.Int).Mul(scale, big.NewInt(100))))
	whole, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	if roundUp && rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return Decimal{new(big.Rat).SetFrac(whole, scale)}.String()
}
