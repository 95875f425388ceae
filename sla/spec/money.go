package spec

import (
	"fmt"
	"strings"

	"golang.org/x/text/currency"

	"github.com/upheld-sla/upheld/sla"
)

const amountPattern = `^[0-9]+(\.[0-9]+)?$`

var (
	amountType   = valueType{name: "decimal in quotes, an amount", sample: `"1200.00"`, scalars: []schema{{"type": "string", "pattern": amountPattern}}}
	currencyType = valueType{name: "currency (ISO 4217)", sample: "EUR", scalars: []schema{{"type": "string", "pattern": "^[A-Z]{3}$"}}}
)

const currencyDoc = "Its currency. An agreement has one currency."

var moneyFields = []field{
	{key: "amount", typ: amountType, required: true, doc: "How much, to the smallest unit of the currency."},
	{key: "currency", typ: currencyType, required: true, doc: currencyDoc},
}

// parseCurrency parses the code of a currency.
func parseCurrency(v value) (sla.Currency, bool) {
	code, ok := v.text()
	if !ok {
		return sla.Currency{}, false
	}
	unit, err := currency.ParseISO(code)
	if err != nil || code != unit.String() {
		remedy := "write its three letters, e.g. EUR"
		if err == nil {
			remedy = "write " + unit.String()
		}
		v.error("bad-currency", v.quoted()+" is no currency of ISO 4217", remedy)
		return sla.Currency{}, false
	}
	places, _ := currency.Standard.Rounding(unit)
	return sla.Currency{Code: code, Places: places}, true
}

// readMoney reads amount and currency of a section. An amount is above 0.
func readMoney(o *object) (sla.Money, bool) {
	amount, at, ok := read(o, "amount", value.positive)
	in, _, currencyOK := read(o, "currency", parseCurrency)
	if !ok || !currencyOK {
		return sla.Money{}, false
	}
	if _, places, _ := strings.Cut(amount.String(), "."); len(places) > in.Places {
		at.error("bad-amount", fmt.Sprintf("%s has more places after the point than %s, which has %d", at.quoted(), in.Code, in.Places), "round it")
		return sla.Money{}, false
	}
	return sla.Money{Amount: amount, Currency: in}, o.d.sameCurrency(o, in)
}

// sameCurrency reports a second currency of an agreement, whose amounts could not be
// compared or added.
func (d *decoder) sameCurrency(o *object, in sla.Currency) bool {
	at, _ := o.get("currency")
	if d.currency != "" && d.currency != in.Code {
		at.error("two-currencies", at.quoted()+": other amounts of the agreement are in "+d.currency, "write all amounts of an agreement in one currency")
		return false
	}
	d.currency = in.Code
	return true
}

var feeSection = &section{
	name: "fee",
	doc:  "What the customer pays.",
	fields: append(moneyFields[:2:2],
		field{key: "per", typ: oneOf(unitNames...), example: "month", doc: "What it pays for: of a monthly fee, a quarter has three. Without it, the period that credits follow."}),
}

// decodeFee reads the key fee. It returns nil if there is none or it is wrong.
func decodeFee(o *object) *sla.Fee {
	at, given := o.get("fee")
	if !given {
		return nil
	}
	o.d.feeGiven = true
	f := at.object(feeSection)
	if f == nil {
		return nil
	}
	money, ok := readMoney(f)
	per, _, _ := read(f, "per", word(sla.Units...))
	if !ok {
		return nil
	}
	return &sla.Fee{Money: money, Per: per, Pos: at.d.pos(at.key)}
}

// capFields are the keys of a limit of credits.
var capFields = []field{
	{key: "percent", typ: decimalType, example: `"50"`, doc: "In per cent of the base."},
	{key: "amount", typ: amountType, doc: "As an amount, with its `currency`."},
	{key: "currency", typ: currencyType, doc: currencyDoc},
}

var levelCapSection = &section{
	name:   "cap of a level's credits",
	doc:    "The most that a level owes in a period.",
	fields: capFields,
	oneOf:  [][]string{{"percent", "amount"}},
}

var creditCapSection = &section{
	name: "a credit cap",
	doc:  "The most that is owed.",
	fields: append([]field{
		{key: "per", typ: oneOf(namesOf(sla.CapSpans())...), required: true, doc: "What it limits: each level, the sum of a period, or the sum of the twelve months that end with the period."},
	}, capFields...),
	oneOf: [][]string{{"percent", "amount"}},
}

// decodeLevelCap reads the key cap. It returns nil if there is none or it is wrong.
func decodeLevelCap(o *object) *sla.CreditCap {
	at, given := o.get("cap")
	if !given {
		return nil
	}
	x := at.object(levelCapSection)
	if x == nil {
		return nil
	}
	c, ok := readCap(x)
	c.Per = sla.CapLevel
	if !ok {
		return nil
	}
	return &c
}

// readCap reads percent, or amount and currency.
func readCap(o *object) (sla.CreditCap, bool) {
	c := sla.CreditCap{Pos: o.pos()}
	percent, _, ofPercent := read(o, "percent", value.positive)
	c.Percent = percent
	_, ofAmount := o.get("amount")
	currencyAt, ofCurrency := o.get("currency")
	switch {
	case ofAmount && !ofCurrency:
		o.missing("an amount needs its currency", "add currency: EUR")
		return c, false
	case ofCurrency && !ofAmount:
		currencyAt.d.errorAt(currencyAt.key, "conflicting-keys", "currency goes with amount, and there is none", "leave it out")
		return c, false
	case ofAmount:
		money, ok := readMoney(o)
		c.Amount = &money
		return c, ok && !ofPercent
	}
	return c, ofPercent
}
