package spec

// valueType describes the value of a key for the schema and the reference. A method of
// value or a function named parse reads it.
type valueType struct {
	name     string
	sample   string
	scalars  []schema   // JSON Schemas of all forms but mappings
	sections []*section // the mappings that it may be
	shape    shape
	// mayBeEmpty allows an empty list.
	mayBeEmpty bool
}

// shape says whether a key has one value, a list or a mapping of them.
type shape int

const (
	single shape = iota
	listOf
	oneOrList // the value, or a list of values
	anyList   // as listOf, but it may be empty
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

// oneOf is the type of a value that is one of the words.
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
