package probe

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// defaultRedirects is how many redirects are followed by default.
const defaultRedirects = 10

func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// secretHeaders are sent to no other origin than the first.
var secretHeaders = []string{"Authorization", "Cookie", "Proxy-Authorization", "Www-Authenticate"}

// redirected returns the request that a redirect asks for, as browsers make it
// (RFC 9110, section 15.4, and the Fetch standard's change of POST to GET).
func redirected(o *outgoing, code int, location string) (*outgoing, *failure) {
	unfollowable := &failure{Redirect, "a redirect that cannot be followed"}
	u, err := o.url.Parse(location)
	if err != nil {
		return nil, unfollowable
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, &failure{Redirect, "a redirect to a URL that is neither http nor https"}
	}
	if u.Hostname() == "" {
		return nil, unfollowable
	}
	u.User = nil
	next := &outgoing{method: o.method, url: u, body: o.body, headers: slices.Clone(o.headers)}
	if o.host != o.url.Host && u.Host == o.url.Host {
		next.host = o.host // a host name that the check sets itself
	}
	if code < http.StatusTemporaryRedirect && o.method != http.MethodHead {
		next.method, next.body = http.MethodGet, ""
		next.headers = slices.DeleteFunc(next.headers, func(h pair) bool { return strings.HasPrefix(h.name, "Content-") })
	}
	if !sameOrigin(o.url, u) {
		next.headers = slices.DeleteFunc(next.headers, func(h pair) bool { return slices.Contains(secretHeaders, h.name) })
	}
	if next.prepare() != nil {
		return nil, unfollowable
	}
	return next, nil
}

// sameOrigin reports whether secrets for one URL may also be sent to another. A
// change from plain HTTP to HTTPS on the usual ports keeps the origin.
func sameOrigin(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	upgraded := from.Scheme == "http" && to.Scheme == "https" && hostPort(from) == hostPort(&url.URL{Scheme: "http", Host: from.Hostname()}) && (to.Port() == "" || to.Port() == "443")
	return upgraded || from.Scheme == to.Scheme && hostPort(from) == hostPort(to)
}

func tooManyRedirects(most int) *failure {
	return &failure{Redirect, "more than " + strconv.Itoa(most) + " redirects"}
}

// shownURL returns a URL as results show it: without user info, query and fragment.
func shownURL(u *url.URL) string {
	return clip(u.Scheme + "://" + u.Host + u.EscapedPath())
}
