package spec

import (
	"slices"
	"strings"
)

// section describes the keys of a mapping. Decoder, JSON Schema and reference are made
// from it.
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
	synonyms []string // what other formats call it, besides synonyms
	// verdictOnly is set if rules do not follow the key, which doc then says too.
	verdictOnly bool
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

// unknownKeyRemedy is the remedy for an unknown key: a similar key of the section, or
// the section that has the key.
func unknownKeyRemedy(s *section, key string) string {
	if near := likelyKey(s, key); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	for _, other := range sameFamilyFirst(s, sections()) {
		if other != s && other.field(key) != nil {
			return quote(key) + " is a key of " + other.name + "; " + s.name + " has " + list(s.keys())
		}
	}
	return "its keys are " + list(s.keys())
}

// sameFamilyFirst sorts sections so that those of the same family, such as the kinds of
// probe, come first.
func sameFamilyFirst(s *section, all []*section) []*section {
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

// synonyms are what other formats and people call our keys.
var synonyms = []struct {
	key   string
	words []string
}{
	{"serviceLevels", []string{"slos", "objectives", "levels", "slas", "serviceLevelObjectives", "services"}},
	{"target", []string{"goal", "slo", "availability", "percentage"}},
	{"period", []string{"window", "timeWindow", "time_window", "duration"}},
	{"indicator", []string{"sli", "indicators", "measure", "metric"}},
	{"alerting", []string{"alerts", "alert", "notifications", "burnRateAlerts"}},
	{"tiers", []string{"rules", "alerts", "levels"}},
	{"labels", []string{"tags", "team", "owner"}},
	{"http", []string{"url", "endpoint", "https", "get"}},
	{"tcp", []string{"host", "address", "port"}},
	{"bodyMatches", []string{"body_regex", "contains", "expect", "match"}},
	{"status", []string{"expectedStatus", "codes", "statusCodes", "validStatus"}},
	{"events", []string{"ratio", "ratioMetric", "requests", "counter"}},
	{"latency", []string{"duration", "responseTime", "response_time"}},
	{"bad", []string{"errors", "error", "failed", "error_query", "errorQuery"}},
	{"good", []string{"success", "successful", "ok"}},
	{"all", []string{"allOf", "all_of", "every", "and"}},
	{"total", []string{"all", "valid", "total_query", "totalQuery"}},
	{"threshold", []string{"max", "below", "limit", "le"}},
	{"passwordFile", []string{"password", "password_file"}},
	{"credentialsFile", []string{"credentials", "token", "tokenFile", "credentials_file"}},
	{"clientSecretFile", []string{"clientSecret", "client_secret"}},
	{"basicAuth", []string{"basic_auth", "basic"}},
	{"authorization", []string{"bearer", "bearerToken", "bearerTokenFile", "bearer_token", "bearer_token_file"}},
	{"compression", []string{"acceptEncoding", "encodings"}},
	{"proxyURL", []string{"proxy", "proxy_url"}},
	{"maxBodySize", []string{"bodySizeLimit", "body_size_limit"}},
	{"httpVersions", []string{"validHTTPVersions", "valid_http_versions", "http2", "http3"}},
	{"ipFamily", []string{"ipVersion", "ip_version", "ipProtocol", "preferred_ip_protocol", "ip_protocol"}},
	{"followRedirects", []string{"follow_redirects", "redirects"}},
	{"send", []string{"write", "say", "query"}},
	{"expect", []string{"receive", "read", "hear", "response"}},
	{"dialogue", []string{"query_response", "queryResponse", "steps", "script"}},
	{"insecureSkipVerify", []string{"insecure", "skipVerify", "insecure_skip_verify", "tlsSkipVerify"}},
	{"runbook", []string{"runbook_url", "runbookUrl", "runbookURL"}},
	{"factor", []string{"burnRate", "burn_rate", "rate"}},
	{"long", []string{"longWindow", "long_window"}},
	{"short", []string{"shortWindow", "short_window"}},
	{"keepFiringFor", []string{"keep_firing_for"}},
	{"escalation", []string{"escalations", "escalationPolicy", "escalate", "onCall"}},
	{"contacts", []string{"receivers", "people", "recipients"}},
	{"notify", []string{"to", "receivers", "receiver", "contacts", "who", "tell"}},
	{"after", []string{"delay", "wait", "escalateAfter", "at"}},
	{"over", []string{"window", "lookback", "lookbackWindow", "rate"}},
	{"within", []string{"horizon", "ahead", "before", "ends"}},
	{"minimumEvents", []string{"minEvents", "minRequests", "minimumRequests", "minimumTraffic", "min_events"}},
	{"any", []string{"anyOf", "any_of", "oneOf", "or"}},
	{"atLeast", []string{"at_least", "kOfN", "k_of_n", "quorum", "minimum"}},
	{"journey", []string{"steps", "path", "chain"}},
	{"weighted", []string{"weights", "mean", "average"}},
	{"minimumBadEvents", []string{"minBadEvents", "minErrors", "minFailures", "minimumErrors", "minimumFailures"}},
}

// likelyKey is the key of a section that was probably meant by an unknown one, or "".
func likelyKey(s *section, key string) string {
	if near := Nearest(key, s.keys()); near != "" {
		return near
	}
	for _, f := range s.fields {
		same := func(word string) bool { return strings.EqualFold(word, key) }
		if slices.ContainsFunc(f.synonyms, same) {
			return f.key
		}
		for _, other := range synonyms {
			if other.key == f.key && slices.ContainsFunc(other.words, same) {
				return f.key
			}
		}
	}
	return ""
}

// sections returns all sections in the order of the reference: each before the sections
// in it.
func sections() []*section { return sectionsIn(rootSections...) }

// sectionsIn returns the sections of some documents.
func sectionsIn(roots ...*section) []*section {
	var found []*section
	queue := slices.Clone(roots)
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
