package spec

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// valueType is what may stand under a key, as the schema and the reference
// show it; the methods of value below read it.
type valueType struct {
	name     string
	sample   string
	scalars  []schema   // JSON Schemas of the forms that are no mapping
	sections []*section // the mappings it may be
	shape    shape
	// mayBeEmpty makes an empty list a value of its own.
	mayBeEmpty bool
}

// shape says how many of the value stand under a key.
type shape int

const (
	single shape = iota
	listOf
	oneOrList // the value, or a list of such
	anyList   // as listOf, and it may be empty
	byName    // a mapping of names to the value
	byText    // a mapping of any texts to the value
)

const (
	namePattern     = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`
	labelPattern    = `^[a-zA-Z_][a-zA-Z0-9_]*$`
	durationPattern = `^(0|([0-9]+(y|w|d|h|m|s|ms))+)$`
	decimalPattern  = `^[0-9]+(\.[0-9]+)?$`
)

var (
	textType     = valueType{name: "text", sample: `"…"`, scalars: []schema{{"type": "string", "pattern": `\S`}}}
	nameType     = valueType{name: "name", sample: "shop", scalars: []schema{{"type": "string", "pattern": namePattern}}}
	durationType = valueType{name: "duration", sample: "5m", scalars: []schema{{"type": "string", "pattern": durationPattern}}}
	percentType  = valueType{name: "decimal in quotes, percent", sample: `"99.9"`, scalars: []schema{{"type": "string", "pattern": decimalPattern}}}
	decimalType  = valueType{name: "decimal in quotes", sample: `"14.4"`, scalars: []schema{{"type": "string", "pattern": decimalPattern}}}
	booleanType  = valueType{name: "boolean", sample: "true", scalars: []schema{{"type": "boolean"}}}
	urlType      = valueType{name: "URL", sample: "https://…", scalars: []schema{{"type": "string", "pattern": "^https?://"}}}
	queryType    = valueType{name: "PromQL", sample: `'http_requests_total{job="api"}'`, scalars: []schema{{"type": "string", "pattern": `\S`}}}
	labelsType   = valueType{name: "labels", sample: "{team: shop}", scalars: []schema{{
		"type": "object", "propertyNames": schema{"pattern": labelPattern}, "additionalProperties": schema{"type": "string", "pattern": `\S`},
	}}}
)

// oneOf is the type of a value that is one of some words.
func oneOf(words ...string) valueType {
	name := words[0]
	if len(words) > 1 {
		name = "one of " + either(words)
	}
	return valueType{name: name, sample: words[0], scalars: []schema{{"type": "string", "enum": words}}}
}

func mapping(s ...*section) valueType {
	return valueType{name: "mapping", sample: "{…}", sections: s}
}

// read is a key's value as parse reads it; ok is false if the key was not given
// or its value is wrong, which has then been reported.
func read[T any](o *object, key string, parse func(value) (T, bool)) (got T, at value, ok bool) {
	at, given := o.get(key)
	if !given {
		return got, at, false
	}
	got, ok = parse(at)
	return got, at, ok
}

var nameRegexp = regexp.MustCompile(namePattern)

// identifier is a name as DNS labels are, fit for file names and labels.
func (v value) identifier() (string, bool) {
	text, ok := v.text()
	if ok && len(text) > 63 {
		v.wrong("bad-name", fmt.Sprintf("%s has %d characters, more than 63", v.said(), len(text)), "shorten it; description holds the rest")
		return text, false
	}
	if ok && !nameRegexp.MatchString(text) {
		remedy := "use lower-case letters, digits and -, beginning and ending with a letter or digit, at most 63"
		if fixed := toName(text); fixed != "" {
			remedy += ", e.g. " + fixed
		}
		v.wrong("bad-name", v.said()+" is not a valid name"+foreign(text), remedy)
		return text, false
	}
	return text, ok
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// toName is the valid name nearest to a text, if there is one.
func toName(text string) string {
	for _, r := range text {
		if r > unicode.MaxASCII {
			return "" // to drop letters would make another word
		}
	}
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.TrimRight(name[:min(len(name), 63)], "-")
}

// duration is a time in Prometheus' notation, above zero.
func (v value) duration() (time.Duration, bool) {
	d, ok := v.durationOrZero()
	if ok && d == 0 {
		v.wrong("bad-duration", v.said()+" must be more than zero", "write a time above zero, e.g. "+v.durationSample())
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

// durationOrZero is a time in Prometheus' notation.
func (v value) durationOrZero() (time.Duration, bool) {
	const form = "write whole numbers with units: 300ms, 15s, 5m, 1h30m, 30d"
	if tag := v.node.ShortTag(); tag == "!!int" || tag == "!!float" {
		v.wrong("bad-duration", v.name+" "+v.node.Value+" has no unit", unitRemedy(v.node.Value))
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
		v.wrong("bad-duration", v.said()+" is negative", form)
	case strings.Trim(text, "0123456789") == "":
		v.wrong("bad-duration", v.said()+" has no unit", unitRemedy(text))
	case stdErr == nil && std%time.Millisecond == 0:
		v.wrong("bad-duration", v.said()+" is not a duration", "write "+sla.FormatDuration(std))
	default:
		v.wrong("bad-duration", v.said()+" is not a duration", form)
	}
	return 0, false
}

func unitRemedy(number string) string {
	if seconds, err := time.ParseDuration(number + "s"); err == nil && strings.Contains(number, ".") {
		return "write " + sla.FormatDuration(seconds) + " if seconds are meant"
	}
	return "write " + number + "s if seconds are meant, " + number + "ms if milliseconds"
}

// maxPlaces bounds the places after the point of a target: seven nines have
// five, and rule files must be able to print the ratio exactly.
const maxPlaces = 9

// decimal is an exact number, which has to be written as text.
func (v value) decimal() (sla.Decimal, bool) {
	switch tag := v.node.ShortTag(); {
	case v.node.Kind == yamlScalar && (tag == "!!float" || tag == "!!int"):
		remedy := "write " + v.name + `: "` + v.node.Value + `"`
		if ratio, err := sla.ParseDecimal(v.node.Value); err == nil && v.field != nil && v.field.typ.name == percentType.name && looksLikeRatio(ratio) {
			remedy = asPercent(v.name, ratio)
		}
		v.wrong("unquoted-number", v.name+" is a bare number, which YAML may round; numbers that decide are text", remedy)
		return sla.Decimal{}, false
	}
	text, ok := v.text()
	if !ok {
		return sla.Decimal{}, false
	}
	d, err := sla.ParseDecimal(text)
	if err != nil {
		v.wrong("bad-decimal", v.said()+" is not a decimal number", decimalRemedy(v.name, text))
		return d, false
	}
	if _, fraction, _ := strings.Cut(text, "."); len(fraction) > maxPlaces {
		v.wrong("bad-decimal", fmt.Sprintf("%s has %d places after the point, more than %d", v.said(), len(fraction), maxPlaces), "round it")
		return d, false
	}
	return d, true
}

// decimalRemedy recognises how numbers are often written.
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

// percent is a target: at least 1 and less than 100 per cent.
func (v value) percent() (sla.Decimal, bool) {
	d, ok := v.decimal()
	switch {
	case !ok:
		return d, false
	case d.Cmp(sla.NewDecimal(100, 1)) == 0:
		v.wrong("bad-target", v.said()+" leaves no error budget: the first failure would breach it", `promise less, e.g. "99.99"`)
	case d.Cmp(sla.NewDecimal(100, 1)) > 0:
		v.wrong("bad-target", v.said()+" is more than 100 %", `write a percentage below 100, e.g. "99.9"`)
	case d.Sign() <= 0:
		v.wrong("bad-target", v.said()+" promises nothing", `write a percentage above 0, e.g. "99.9"`)
	case looksLikeRatio(d):
		v.wrong("bad-target", v.said()+" would be less than one per cent; it looks like a ratio", asPercent(v.name, d))
	default:
		return d, true
	}
	return d, false
}

// looksLikeRatio tells 0.999 from a percentage: nobody promises less than 1 %.
func looksLikeRatio(d sla.Decimal) bool { return d.Sign() > 0 && d.Cmp(sla.NewDecimal(1, 1)) < 0 }

func asPercent(name string, ratio sla.Decimal) string {
	return "targets are in per cent: write " + name + `: "` + percentOf(ratio) + `"`
}

// link is an absolute http or https URL with a host and without user info.
func (v value) link() (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := sla.ParseURL(text)
	port := ""
	if err == nil {
		port = u.Port()
	}
	switch {
	case err != nil:
		v.wrong("bad-url", v.name+" is not a URL: "+sla.URLReason(text, err), "write it as https://host/path")
	case u.Scheme != "http" && u.Scheme != "https":
		v.wrong("bad-url", v.said()+" does not begin with http:// or https://", "write it in full, e.g. https://"+afterScheme(text))
	case sla.TwoSchemes(u):
		v.wrong("bad-url", v.said()+" has two schemes", "write one: "+afterScheme(text))
	case u.Hostname() == "":
		v.wrong("bad-url", v.said()+" names no host", "write it as https://host/path")
	case u.User != nil:
		v.wrong("bad-url", v.said()+" has a user name or password before its host, which would be shown in labels and logs",
			"leave it out of the URL and use headers: {Authorization: …}")
	case port != "" && !sla.ValidPort(port) && strings.Contains(text, "@"): // the port may be a part of a password
		v.wrong("bad-url", v.said()+" has a port that is none", "a port is a number from 1 to 65535")
	case port != "" && !sla.ValidPort(port):
		v.wrong("bad-url", v.said()+" has the port "+port, "a port is a number from 1 to 65535")
	default:
		return text, v.hasName(u.Hostname())
	}
	return "", false
}

func afterScheme(text string) string {
	if _, rest, found := strings.Cut(text, "//"); found {
		text = rest
	}
	return sla.Mask("://"+text, true)[len("://"):]
}

// word is text that is one of some words.
func word[T ~string](words ...T) func(value) (T, bool) {
	return func(v value) (T, bool) {
		text, ok := v.text()
		if !ok {
			return "", false
		}
		names := make([]string, len(words))
		for i, w := range words {
			if names[i] = string(w); text == names[i] {
				return w, true
			}
		}
		remedy := "write " + v.name + ": " + names[0]
		if near := Nearest(text, names); near != "" {
			remedy = "did you mean " + quote(near) + "?"
		} else if len(names) > 1 {
			remedy = "choose one of them"
		}
		v.wrong("bad-value", v.said()+" is not "+either(names), remedy)
		return "", false
	}
}

var labelRegexp = regexp.MustCompile(labelPattern)

// reservedLabels are set by the rules themselves.
var reservedLabels = map[string]bool{
	"sla": true, "service": true, "slo": true, "severity": true, "tier": true, "long_window": true,
	"short_window": true, "period": true, "alertname": true, "alertstate": true, "escalation": true, "composite": true, "inhibited_by": true,
}

// labels are names to texts, as series and alerts carry them.
func (v value) labels() (map[string]string, bool) {
	return v.named(func(entry value) bool {
		if !reservedLabels[entry.name] {
			return true
		}
		remedy := "choose another name"
		if entry.name == "severity" {
			remedy = severityRemedy(entry)
		}
		v.d.errorAt(entry.key, "bad-label", "the label "+quote(entry.name)+" is set by the rules themselves", remedy)
		return false
	})
}

// severityRemedy says where the label severity is named.
func severityRemedy(entry value) string {
	name := "critical"
	if _, _, urgency := (sla.SeverityNames{}).Named(entry.node.Value); entry.node.Kind == yaml.ScalarNode && entry.node.Value != "" && !urgency {
		name = entry.node.Value
	}
	return fmt.Sprintf("name severities for the whole agreement in spec.alerting: severities: {page: %s, ticket: …}; or give one alert another: tiers: {page-fast: {severity: %s}}", name, name)
}

// annotations are names to texts, as alerts carry them.
func (v value) annotations() (map[string]string, bool) {
	return v.named(func(entry value) bool {
		if entry.name == "runbook_url" {
			v.d.errorAt(entry.key, "bad-label", `the annotation "runbook_url" is made of alerting.runbook`, "write runbook: instead")
			return false
		}
		return true
	})
}

func (v value) named(accept func(value) bool) (map[string]string, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	texts := map[string]string{}
	for _, entry := range entries {
		switch {
		case !labelRegexp.MatchString(entry.name):
			v.d.errorAt(entry.key, "bad-label", quote(entry.name)+" is not a valid name in "+v.name,
				"use letters, digits and _, not beginning with a digit")
		case strings.HasPrefix(entry.name, "__"):
			v.d.errorAt(entry.key, "bad-label", quote(entry.name)+" begins with __, which Prometheus keeps for itself", "choose another name")
		case accept(entry):
			if text, ok := entry.text(); ok && entry.template(text) {
				texts[entry.name] = text
			}
		}
	}
	return texts, true
}
