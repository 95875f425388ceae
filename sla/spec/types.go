package spec

// valueType is what may stand under a key, as the schema and the reference
// show it. Each is read by a method of value or by a function named parse.
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
