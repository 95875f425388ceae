package foreign

import (
	"math/big"
	"regexp"
	"strings"
)

// decimal is an exact decimal number of a foreign document.
type decimal struct{ r *big.Rat }

// decimals are numbers as YAML writes them. The exponent is bounded, so that no number
// takes long to write.
var decimals = regexp.MustCompile(`^[+-]?[0-9]{0,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?$`)

func parseDecimal(text string) (decimal, bool) {
	if !decimals.MatchString(text) || !strings.ContainsAny(text, "0123456789") {
		return decimal{}, false
	}
	r, ok := new(big.Rat).SetString(text)
	return decimal{r}, ok
}

func whole(n int64) decimal { return decimal{new(big.Rat).SetInt64(n)} }

func (d decimal) times(n int64) decimal { return decimal{new(big.Rat).Mul(d.r, whole(n).r)} }

// whole is the number if it is whole.
func (d decimal) whole() (int64, bool) {
	return d.r.Num().Int64(), d.r.IsInt() && d.r.Num().IsInt64()
}

// String is the number written out, exactly.
func (d decimal) String() string {
	text := d.r.FloatString(60)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func (d decimal) plus(o decimal) decimal { return decimal{new(big.Rat).Add(d.r, o.r)} }

func (d decimal) mul(o decimal) decimal { return decimal{new(big.Rat).Mul(d.r, o.r)} }

func (d decimal) over(o decimal) decimal { return decimal{new(big.Rat).Quo(d.r, o.r)} }

// roundedUp is the number rounded up to at most so many places after the point.
func (d decimal) roundedUp(places int) string {
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	scaled := new(big.Rat).Mul(d.r, scale)
	n, rest := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		n.Add(n, big.NewInt(1))
	}
	return decimal{new(big.Rat).Quo(new(big.Rat).SetInt(n), scale)}.String()
}
