package blackbox

import (
	"net/url"
	"regexp"
	"strings"
)

// escapedSign is an escaped sign that no scheme, host or port has escaped.
var escapedSign = regexp.MustCompile(`(?i)%(3a|2f|5b|5d)`)

// decodeTarget is the target of a request whose sender has escaped it twice, as
// some do: http%3A%2F%2Fshop.example%3A8080. It looks at scheme, host and port
// only, since a target that is escaped once may have escaped signs in its user
// info, path and query.
func decodeTarget(target string) string {
	head := target
	if _, rest, ok := strings.Cut(target, "://"); ok {
		head = rest
	}
	if i := strings.IndexAny(head, "/?#"); i >= 0 {
		head = head[:i]
	}
	head = head[strings.LastIndex(head, "@")+1:]
	if !escapedSign.MatchString(head) {
		return target
	}
	decoded, err := url.PathUnescape(target)
	if err != nil {
		return target
	}
	return decoded
}
