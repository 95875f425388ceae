package sla

import (
	"net/url"
	"time"
)

// HTTPCheck requests a URL and checks the response.
type HTTPCheck struct {
	URL                string            // absolute, http or https
	Method             string            // GET by default
	Headers            map[string]string // sent with the request; "Host" sets the host
	Body               string            // sent with the request
	Status             []StatusRange     // accepted codes; 200-299 by default
	BodyMatches        string            // RE2 that the body must match, if any
	BodyNotMatches     string            // RE2 that the body must not match, if any
	HeaderMatches      map[string]string // RE2 that a value of each of these headers must match
	FollowRedirects    bool              // true by default
	InsecureSkipVerify bool              // accept any certificate; false by default
	// CertificateValidFor is how much longer the certificate must be valid.
	CertificateValidFor time.Duration
	Options             *HTTPOptions // less common options; nil: none of them
}

// HTTPOptions are less common options of an HTTPCheck. The zero value changes
// nothing.
type HTTPOptions struct {
	// JSON is a CEL condition over the variable body, the JSON body of the response:
	// `body.status == "ok"`.
	JSON string
	// Versions of HTTP that are offered, and accepted in a response; 1.0 and 1.1 if
	// empty. HTTP3 cannot be combined with others.
	Versions []HTTPVersion
	// Encodings that are offered. The body is decoded before it is checked.
	Encodings []Encoding
	// BodyLimit bounds the decoded body in bytes: a longer one is bad. 0: only the
	// first MiB is read.
	BodyLimit int64
	// MaxRedirects is how many redirects are followed; 10 if 0.
	MaxRedirects int
	// SameHost makes a redirect to another host bad.
	SameHost bool
	// HeaderFiles are headers whose values are read from files for every probe. They
	// are sent to the origin of URL only, and never shown.
	HeaderFiles map[string]Secret
	ServerName  string // asked for, and to be found in the certificate; the host by default
	Files       *TLSFiles
	Auth        *HTTPAuth
	Proxy       *Proxy
}

// IsZero reports whether there is no option.
func (o *HTTPOptions) IsZero() bool {
	return o.JSON == "" && o.Versions == nil && o.Encodings == nil && o.BodyLimit == 0 && o.MaxRedirects == 0 && !o.SameHost &&
		o.HeaderFiles == nil && o.ServerName == "" && o.Files == nil && o.Auth == nil && o.Proxy == nil
}

// HTTPVersion is a version of HTTP.
type HTTPVersion string

// The versions.
const (
	HTTP10 HTTPVersion = "1.0" // accepted only: requests are of 1.1
	HTTP11 HTTPVersion = "1.1"
	HTTP2  HTTPVersion = "2" // over TLS
	HTTP3  HTTPVersion = "3" // over QUIC
)

// HTTPVersions are all of them.
var HTTPVersions = []HTTPVersion{HTTP10, HTTP11, HTTP2, HTTP3}

// Encoding is a content coding of HTTP.
type Encoding string

// Encodings are all that can be decoded.
var Encodings = []Encoding{"gzip", "deflate", "br", "zstd"}

// HTTPAuth are the credentials of a request; one of its fields is set. They are sent
// to the origin of the URL only, not to where redirects lead.
type HTTPAuth struct {
	Basic         *BasicAuth
	Authorization *Authorization
	OAuth2        *OAuth2
}

// BasicAuth is a user name and a password.
type BasicAuth struct {
	Username string
	Password Secret
}

// Authorization is the header Authorization: a type and credentials.
type Authorization struct {
	Type        string // "Bearer"
	Credentials Secret
}

// OAuth2 gets a bearer token by client credentials (RFC 6749, section 4.4). It is
// used until it expires or the target rejects it.
type OAuth2 struct {
	ClientID     string
	ClientSecret Secret
	TokenURL     string
	Scopes       []string
	Params       map[string]string // sent with the request for the token
}

// Proxy says which proxy to use.
type Proxy struct {
	URL         string            // http, https or socks5; empty if it comes from the environment
	NoProxy     string            // hosts, domains and CIDRs without it, comma-separated
	Environment bool              // HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the exporter say
	Headers     map[string]string // sent with CONNECT
}

// StatusRange is an inclusive range of HTTP status codes.
type StatusRange struct{ From, To int }

// ProbeKind is "http".
func (*HTTPCheck) ProbeKind() string { return "http" }

// Target is the URL without user info.
func (c *HTTPCheck) Target() string {
	return ShownAddress(c.URL)
}

// Words says what is requested.
func (c *HTTPCheck) Words() string { return "HTTP " + c.Method + " " + c.Target() }

// HostName is that of the URL.
func (c *HTTPCheck) HostName() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// WithTarget is the check of another URL.
func (c *HTTPCheck) WithTarget(target string) Check { other := *c; other.URL = target; return &other }

// CheckAddress is why nothing can answer at the URL.
func (c *HTTPCheck) CheckAddress() error { return checkURL(c.URL) }

// ViaProxy reports whether the request goes through a proxy.
func (c *HTTPCheck) ViaProxy() bool { return c.Options != nil && c.Options.Proxy != nil }
