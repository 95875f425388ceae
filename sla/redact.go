package sla

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Hidden stands for what is not shown.
const Hidden = "<hidden>"

// userInfoPattern is what could be the user info of an address: up to the last "@"
// before a space or a quote, since whoever wrote a password may not have escaped
// what stands in it.
var userInfoPattern = regexp.MustCompile("[^\\s\"`<>]+@")

// Redact is a text without the user info of the addresses in it, also of what is
// no valid address: "lookup bob:pw@db.example: no such host" is shown as "lookup
// <hidden>@db.example: no such host", and so is a bare token before an "@". The
// path of a Unix socket may have an "@".
func Redact(text string) string {
	return replaceUserInfo(text, true, func(string) string { return Hidden })
}

// RedactAddresses hides as Redact does, but not a bare name before an "@", which
// is also what e-mail addresses have.
func RedactAddresses(text string) string {
	return replaceUserInfo(text, false, func(string) string { return Hidden })
}

// secretNames are in the names of headers, parameters and keys that hold secrets.
const secretNames = `auth|cookie|token|key|secret|passw|pwd|credential|session|jwt|csrf|xsrf|nonce|signature`

var (
	secretName  = regexp.MustCompile(`(?i)` + secretNames + `|\botp\b`)
	secretValue = regexp.MustCompile(`(?i)([?&][\w.%-]*(?:` + secretNames + `)[\w.%-]*=)[^&#\s"'<>` + "`" + `]+`)
	// An address as the value of a parameter: its user info with all signs escaped.
	escapedInfo = regexp.MustCompile(`(?i)(%2F%2F|=[^&#\s"'<>]*%3A)[^&#\s"'<>]*%40`)
)

// SecretName tells whether what has the name, a header, a parameter or a key, is
// likely to be a secret.
func SecretName(name string) bool { return secretName.MatchString(name) }

// RedactParameters is a text without the values of parameters in URLs whose names
// are those of secrets, and without the user info of addresses that are values.
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

// Mask hides as Redact does, by as many stars as there were bytes, so that places
// in the text stay; a bare name before an "@", which is also what e-mail
// addresses have, only where that is wanted.
func Mask(text string, bare bool) string {
	return replaceUserInfo(text, bare, func(info string) string { return strings.Repeat("*", len(info)) })
}

func replaceUserInfo(text string, bare bool, by func(info string) string) string {
	if !strings.Contains(text, "@") { // nearly always
		return text
	}
	return userInfoPattern.ReplaceAllStringFunc(text, func(part string) string {
		part = strings.TrimSuffix(part, "@")
		scheme, rest, isURL := strings.Cut(part, "://")
		switch {
		case isURL && (rest == "" || isInPath(rest)): // it has none
			return part + "@"
		case isURL && !strings.Contains(scheme, "@"):
			return scheme + "://" + by(rest) + "@"
		case isPath(part) || !bare && !strings.Contains(part, ":"):
			return part + "@"
		}
		return by(part) + "@"
	})
}

// isInPath tells whether an "@" after the rest of a URL is one of its path: where
// that follows what can only be a host. With a "/" in it that is not escaped, a
// password looks like a port that is none. A "?" or "#" right after a host, with
// an "@" later, is more likely a part of a password than of a query.
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

// errUnclearInfo is the error of ParseURL for a text in which what stands before
// the "@" could be a host as well as a password.
var errUnclearInfo = errors.New(`what stands before its "@" cannot be read`)

// ParseURL is url.Parse, which refuses "http://bob:12#34@host/" and the same with
// a "?": url.Parse reads "bob:12" as host and port, where a user name and the
// beginning of a password are more likely.
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

// URLReason is what an error of ParseURL says of a text, without the text. Of one
// with an "@" in it the error may quote any part of a password: what stands after a
// "#", "?" or "/" in that is not escaped, and so nothing of it is told.
func URLReason(text string, err error) string {
	if strings.Contains(text, "@") {
		return errUnclearInfo.Error()
	}
	if cause, ok := errors.AsType[*url.Error](err); ok {
		return cause.Err.Error()
	}
	return err.Error()
}

// isPath tells whether something is the path of a file, and no beginning of
// what goes by a network.
func isPath(text string) bool {
	return strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && !strings.ContainsAny(text, ":?=&")
}

// UserInfo is what of an address must not be shown wherever it turns up: its
// user info as it is written, the password in it, and both without escapes;
// nothing for one that has none.
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

// ShownAddress is an address without user info, as results show it.
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
