package sla

import (
	"fmt"
	"math/big"
)

// longestFraction bounds the text of a fraction, far above what figures of a period
// need.
const longestFraction = 4096

// MarshalText is d as an exact fraction in lowest terms: "1/3", and "5" for whole
// numbers.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.value().RatString()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Decimal) UnmarshalText(text []byte) error {
	if len(text) > longestFraction {
		return fmt.Errorf("a fraction of %d characters is too long", len(text))
	}
	for _, c := range text {
		if (c < '0' || c > '9') && c != '/' && c != '-' {
			return fmt.Errorf("%q is not a fraction such as 1/3", text)
		}
	}
	r, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return fmt.Errorf("%q is not a fraction such as 1/3", text)
	}
	d.rat = r
	return nil
}
