package blackbox

import (
	"net/url"
	"regexp"
	"strings"
)

// escapedSign is a percent-encoded character that a scheme, host and port never
// have encoded.
var escapedSign = regexp.MustCompile(`(?i)%(3a|2f|5b|5d)`)

// decodeTarget decodes a target that the sender has percent-encoded twice, like
// http%3A%2F%2Fshop.example%3A8080. It looks at scheme, host and port only: user
// info, path and query of any target may have encoded characters.
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
