// Package weburl reads the URLs of flags, for servers and links. None of them may
// contain a secret, since flags are in process lists, unit files and logs, and links
// are in alerts and pages.
package weburl

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// hidden replaces secrets.
const hidden = "<hidden>"

// Parse reads an absolute http or https URL. It refuses one with an "@", which ends
// user info, however odd the rest is, and one with a query or a fragment, which are
// never used. remedy says where a user name and a password go instead. No error shows
// the text before an "@", or after a "?".
func Parse(text, remedy string) (*url.URL, error) {
	if strings.Contains(text, "@") {
		return nil, fmt.Errorf("%q has a user name, password or token before its host, which would end up in process lists, logs and links; %s", shown(text), remedy)
	}
	u, err := url.Parse(text)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err
		}
		return nil, fmt.Errorf("%q is not a URL: %w; write http://host:port", shown(text), err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is not an http or https URL; write http://host:port", shown(text))
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return nil, fmt.Errorf("%q has a query or a fragment, of which no use is made; write %s://%s%s", shown(text), u.Scheme, u.Host, u.Path)
	}
	return u, nil
}

// shown is a URL without anything that may be secret: the text before the last "@",
// however odd it is, and the query and fragment.
func shown(text string) string {
	if at := strings.LastIndex(text, "@"); at >= 0 {
		scheme, _, _ := strings.Cut(text[:at], "://")
		if len(scheme) == at { // no "://"
			scheme = ""
		} else {
			scheme += "://"
		}
		text = scheme + hidden + text[at:]
	}
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		text = text[:i+1] + hidden
	}
	return text
}

// Address refuses a flag's host:port with user info in it.
func Address(text string) error {
	if strings.Contains(text, "@") {
		return fmt.Errorf("%q has a user name, password or token before its host; write host:port", shown(text))
	}
	return nil
}
