package sla

import "strings"

// Currency is a currency of ISO 4217.
type Currency struct {
	Code   string // "EUR"
	Places int    // decimal places of its smallest unit: 2, of JPY 0
}

// Money is an exact amount of a currency.
type Money struct {
	Amount   Decimal
	Currency Currency
}

// Round rounds the amount to the smallest unit of its currency, half a unit away from
// zero.
func (m Money) Round() Money {
	rounded, err := ParseDecimal(m.Amount.Rounded(m.Currency.Places))
	if err != nil {
		return m // beyond 30 digits nothing is rounded
	}
	return Money{rounded, m.Currency}
}

// Text is the rounded amount with all places of the currency: "1200.00".
func (m Money) Text() string {
	text := m.Amount.Rounded(m.Currency.Places)
	whole, places, _ := strings.Cut(text, ".")
	if m.Currency.Places == 0 {
		return whole
	}
	return whole + "." + places + strings.Repeat("0", m.Currency.Places-len(places))
}

// String is the rounded amount for people: "1,200.00 EUR".
func (m Money) String() string {
	text := m.Text()
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, places, point := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + places
	}
	return sign + whole + " " + m.Currency.Code
}
