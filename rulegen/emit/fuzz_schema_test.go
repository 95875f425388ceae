package emit_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla/spec"
)

// schemaText makes documents of the JSON Schema.
type schemaText struct{ root, defs map[string]any }

func newSchemaText() schemaText {
	text, err := json.Marshal(spec.Schema())
	if err != nil {
		panic(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		panic(err)
	}
	return schemaText{root, root["$defs"].(map[string]any)}
}

// values are what texts of a key may be, for keys whose form the schema does
// not tell; wrong ones are among them.
var values = map[string][]string{
	"bad":       {`errors_total{job="api"}`, `a_total + b_total{x=~"y|z"}`, `{__name__=~"e.*",code!="200"}`, `job:errors:ratio`, `rate(x[5m])`, `a - b`, `x{`},
	"good":      {`ok_total`, `ok_total{code!~"5.."} + ok_total{code="501"}`, `sla:total:rate5m`},
	"total":     {`requests_total{job="api"}`, `requests_total`, `{job="api"}`, `sum(requests_total)`},
	"histogram": {`duration_seconds{job="api"}`, `{job="api"}`, `duration_seconds_bucket`, `a + b`},
	"success":   {`probe_success{instance="x"}`, `probe_success`, `a + b`},
	"expr":      {`queue_age_seconds < 60`, `a < b and c > 1 or d == 0`, `up`, `1 < 2`, `a < bool 1`, `max(x) by (y) < 3`, `(a > 1)`, `a unless b`, `-a < 2`, `a offset 5m < 3`},
	"probe":     {"shop/a", "a/b", "other:a/b", "x"},
	"runbook":   {"https://runbooks.example/{{ $labels.slo }}", "https://r.example"},
	"timeZone":  {"Europe/Berlin", "America/Los_Angeles", "UTC", "Asia/Kolkata", "Africa/Casablanca", "Mars/Olympus"},
	"name":      {"a", "b", "c", "availability", "x-1"},
	"service":   {"shop", "a", "b"},
	"http":      {"https://shop.example/health", "http://127.0.0.1:8080"},
	"tcp":       {"db.example:5432", "[::1]:80"},
	"quantile":  {"0.95", "0.5", "2"},
	"target":    {"99.9", "99", "90", "50", "1", "99.999", "75", "99.99", "95", "98.5", "101"},
	"objective": {"99.9999", "99.999", "95"},
	"factor":    {"14.4", "1", "0.5", "300", "2.25"},
	"long":      {"1h", "6h", "3d", "30m", "10m", "7h"},
	"short":     {"5m", "30m", "1h", "7m"},
	"rolling":   {"30d", "1h", "6h", "1d", "90d", "366d"},
	"period":    {"30d", "1h", "65m", "6h", "7d", "28d", "month"},
	"interval":  {"15s", "10s", "1m"},
	"timeout":   {"5s", "1s"},
	"minRun":    {"5m", "2m"},
	"slot":      {"5m", "1h"},
	"threshold": {"300ms", "1s", "4s"},
	"periods":   {"30d", "month", "1h"},
	"over":      {"6h", "1h", "30m", "7h"},
	"within":    {"1d", "1h", "30m"},
	"weekStart": {"Mon", "Sun"},
	"all":       {"shop/a", "shop/b", "a/a", "b/a"}, "any": {"shop/a", "a/b", "shop/c"}, "of": {"shop/a", "shop/b", "a/a"}, "needs": {"shop/a", "a/a"},
	"level": {"shop/a", "a/availability"}, "affects": {"shop/a"}, "endToEnd": {"shop/a", "shop/b"}, "weight": {"1", "0.5"}, "downAbove": {"20"},
	"labels":  {"region", "zone", "team", "le", "code"},
	"groupBy": {"region", "zone"},
	"after":   {"15m"},
	"notify":  {"lead", "lead", "lead", "boss"},
	"tiers":   {"page-fast", "ticket-slow"},

	"severities": {"page", "ticket"}, "groupWait": {"10s", "1m"}, "groupInterval": {"5m"}, "repeatInterval": {"4h"},

	"rrule":        {"FREQ=WEEKLY;BYDAY=SU", "FREQ=DAILY", "FREQ=MONTHLY;BYDAY=1SU", "FREQ=OFTEN"},
	"condition":    {`link_up == 0`, `a > 1 or b < 2`, `up`},
	"serviceHours": {"always", "always", "always", "night"},
	"complementOf": {"night", "prime"},
	"holidays":     {"public"},
	"exclusions":   {"maintenance"},

	"below": {"99.5", "99", "98", "95", "90", "80", "50"}, "percent": {"10", "25", "50", "100"},
	"date":     {"2026-12-24"},
	"reviewOn": {"2026-12-24"}, "effectiveFrom": {"2026-01-01"}, "held": {"2026-11-30"},
	"maxDuration": {"1s"}, "recheckInterval": {"1s"}, "icmp": {"shop.example", "::1"},
}

// patterns are texts for the patterns of the schema.
var patterns = []struct{ in, text string }{
	{"24:00", "08:00"},
	{"T[0-9]", "2026-12-01T22:00"},
	{"-[0-9]{2}$", "12-25"},
	{"y|w|d|h|m|s|ms", "5m"},
	{"(\\.[0-9]+)?$", "12.5"},
	{"^https?", "https://x.example/"},
	{"a-zA-Z_", "team"},
	{"a-z0-9", "name"},
	{"[0-9A-Fa-f]{2}", "0aff"},
	{"[0-9A-Fa-f", "192.0.2.1"},
	{":[0-9]+", "host.example:99"},
	{"^/", "/run/x.sock"},
	{"xx)", "2xx"},
}

// choice takes bytes one by one; after the last it always takes the first way.
type choice struct {
	bytes []byte
	names map[string][]string // by key, names that the document has defined so far
}

func (c *choice) of(n int) int {
	if len(c.bytes) == 0 || n <= 1 {
		return 0
	}
	b := int(c.bytes[0])
	c.bytes = c.bytes[1:]
	return b % n
}

func (s schemaText) document(choices []byte) *yaml.Node {
	return s.node(&choice{choices, map[string][]string{"serviceHours": {"always"}}}, s.root, "", 0)
}

func (s schemaText) node(c *choice, schema map[string]any, key string, depth int) *yaml.Node {
	if ref, ok := schema["$ref"].(string); ok {
		return s.node(c, s.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), key, depth)
	}
	if agreement, ok := schema["else"].(map[string]any); ok { // "then" is an adjustment, of which there are no rules
		return s.node(c, agreement, key, depth)
	}
	for _, several := range []string{"oneOf", "anyOf"} {
		if ways, ok := schema[several].([]any); ok && schema["properties"] == nil {
			return s.node(c, ways[c.of(len(ways))].(map[string]any), key, depth)
		}
	}
	if words, ok := schema["enum"].([]any); ok {
		return scalar(words[c.of(len(words))].(string), "!!str")
	}
	switch schema["type"] {
	case "object":
		return s.mapping(c, schema, key, depth)
	case "array":
		list := &yaml.Node{Kind: yaml.SequenceNode}
		items := 1 + c.of(3)
		if schema["minItems"] == nil && c.of(4) > 0 { // names of what others define, mostly none
			items = 0
		}
		for range items {
			item := s.node(c, schema["items"].(map[string]any), key, depth+1)
			if !slices.ContainsFunc(list.Content, func(other *yaml.Node) bool { return same(item, other) }) || c.of(8) == 7 {
				list.Content = append(list.Content, item)
			}
		}
		return list
	case "boolean":
		return scalar([]string{"true", "false"}[c.of(2)], "!!bool")
	case "integer":
		return scalar([]string{"1", "0", "3", "2", "60", "9"}[c.of(6)], "!!int")
	case "string":
		return scalar(s.text(c, schema, key), "!!str")
	}
	return scalar("x", "!!str")
}

func scalar(text, tag string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: text, Tag: tag}
	if tag == "!!str" {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// same is true of two scalars of the same value: a list mostly must not have both.
func same(a, b *yaml.Node) bool {
	return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value
}

func (s schemaText) text(c *choice, schema map[string]any, key string) string {
	if defined := c.names[key]; len(defined) > 0 && c.of(8) != 7 { // mostly one that there is
		return defined[c.of(len(defined))]
	}
	if known := values[key]; known != nil {
		return known[c.of(len(known))]
	}
	pattern, _ := schema["pattern"].(string)
	for _, p := range patterns {
		if strings.Contains(pattern, p.in) {
			if strings.HasPrefix(p.text, "2026-12-01T") && key == "to" {
				return "2026-12-02T22:00"
			}
			return p.text
		}
	}
	return []string{"some text", "page", "{{ $value }}", "a\"b\\c", "ticket"}[c.of(5)]
}

// levelNames are what the document's other keys call its levels.
func levelNames(levels *yaml.Node) []string {
	var names []string
	for _, level := range levels.Content {
		var id struct{ Service, Name string }
		if err := level.Decode(&id); err != nil {
			continue // of a wrong form, so it has no name
		}
		if id.Service == "" {
			names = append(names, id.Name)
			continue
		}
		names = append(names, id.Service+"/"+id.Name)
	}
	return names
}

// goesWith are keys that are wanted with one of those that exclude each other, and
// only then; the schema cannot tell.
var goesWith = map[string][]string{"from": {"to"}, "rrule": {"start", "duration"}}

// excludedBy are keys that are not wanted with one of those that exclude each other; the
// schema cannot tell.
var excludedBy = map[string][]string{
	"complementOf": {"exceptions", "holidays", "timeZone"},
	"rrule":        {"announced", "emergency"}, "ics": {"announced", "emergency"},
	"rolling": {"fiscalOffset", "fixedMinutes", "timeZone", "weekStart"},
}

// needsOthers are alerts that a level may have only with limits of recovery, credits or
// groups, and those of the whole agreement, which no level may have. They are seldom taken.
var needsOthers = map[string]bool{
	"restoreTimeNear": true, "restoreTimeExceeded": true, "recoveryAgeNear": true, "recoveryAgeExceeded": true, "recoveryAgeUnknown": true,
	"recoveryExerciseOverdue": true, "reviewDue": true, "obligationLate": true, "creditTier": true, "groupLimit": true,
}

// termsOnly are keys of which no rule is made, and whose sections say more than the
// schema about what fits together. They are seldom taken.
var termsOnly = map[string]bool{
	"approval": true, "costOptions": true, "creditPolicy": true, "declared": true, "effectiveFrom": true, "obligations": true, "parties": true,
	"recovery": true, "reviewOn": true, "revision": true, "scope": true, "supersedes": true, "terminationRight": true, "disputeBy": true, "outage": true,
	"statusPage": true,
}

// mapping takes what is required, one of what excludes each other, and some of
// the rest.
func (s schemaText) mapping(c *choice, schema map[string]any, key string, depth int) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	add := func(name string, of map[string]any) {
		value := s.node(c, of, name, depth+1)
		switch name {
		case "serviceLevels":
			c.names["level"] = levelNames(value)
		case "calendars":
			c.names["serviceHours"] = append(c.names["serviceHours"], "night") // which all of them have
		}
		node.Content = append(node.Content, scalar(name, "!!str"), value)
	}
	properties, _ := schema["properties"].(map[string]any)
	if properties == nil {
		if of, ok := schema["additionalProperties"].(map[string]any); ok {
			names := []string{"team", "channel", "a_b"}
			if key == "tiers" {
				names = []string{"own", "ticket-slow", "page-fast"}
			}
			switch key {
			case "contacts":
				names = []string{"boss", "lead"}
			case "severities":
				names = []string{"ticket", "page"}
			case "calendars":
				names = []string{"rest", "prime", "night"}
			case "holidaySets":
				names = []string{"x", "y", "public"}
			}
			for _, name := range names[c.of(len(names)):] {
				add(name, of)
			}
		}
		return node
	}
	wanted, exclusive := map[string]bool{}, map[string]bool{}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		wanted[name.(string)] = true
	}
	if ways, ok := schema["oneOf"].([]any); ok {
		chosen := c.of(len(ways))
		if first := ways[chosen].(map[string]any)["required"].([]any)[0]; first == "ics" || first == "complementOf" || first == "composite" {
			chosen = c.of(len(ways)) // mostly not: there is no such file, and seldom such a calendar or such levels
		}
		for i, way := range ways {
			name := way.(map[string]any)["required"].([]any)[0].(string)
			exclusive[name] = true
			wanted[name] = i == chosen
			for _, with := range goesWith[name] {
				exclusive[with], wanted[with] = true, i == chosen
			}
			for _, without := range excludedBy[name] {
				exclusive[without] = exclusive[without] || i == chosen && c.of(8) != 7
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if name == "inherits" || name == "supersedes" {
			continue // there is no other agreement, and no other revision
		}
		if name == "contacts" || name == "serviceLevels" {
			wanted[name] = true // or hardly any escalation would name one, and there would be no rules
		}
		if !wanted[name] && (exclusive[name] || c.of(4+depth) != 3 || (termsOnly[name] || needsOthers[name]) && c.of(8) != 3) {
			continue
		}
		add(name, properties[name].(map[string]any))
	}
	return node
}

// The documents are worth something only if many of them become rules.
func TestSpecificationsOfTheSchemaBecomeRules(t *testing.T) {
	schema, rules := newSchemaText(), 0
	for seed := range 800 {
		choices := make([]byte, 600)
		state := uint32(seed*2654435761 + 1)
		for i := range choices {
			state = state*1664525 + 1013904223
			choices[i] = byte(state >> 24)
		}
		text, err := yaml.Marshal(schema.document(choices))
		if err != nil {
			t.Fatal(err)
		}
		if rulesOrFindings(t, string(text)) {
			rules++
		}
	}
	t.Logf("%d of 800 become rules", rules)
	if rules < 40 {
		t.Errorf("only %d of 800 become rules", rules)
	}
}
