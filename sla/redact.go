package sla

import (
	"regexp"
	"strings"
)

// Hidden stands for what is not shown.
const Hidden = "<hidden>"

// credentialed are the parts of a text that could be an address with
// credentials: up to the last "@" before a space or a quote, since whoever wrote
// a password may not have escaped what stands in it.
var credentialed = regexp.MustCompile("[^\\s\"`<>]*@")

// Redact is a text without the user info of the addresses in it, also of what is
// no valid address: "dial tcp: lookup bob:pw@db.example" is shown as "dial tcp:
// lookup <hidden>@db.example", and so is a bare token before an "@". A path, as of
// a Unix socket, may have an "@".
func Redact(text string) string {
	if !strings.Contains(text, "@") { // nearly always
		return text
	}
	return credentialed.ReplaceAllStringFunc(text, func(part string) string {
		scheme, rest, url := strings.Cut(part, "://")
		switch {
		case part == "@":
			return part
		case url:
			if strings.Contains(scheme, "@") { // bob@http://...
				scheme = Hidden
			}
			return scheme + "://" + Hidden + rest[len(rest)-1:]
		case strings.HasPrefix(part, "/") && !strings.HasPrefix(part, "//") && !strings.ContainsAny(part, ":?=&"):
			return part
		}
		return Hidden + "@"
	})
}
