package sla

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// ExactDecimal is exactly the value of a float, such as a counter's. NaN and infinities
// are errors.
func ExactDecimal(f float64) (Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Decimal{}, fmt.Errorf("%v is not a number", f)
	}
	return Decimal{new(big.Rat).SetFloat64(f)}, nil
}

// Rounded is d with at most the given number of decimal places, without trailing zeros.
// It is rounded to the nearest, a half away from zero.
func (d Decimal) Rounded(places int) string { return plain(d.value().FloatString(places)) }

// RoundedDown is d with at most the given number of decimal places, without trailing
// zeros. It is never above d, so 99.9996 with two places is 99.99.
func (d Decimal) RoundedDown(places int) string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	scaled := new(big.Int).Mul(d.value().Num(), scale)
	whole := scaled.Div(scaled, d.value().Denom()) // Euclidean: towards minus infinity, since a denominator is above 0
	return plain(new(big.Rat).SetFrac(whole, scale).FloatString(places))
}

// plain leaves out zeros at the end of a decimal fraction.
func plain(text string) string {
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// Ratio is d as a fraction in lowest terms, "219/220", and "1" for a whole number.
func (d Decimal) Ratio() string { return d.value().RatString() }
