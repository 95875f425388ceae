package spec

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/sla"
)

// duration parses a time in Prometheus' notation, above 0.
func (v value) duration() (time.Duration, bool) {
	d, ok := v.durationOrZero()
	if ok && d == 0 {
		v.error("bad-duration", v.quoted()+" must be more than zero", "write a time above zero, e.g. "+v.durationSample())
		return 0, false
	}
	return d, ok
}

func (v value) durationSample() string {
	if v.field != nil {
		return v.field.sample()
	}
	return "15s"
}

// durationOrZero parses a time in Prometheus' notation.
func (v value) durationOrZero() (time.Duration, bool) {
	const form = "write whole numbers with units: 300ms, 15s, 5m, 1h30m, 30d"
	if tag := v.node.ShortTag(); tag == "!!int" || tag == "!!float" {
		v.error("bad-duration", v.name+" "+v.node.Value+" has no unit", unitRemedy(v.node.Value))
		return 0, false
	}
	text, ok := v.text()
	if !ok {
		return 0, false
	}
	d, err := model.ParseDuration(text)
	if err == nil {
		return time.Duration(d), true
	}
	switch std, stdErr := time.ParseDuration(text); {
	case strings.HasPrefix(text, "-"):
		v.error("bad-duration", v.quoted()+" is negative", form)
	case strings.Trim(text, "0123456789") == "":
		v.error("bad-duration", v.quoted()+" has no unit", unitRemedy(text))
	case stdErr == nil && std%time.Millisecond == 0:
		v.error("bad-duration", v.quoted()+" is not a duration", "write "+sla.FormatDuration(std))
	default:
		v.error("bad-duration", v.quoted()+" is not a duration", form)
	}
	return 0, false
}

func unitRemedy(number string) string {
	if seconds, err := time.ParseDuration(number + "s"); err == nil && strings.Contains(number, ".") {
		return "write " + sla.FormatDuration(seconds) + " if seconds are meant"
	}
	return "write " + number + "s if seconds are meant, " + number + "ms if milliseconds"
}

// maxPlaces limits the decimal places. Seven nines have five, and rule files must be
// able to show the ratio exactly.
const maxPlaces = 9

// decimal parses an exact number, which must be written as text.
func (v value) decimal() (sla.Decimal, bool) {
	switch tag := v.node.ShortTag(); {
	case v.node.Kind == yamlScalar && (tag == "!!float" || tag == "!!int"):
		remedy := "write " + v.name + `: "` + v.node.Value + `"`
		if ratio, err := sla.ParseDecimal(v.node.Value); err == nil && v.field != nil && v.field.typ.name == percentType.name && looksLikeRatio(ratio) {
			remedy = asPercent(v.name, ratio)
		}
		v.error("unquoted-number", v.name+" is a bare number, which YAML may round; numbers that decide are text", remedy)
		return sla.Decimal{}, false
	}
	text, ok := v.text()
	if !ok {
		return sla.Decimal{}, false
	}
	d, err := sla.ParseDecimal(text)
	if err != nil {
		v.error("bad-decimal", v.quoted()+" is not a decimal number", decimalRemedy(v.name, text))
		return d, false
	}
	if _, fraction, _ := strings.Cut(text, "."); len(fraction) > maxPlaces {
		v.error("bad-decimal", fmt.Sprintf("%s has %d places after the point, more than %d", v.quoted(), len(fraction), maxPlaces), "round it")
		return d, false
	}
	return d, true
}

// decimalRemedy recognises common other forms of a number: with a comma, a percent sign
// or an exponent.
func decimalRemedy(name, text string) string {
	fixed := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%"))
	fixed = strings.Replace(fixed, ",", ".", 1)
	if _, err := sla.ParseDecimal(fixed); err == nil {
		return "write " + name + `: "` + fixed + `"`
	}
	if f, ok := new(big.Rat).SetString(fixed); ok && f.IsInt() {
		return "write " + name + `: "` + f.Num().String() + `"`
	}
	return `write digits with a decimal point, e.g. "99.9"`
}

// percent parses a target: at least 1 and less than 100 per cent.
func (v value) percent() (sla.Decimal, bool) {
	d, ok := v.decimal()
	switch {
	case !ok:
		return d, false
	case d.Cmp(sla.NewDecimal(100, 1)) == 0:
		v.error("bad-target", v.quoted()+" leaves no error budget: the first failure would breach it", `promise less, e.g. "99.99"`)
	case d.Cmp(sla.NewDecimal(100, 1)) > 0:
		v.error("bad-target", v.quoted()+" is more than 100 %", `write a percentage below 100, e.g. "99.9"`)
	case d.Sign() <= 0:
		v.error("bad-target", v.quoted()+" promises nothing", `write a percentage above 0, e.g. "99.9"`)
	case looksLikeRatio(d):
		v.error("bad-target", v.quoted()+" would be less than one per cent; it looks like a ratio", asPercent(v.name, d))
	default:
		return d, true
	}
	return d, false
}

// percentOrAll parses a percentage as percent does, and 100.
func (v value) percentOrAll() (sla.Decimal, bool) {
	if d, err := sla.ParseDecimal(v.node.Value); err == nil && v.node.ShortTag() == "!!str" && d.Cmp(sla.NewDecimal(100, 1)) == 0 {
		return d, true
	}
	return v.percent()
}

// looksLikeRatio returns whether d is more likely a ratio like 0.999 than a percentage:
// nobody promises less than 1 %.
func looksLikeRatio(d sla.Decimal) bool { return d.Sign() > 0 && d.Cmp(sla.NewDecimal(1, 1)) < 0 }

func asPercent(name string, ratio sla.Decimal) string {
	return "targets are in per cent: write " + name + `: "` + percentOf(ratio) + `"`
}

// count is a number and where it was written.
type count struct {
	number int
	at     value
}

// count parses a whole number, not negative.
func (v value) count() (count, bool) {
	if v.node.ShortTag() != "!!int" {
		remedy := ""
		if _, err := strconv.ParseUint(v.node.Value, 10, 32); err == nil {
			remedy = "write " + v.name + ": " + v.node.Value + ", without quotes"
		}
		v.typeError("a whole number", remedy)
		return count{}, false
	}
	n, err := strconv.Atoi(v.node.Value)
	if err != nil || n < 0 || n > maxCount {
		v.error("bad-count", v.quoted()+" is not a whole number from 0 to "+strconv.Itoa(maxCount), "write digits alone, e.g. "+v.name+": "+v.field.sample())
		return count{}, false
	}
	return count{n, v}, true
}

const maxCount = 1_000_000_000
