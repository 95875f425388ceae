package spec

import (
	"net/url"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// urlRules say what a URL of one kind must look like.
type urlRules struct {
	schemes    []string
	example    string // for remedies, which propose its scheme
	userInfo   string // the remedy for a user name or password in the URL
	hostOnly   bool   // nothing may follow host and port
	noFragment bool   // of URLs that are requested, to whose server a fragment is never sent
}

// httpURL are the rules of URLs that are requested, or opened in a browser.
var httpURL = urlRules{schemes: []string{"http", "https"}, example: "https://host/path", userInfo: "leave it out of the URL and use headers: {Authorization: …}"}

// urlFault is what is wrong with a URL, and the remedy.
type urlFault struct{ text, remedy string }

// parse parses an absolute URL with a host and without user info.
func (r urlRules) parse(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := sla.ParseURL(text)
	if err != nil {
		v.error("bad-url", v.name+" is not a URL: "+sla.URLReason(text, err), "write it as "+r.example)
		return "", false
	}
	if f := r.fault(u, text); f != (urlFault{}) {
		v.error("bad-url", v.quoted()+" "+f.text, f.remedy)
		return "", false
	}
	return text, checkHost(v, u.Hostname())
}

// fault returns the first rule that a URL breaks, the zero urlFault if none.
func (r urlRules) fault(u *url.URL, text string) urlFault {
	last := len(r.schemes) - 1
	proposed, _, _ := strings.Cut(r.example, "://")
	port := u.Port()
	switch {
	case !slices.Contains(r.schemes, u.Scheme):
		return urlFault{"does not begin with " + strings.Join(r.schemes[:last], "://, ") + ":// or " + r.schemes[last] + "://", "write it in full, e.g. " + proposed + "://" + afterScheme(text)}
	case sla.TwoSchemes(u):
		return urlFault{"has two schemes", "write one: " + afterScheme(text)}
	case u.Hostname() == "":
		return urlFault{"names no host", "write it as " + r.example}
	case u.User != nil:
		return urlFault{"has a user name or password before its host, which would be shown in labels or logs", r.userInfo}
	case port != "" && !sla.ValidPort(port) && strings.Contains(text, "@"): // the port may be part of a password
		return urlFault{"has an invalid port", "a port is a number from 1 to 65535"}
	case port != "" && !sla.ValidPort(port):
		return urlFault{"has the port " + port, "a port is a number from 1 to 65535"}
	case r.hostOnly && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != ""):
		return urlFault{"has something after host and port, which has no effect", "write " + u.Scheme + "://" + u.Host}
	case r.noFragment && u.Fragment != "":
		return urlFault{"has a fragment, which is never sent to a server", "leave #" + u.Fragment + " out"}
	}
	return urlFault{}
}

// parseURL parses an http or https URL.
func parseURL(v value) (string, bool) {
	return httpURL.parse(v)
}

// parseProbeURL parses the URL of an HTTP probe.
func parseProbeURL(v value) (string, bool) {
	rules := httpURL
	rules.noFragment = true
	return rules.parse(v)
}

// parseWebSocketURL parses the URL of a WebSocket probe.
func parseWebSocketURL(v value) (string, bool) {
	return urlRules{schemes: []string{"ws", "wss"}, example: "wss://host/path", userInfo: "leave it out of the URL and use basicAuth", noFragment: true}.parse(v)
}

// parseListURL parses the URL of a list of targets.
func parseListURL(v value) (string, bool) {
	rules := httpURL
	rules.example, rules.userInfo = "https://inventory.example/targets", "leave it out of the URL and use http: {url: …, basicAuth: …}"
	return rules.parse(v)
}

// parseProxyURL parses the URL of a proxy.
func parseProxyURL(v value) (string, bool) {
	return urlRules{
		schemes: []string{"http", "https", "socks5", "socks5h"}, example: "http://host:port", userInfo: "leave it out of the URL and use proxyHeaders: {Proxy-Authorization: …}", hostOnly: true,
	}.parse(v)
}

func afterScheme(text string) string {
	if _, rest, found := strings.Cut(text, "//"); found {
		text = rest
	}
	return sla.Mask("://"+text, true)[len("://"):]
}
