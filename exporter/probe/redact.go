package probe

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// hidden replaces secrets.
const hidden = "<hidden>"

// Patterns of secrets in responses that the probe does not know itself: values with
// a suspicious name in JSON, forms and query strings; fields of a form; bearer
// tokens; JSON web tokens; and the user info of URLs. The first group is kept.
var secretPatterns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)([\w.-]*(?:auth|cookie|token|key|secret|passw|pwd|credential|session|jwt|csrf|xsrf|nonce|signature)[\w.-]*\\?["']?\s*[:=]\s*\[?\s*)(?:\\?"(?:[^"\\]|\\[^"])*\\?"?|'[^']*'?|[^\s,;&<>"'{}\[\]]+)`),
	regexp.MustCompile(`(?i)(<(?:input|meta|param)\b[^>]*\b(?:value|content)\s*=\s*)(?:"[^"]*"?|'[^']*'?|[^\s>"']+)`),
	regexp.MustCompile(`(?i)(\bbearer\s+)[\w+/=.~-]{4,}`),
	regexp.MustCompile(`(://)[^/\s"'<>@?#]+@`),
	regexp.MustCompile(`()\beyJ[\w-]{5,}(?:\.[\w-]*)*`),
}

// secretTexts are the probe's own secrets, which must not be shown.
type secretTexts struct {
	values []string
}

// add adds secrets, in all forms in which responses may repeat them.
func (s *secretTexts) add(values ...string) {
	for _, value := range values {
		if value == "" {
			continue
		}
		quoted, _ := json.Marshal(value)
		forms := []string{
			value, escaped(value), url.QueryEscape(value), (&url.URL{Path: value}).EscapedPath(), html.EscapeString(value),
			strings.Trim(string(quoted), `"`), base64.StdEncoding.EncodeToString([]byte(value)),
		}
		for _, form := range forms {
			if form != "" && !slices.Contains(s.values, form) {
				s.values = append(s.values, form)
			}
		}
	}
}

// shortest is how long, in bytes, a sent text must be to be redacted: shorter ones
// occur everywhere.
const shortest = 4

// addSent adds a text that was sent to a target, which may echo it: the whole text, and
// each word except the first, which is a command.
func (s *secretTexts) addSent(text string) {
	text = strings.TrimSpace(text)
	s.addBody(text)
	words := strings.Fields(text)
	for i, word := range words {
		if i > 0 && len(word) >= shortest {
			s.add(word)
		}
	}
}

// addBody adds a body that was sent: the whole, and the values of a form or of JSON.
func (s *secretTexts) addBody(body string) {
	if len(body) < shortest {
		return
	}
	s.add(body)
	if form, err := url.ParseQuery(body); err == nil {
		for _, values := range form {
			s.addLong(values...)
		}
	}
	var value any
	if json.Unmarshal([]byte(body), &value) == nil {
		s.addLeaves(value)
	}
}

func (s *secretTexts) addLong(values ...string) {
	for _, value := range values {
		if len(value) >= shortest {
			s.add(value)
		}
	}
}

func (s *secretTexts) addLeaves(value any) {
	switch v := value.(type) {
	case string:
		s.addLong(v)
	case []any:
		for _, one := range v {
			s.addLeaves(one)
		}
	case map[string]any:
		for _, one := range v {
			s.addLeaves(one)
		}
	}
}

// addAuthorization adds the credentials of a header like Authorization; those of
// basic authentication decoded, too.
func (s *secretTexts) addAuthorization(value string) {
	s.add(value)
	_, credentials, _ := strings.Cut(value, " ")
	s.add(credentials)
	if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil {
		_, password, _ := strings.Cut(string(plain), ":")
		s.add(string(plain), password)
	}
}

// redact returns a text without secrets.
func (s *secretTexts) redact(text string) string {
	// The longest first: one may be part of another.
	slices.SortFunc(s.values, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(s.values))
	for _, value := range s.values {
		pairs = append(pairs, value, hidden)
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	for _, pattern := range secretPatterns {
		text = pattern.ReplaceAllString(text, "${1}"+hidden)
	}
	return text
}

// withoutCutSecret removes the beginning of a secret from the end of a text that was
// cut off.
func (s *secretTexts) withoutCutSecret(text string) string {
	end := len(text)
	for _, value := range s.values {
		for n := min(len(value)-1, len(text)); n > 2; n-- {
			if strings.HasSuffix(text, value[:n]) {
				end = min(end, len(text)-n)
				break
			}
		}
	}
	return text[:end]
}

// foundIn reports whether bytes contain a secret.
func (s *secretTexts) foundIn(said []byte) bool {
	return slices.ContainsFunc(s.values, func(value string) bool { return strings.Contains(string(said), value) })
}

// openHeaders are the headers of a request whose values are never secret.
var openHeaders = []string{"User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Cache-Control"}

// secretTexts returns the secrets that the exchange has sent or received.
func (x *exchange) secretTexts() (s secretTexts) {
	for _, secret := range x.secrets {
		s.addAuthorization(secret.value)
	}
	for _, value := range x.captured {
		s.add(value)
	}
	for _, o := range []*outgoing{x.first, x.current} {
		if o == nil {
			continue
		}
		for _, h := range o.headers {
			switch {
			case sla.SecretName(h.name):
				s.addAuthorization(h.value)
			case !slices.Contains(openHeaders, h.name):
				s.addLong(h.value)
			}
		}
		s.addBody(o.body)
		for name, values := range o.url.Query() {
			if sla.SecretName(name) {
				s.add(values...)
			}
		}
		if x.jar != nil {
			for _, cookie := range x.jar.Cookies(o.url) {
				s.addLong(cookie.Value)
			}
		}
	}
	if x.answer != nil {
		if _, query, ok := strings.Cut(x.answer.Header.Get("Location"), "?"); ok {
			s.addBody(query)
		}
		for _, cookie := range x.answer.Cookies() {
			s.addLong(cookie.Value)
		}
	}
	return s
}
