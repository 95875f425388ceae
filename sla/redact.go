package sla

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Hidden replaces secrets in texts.
const Hidden = "<hidden>"

// userInfoPattern matches what could be the user info of an address: everything up to
// the last "@" before a space or a quote, since a password may have characters that
// should have been escaped.
var userInfoPattern = regexp.MustCompile("[^\\s\"`<>]+@")

// shareBefore is what stands before the "@" of a step of a simulation: 30%@20m, 2x@3d. No
// user info is so short a number.
var shareBefore = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,4})?[%x]$`)

// Redact hides the user info of addresses in a text, also of invalid ones: "lookup
// bob:pw@db.example: no such host" becomes "lookup <hidden>@db.example: no such host".
// It also hides a bare token before an "@", but not a path of a Unix socket.
func Redact(text string) string {
	return replaceUserInfo(text, true, func(string) string { return Hidden })
}

// RedactAddresses is Redact, but keeps a bare name before an "@", as in e-mail
// addresses.
func RedactAddresses(text string) string {
	return replaceUserInfo(text, false, func(string) string { return Hidden })
}

// secretNames are parts of the names of headers, parameters and keys with secrets.
const secretNames = `auth|cookie|token|key|secret|passw|pwd|credential|session|jwt|csrf|xsrf|nonce|signature`

var (
	secretName  = regexp.MustCompile(`(?i)` + secretNames + `|\botp\b`)
	secretValue = regexp.MustCompile(`(?i)([?&][\w.%-]*(?:` + secretNames + `)[\w.%-]*=)[^&#\s"'<>` + "`" + `]+`)
	// Escaped user info of an address that is the value of a parameter.
	escapedInfo = regexp.MustCompile(`(?i)(%2F%2F|=[^&#\s"'<>]*%3A)[^&#\s"'<>]*%40`)
)

// SecretName returns whether a header, parameter or key of the name is probably a
// secret.
func SecretName(name string) bool { return secretName.MatchString(name) }

// RedactParameters hides the values of URL parameters that are probably secrets, and the
// user info of addresses that are values.
func RedactParameters(text string) string {
	if !strings.Contains(text, "=") { // nearly always
		return text
	}
	text = escapedInfo.ReplaceAllStringFunc(text, func(part string) string {
		if strings.HasPrefix(part, "=") {
			return "=" + Hidden + "%40"
		}
		return part[:len("%2F%2F")] + Hidden + "%40"
	})
	return secretValue.ReplaceAllString(text, "${1}"+Hidden)
}

// Mask is Redact with one star for each byte, so that columns do not change. A bare name
// before an "@", as in e-mail addresses, is hidden only if bare is set.
func Mask(text string, bare bool) string {
	return replaceUserInfo(text, bare, func(info string) string { return strings.Repeat("*", len(info)) })
}

func replaceUserInfo(text string, bare bool, by func(info string) string) string {
	if !strings.Contains(text, "@") { // nearly always
		return text
	}
	return userInfoPattern.ReplaceAllStringFunc(text, func(part string) string {
		part = strings.TrimSuffix(part, "@")
		if shareBefore.MatchString(part) {
			return part + "@"
		}
		scheme, rest, isURL := strings.Cut(part, "://")
		switch {
		case isURL && (rest == "" || isInPath(rest)): // it has no user info
			return part + "@"
		case isURL && !strings.Contains(scheme, "@"):
			return scheme + "://" + by(rest) + "@"
		case isPath(part) || !bare && !strings.Contains(part, ":"):
			return part + "@"
		}
		return by(part) + "@"
	})
}

// isInPath returns whether the "@" after rest, which is what follows the scheme of a
// URL, is in the URL's path. It is if rest begins with a valid host and port and a "/".
// A password with an unescaped "/" looks like an invalid port. A "?" or "#" directly
// after the host is more likely a part of a password than of a query.
func isInPath(rest string) bool {
	i := strings.IndexAny(rest, "/?#")
	if i < 0 || rest[i] != '/' || strings.Contains(rest[:i], "@") {
		return false
	}
	host := rest[:i]
	_, port, ok := strings.Cut(host[strings.LastIndex(host, "]")+1:], ":")
	_, err := strconv.ParseUint(port, 10, 16)
	return !ok || port == "" || err == nil
}

// errUnclearInfo is the error of ParseURL if what is before the "@" may be a host or a
// password.
var errUnclearInfo = errors.New(`what stands before its "@" cannot be read`)

// ParseURL is url.Parse, but returns an error for "http://bob:12#34@host/" and the same
// with a "?". There url.Parse reads "bob:12" as host and port, although it is more
// likely a user name and the beginning of a password.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Host != "" && u.User == nil && u.Path == "" && strings.Contains(text, "@") {
		return nil, errUnclearInfo
	}
	return u, nil
}

// URLReason is the cause of an error of ParseURL, without the URL. If the URL has an
// "@", the error may contain a part of a password with an unescaped "#", "?" or "/", so
// the cause is left out.
func URLReason(text string, err error) string {
	if strings.Contains(text, "@") {
		return errUnclearInfo.Error()
	}
	if cause, ok := errors.AsType[*url.Error](err); ok {
		return cause.Err.Error()
	}
	return err.Error()
}

// isPath returns whether a text is the path of a file, and not the beginning of a
// network address.
func isPath(text string) bool {
	return strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && !strings.ContainsAny(text, ":?=&")
}

// UserInfo returns the parts of an address that must not be shown anywhere: its user
// info as written, the password in it, and both unescaped. It returns nil if there is no
// user info.
func UserInfo(address string) []string {
	at := strings.LastIndex(address, "@")
	if at <= 0 || isPath(address) {
		return nil
	}
	info := address[:at]
	if _, rest, ok := strings.Cut(info, "://"); ok {
		info = rest
	}
	all := []string{info}
	_, password, ok := strings.Cut(info, ":")
	if ok {
		all = append(all, password)
	}
	for _, text := range []string{info, password} {
		if plain, err := url.PathUnescape(text); err == nil && plain != text {
			all = append(all, plain)
		}
	}
	return all
}

// ShownAddress is an address without its user info, as in results.
func ShownAddress(address string) string {
	if !strings.Contains(address, "@") || isPath(address) {
		return address
	}
	if u, err := ParseURL(address); err == nil && u.Host != "" {
		if u.User == nil {
			return address
		}
		u.User = nil
		return u.String()
	}
	if all := UserInfo(address); len(all) > 0 {
		return strings.Replace(address, all[0]+"@", Hidden+"@", 1)
	}
	return address
}
