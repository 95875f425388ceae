package spec

import (
	"slices"
	"strings"
)

// section describes a mapping of the format: the keys it may have. Decoder,
// JSON Schema and reference are all made from it.
type section struct {
	name   string // as messages and the reference call it
	doc    string
	fields []field
	oneOf  [][]string // groups of keys of which exactly one must be given
}

// field describes one key.
type field struct {
	key      string
	typ      valueType
	required bool
	def      string   // what holds if the key is left out
	doc      string   // what it means, with unit and constraints; Markdown
	example  string   // a value as it is written
	synonyms []string // what other formats call it, beside otherWords
}

func (f *field) sample() string {
	if f.example != "" {
		return f.example
	}
	return f.typ.sample
}

func (s *section) field(key string) *field {
	for i := range s.fields {
		if s.fields[i].key == key {
			return &s.fields[i]
		}
	}
	return nil
}

func (s *section) keys() []string {
	keys := make([]string, len(s.fields))
	for i, f := range s.fields {
		keys[i] = f.key
	}
	return keys
}

// unknownRemedy says which key was meant: one of the section that is spelt
// nearly so, or one that stands elsewhere.
func unknownRemedy(s *section, key string) string {
	if near := meantKey(s, key); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	for _, other := range kinFirst(s, sections()) {
		if other != s && other.field(key) != nil {
			return quote(key) + " is a key of " + other.name + "; " + s.name + " has " + list(s.keys())
		}
	}
	return "its keys are " + list(s.keys())
}

// kinFirst is the sections with those of the same family, as the kinds of probe
// are, before the others.
func kinFirst(s *section, all []*section) []*section {
	family := func(x *section) string { return strings.Fields(x.name)[0] }
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *section) int {
		switch kinA, kinB := family(a) == family(s), family(b) == family(s); {
		case kinA && !kinB:
			return -1
		case kinB && !kinA:
			return 1
		}
		return 0
	})
	return sorted
}

// otherWords are what other formats and people call our keys.
var otherWords = map[string][]string{
	"serviceLevels":      {"slos", "objectives", "levels", "slas", "serviceLevelObjectives", "services"},
	"target":             {"goal", "slo", "availability", "percentage"},
	"period":             {"window", "timeWindow", "time_window", "duration"},
	"indicator":          {"sli", "indicators", "measure", "metric"},
	"alerting":           {"alerts", "alert", "notifications", "burnRateAlerts"},
	"tiers":              {"rules", "alerts", "levels"},
	"labels":             {"tags", "team", "owner"},
	"http":               {"url", "endpoint", "https", "get"},
	"tcp":                {"host", "address", "port"},
	"bodyMatches":        {"body_regex", "contains", "expect", "match"},
	"status":             {"expectedStatus", "codes", "statusCodes", "validStatus"},
	"events":             {"ratio", "ratioMetric", "requests", "counter"},
	"latency":            {"duration", "responseTime", "response_time"},
	"bad":                {"errors", "error", "failed", "error_query", "errorQuery"},
	"good":               {"success", "successful", "ok"},
	"all":                {"allOf", "all_of", "every", "and"},
	"total":              {"all", "valid", "total_query", "totalQuery"},
	"threshold":          {"max", "below", "limit", "le"},
	"passwordFile":       {"password", "password_file"},
	"credentialsFile":    {"credentials", "token", "tokenFile", "credentials_file"},
	"clientSecretFile":   {"clientSecret", "client_secret"},
	"basicAuth":          {"basic_auth", "basic"},
	"authorization":      {"bearer", "bearerToken", "bearerTokenFile", "bearer_token", "bearer_token_file"},
	"compression":        {"acceptEncoding", "encodings"},
	"proxyURL":           {"proxy", "proxy_url"},
	"maxBodySize":        {"bodySizeLimit", "body_size_limit"},
	"httpVersions":       {"validHTTPVersions", "valid_http_versions", "http2", "http3"},
	"ipFamily":           {"ipVersion", "ip_version", "ipProtocol", "preferred_ip_protocol", "ip_protocol"},
	"followRedirects":    {"follow_redirects", "redirects"},
	"send":               {"write", "say", "query"},
	"expect":             {"receive", "read", "hear", "response"},
	"dialogue":           {"query_response", "queryResponse", "steps", "script"},
	"insecureSkipVerify": {"insecure", "skipVerify", "insecure_skip_verify", "tlsSkipVerify"},
	"runbook":            {"runbook_url", "runbookUrl", "runbookURL"},
	"factor":             {"burnRate", "burn_rate", "rate"},
	"long":               {"longWindow", "long_window"},
	"short":              {"shortWindow", "short_window"},
	"keepFiringFor":      {"keep_firing_for"},
	"escalation":         {"escalations", "escalationPolicy", "escalate", "onCall"},
	"contacts":           {"receivers", "people", "recipients"},
	"notify":             {"to", "receivers", "receiver", "contacts", "who", "tell"},
	"after":              {"delay", "wait", "escalateAfter", "at"},
	"over":               {"window", "lookback", "lookbackWindow", "rate"},
	"within":             {"horizon", "ahead", "before", "ends"},
	"minimumEvents":      {"minEvents", "minRequests", "minimumRequests", "minimumTraffic", "min_events"},
	"any":                {"anyOf", "any_of", "oneOf", "or"},
	"atLeast":            {"at_least", "kOfN", "k_of_n", "quorum", "minimum"},
	"journey":            {"steps", "path", "chain"},
	"weighted":           {"weights", "mean", "average"},
	"minimumBadEvents":   {"minBadEvents", "minErrors", "minFailures", "minimumErrors", "minimumFailures"},
}

// meantKey is the key of a section that an unknown one stands for, or "".
func meantKey(s *section, key string) string {
	if near := Nearest(key, s.keys()); near != "" {
		return near
	}
	for _, f := range s.fields {
		same := func(word string) bool { return strings.EqualFold(word, key) }
		if slices.ContainsFunc(otherWords[f.key], same) || slices.ContainsFunc(f.synonyms, same) {
			return f.key
		}
	}
	return ""
}

// sections are all sections, in the order of the reference: each before those
// that stand in it.
func sections() []*section {
	var found []*section
	queue := []*section{rootSection}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if slices.Contains(found, s) {
			continue
		}
		found = append(found, s)
		for _, f := range s.fields {
			queue = append(queue, f.typ.sections...)
		}
	}
	return found
}
