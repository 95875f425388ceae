package probe

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// httpMore holds options that most requests do not use.
type httpMore struct {
	versions    []sla.HTTPVersion // spoken and accepted; 1.0 and 1.1 if empty
	encodings   []sla.Encoding
	limit       int64 // of a body; 0: the first maxBody bytes are enough
	redirects   int   // how many to follow at most
	sameHost    bool
	headerFiles []fileHeader
	auth        authorizer // nil: none
	proxy       *proxy     // nil: none
}

// fileHeader is a header whose value is in a file.
type fileHeader struct {
	name string
	from sla.Secret
}

// noMore is shared by all requests without options. It is only read.
var noMore = &httpMore{redirects: defaultRedirects}

func newHTTPMore(o *sla.HTTPOptions, d *dialer) (m *httpMore, err error) {
	if o == nil {
		return noMore, nil
	}
	m = &httpMore{redirects: defaultRedirects}
	m.versions, m.encodings, m.limit, m.sameHost = o.Versions, o.Encodings, o.BodyLimit, o.SameHost
	if o.MaxRedirects > 0 {
		m.redirects = o.MaxRedirects
	}
	if m.speaks(sla.HTTP3) && len(m.versions) > 1 {
		return m, fmt.Errorf("HTTP/3 has a transport of its own and cannot be offered beside others")
	}
	for _, name := range slices.Sorted(maps.Keys(o.HeaderFiles)) {
		m.headerFiles = append(m.headerFiles, fileHeader{name, o.HeaderFiles[name]})
	}
	if o.Auth != nil {
		m.auth = newAuthorizer(o.Auth, d)
	}
	if o.Proxy != nil {
		m.proxy, err = newProxy(o.Proxy)
	}
	return m, err
}

func (m *httpMore) speaks(v sla.HTTPVersion) bool { return slices.Contains(m.versions, v) }

// usesHTTP3 reports whether a URL is requested over HTTP/3.
func (m *httpMore) usesHTTP3(u *url.URL) bool { return m.speaks(sla.HTTP3) && u.Scheme == "https" }

// protocols are the protocols offered in a TLS handshake (ALPN).
func (m *httpMore) protocols() []string {
	var offered []string
	if m.speaks(sla.HTTP3) {
		return []string{"h3"}
	}
	if m.speaks(sla.HTTP2) {
		offered = append(offered, "h2")
	}
	if len(m.versions) == 0 || m.speaks(sla.HTTP11) || m.speaks(sla.HTTP10) {
		offered = append(offered, "http/1.1")
	}
	return offered
}

// accepts reports whether a response may have a version: "HTTP/1.1".
func (m *httpMore) accepts(proto string) bool {
	version := strings.TrimSuffix(strings.TrimPrefix(proto, "HTTP/"), ".0")
	if version == "1" {
		version = string(sla.HTTP10)
	}
	if len(m.versions) == 0 {
		return version == string(sla.HTTP10) || version == string(sla.HTTP11)
	}
	return m.speaks(sla.HTTPVersion(version))
}
