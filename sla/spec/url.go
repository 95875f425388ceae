package spec

import (
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

func parseProxyURL(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := sla.ParseURL(text)
	switch {
	case err != nil:
		v.error("bad-url", v.name+" is not a URL: "+sla.URLReason(text, err), "write it as http://host:port")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h":
		v.error("bad-url", v.quoted()+" does not begin with http://, https:// or socks5://", "write it in full, e.g. http://"+afterScheme(text))
	case u.Hostname() == "" || u.Port() != "" && !sla.ValidPort(u.Port()):
		v.error("bad-url", v.quoted()+" names no host, or no port from 1 to 65535", "write it as http://host:port")
	case u.User != nil:
		v.error("bad-url", v.quoted()+" has a user name or password before its host", "leave it out of the URL and use proxyHeaders: {Proxy-Authorization: …}")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		v.error("bad-url", v.quoted()+" has something after host and port, which a proxy has no use for", "write "+u.Scheme+"://"+u.Host)
	default:
		return text, checkHost(v, u.Hostname())
	}
	return "", false
}

// parseURL parses an absolute http or https URL with a host and without user info.
func parseURL(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := sla.ParseURL(text)
	port := ""
	if err == nil {
		port = u.Port()
	}
	switch {
	case err != nil:
		v.error("bad-url", v.name+" is not a URL: "+sla.URLReason(text, err), "write it as https://host/path")
	case u.Scheme != "http" && u.Scheme != "https":
		v.error("bad-url", v.quoted()+" does not begin with http:// or https://", "write it in full, e.g. https://"+afterScheme(text))
	case sla.TwoSchemes(u):
		v.error("bad-url", v.quoted()+" has two schemes", "write one: "+afterScheme(text))
	case u.Hostname() == "":
		v.error("bad-url", v.quoted()+" names no host", "write it as https://host/path")
	case u.User != nil:
		v.error("bad-url", v.quoted()+" has a user name or password before its host, which would be shown in labels and logs",
			"leave it out of the URL and use headers: {Authorization: …}")
	case port != "" && !sla.ValidPort(port) && strings.Contains(text, "@"): // the port may be a part of a password
		v.error("bad-url", v.quoted()+" has a port that is none", "a port is a number from 1 to 65535")
	case port != "" && !sla.ValidPort(port):
		v.error("bad-url", v.quoted()+" has the port "+port, "a port is a number from 1 to 65535")
	default:
		return text, checkHost(v, u.Hostname())
	}
	return "", false
}

func afterScheme(text string) string {
	if _, rest, found := strings.Cut(text, "//"); found {
		text = rest
	}
	return sla.Mask("://"+text, true)[len("://"):]
}
