package probe

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/upheld-sla/upheld/sla"
)

// pair is a header.
type pair struct{ name, value string }

// outgoing is a request, ready to be sent.
type outgoing struct {
	method  string
	url     *url.URL // without user info and fragment
	host    string   // the header Host
	headers []pair
	body    string
	address string // host:port to connect to
	// upgrades: the request brings its own header Connection.
	upgrades bool
	// head is the request line and the headers as HTTP/1.1 writes them, without
	// the empty line at their end.
	head string
}

// newOutgoing makes the request of a check. User info of the URL becomes an
// Authorization header here, so that no URL contains it from here on. No error
// contains it either.
func newOutgoing(c *sla.HTTPCheck, userAgent string) (*outgoing, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		// The error of url.Parse contains the whole URL, which may have a password.
		return nil, errors.New("the URL cannot be parsed")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("the URL must begin with http:// or https:// and name a host")
	}
	o := &outgoing{method: c.Method, url: u, body: c.Body}
	if o.method == "" {
		o.method = http.MethodGet
	}
	o.headers = append(o.headers, pair{"User-Agent", userAgent})
	if user := u.User; user != nil {
		password, _ := user.Password()
		o.headers = append(o.headers, basicAuth(user.Username(), password))
		u.User = nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		o.set(name, c.Headers[name])
	}
	if more := c.Options; more != nil && len(more.Encodings) > 0 && !o.has("Accept-Encoding") {
		o.set("Accept-Encoding", acceptable(more.Encodings))
	}
	return o, o.prepare()
}

func basicAuth(user, password string) pair {
	return pair{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

func (o *outgoing) set(name, value string) {
	if strings.EqualFold(name, "Host") {
		o.host = value
		return
	}
	name = http.CanonicalHeaderKey(name)
	o.headers = slices.DeleteFunc(o.headers, func(h pair) bool { return h.name == name })
	o.headers = append(o.headers, pair{name, value})
}

func (o *outgoing) has(name string) bool {
	return slices.ContainsFunc(o.headers, func(h pair) bool { return h.name == name })
}

// prepare checks the parts and writes head.
func (o *outgoing) prepare() error {
	if !httpguts.ValidHeaderFieldName(o.method) {
		return errors.New("the method is not one of HTTP")
	}
	host, err := asciiHost(o.url)
	if err != nil {
		return fmt.Errorf("the URL: %w", err)
	}
	o.url.Host = host
	o.url.Fragment, o.url.RawFragment = "", ""
	if o.host == "" {
		o.host = host
	}
	if !httpguts.ValidHostHeader(o.host) {
		return errors.New("the header Host is not a host")
	}
	o.address = hostPort(o.url)
	b := make([]byte, 0, 256) // a temporary buffer: the many kept requests need no spare capacity
	b = append(b, o.method+" "+o.url.RequestURI()+" HTTP/1.1\r\nHost: "+o.host+"\r\n"...)
	for _, h := range o.headers {
		if !h.valid() {
			return errors.New("the header " + clip(h.name) + " cannot be sent: it has characters that headers cannot have")
		}
		b = append(b, h.name+": "+h.value+"\r\n"...)
	}
	if o.sendsLength() {
		b = append(b, "Content-Length: "+strconv.Itoa(len(o.body))+"\r\n"...)
	}
	if !o.upgrades {
		b = append(b, "Connection: close\r\n"...)
	}
	o.head = string(b)
	return nil
}

func (h pair) valid() bool {
	return httpguts.ValidHeaderFieldName(h.name) && httpguts.ValidHeaderFieldValue(h.value)
}

func (o *outgoing) sendsLength() bool {
	return o.body != "" || o.method == http.MethodPost || o.method == http.MethodPut || o.method == http.MethodPatch
}

// asciiHost returns the URL's host in ASCII, as it is sent and resolved, with its
// port.
func asciiHost(u *url.URL) (string, error) {
	name, err := sla.ASCIIHost(u.Hostname())
	if err != nil || name == u.Hostname() {
		return u.Host, err
	}
	if u.Port() != "" {
		name += ":" + u.Port()
	}
	return name, nil
}

// asciiURL returns the URL with its host in ASCII.
func asciiURL(u *url.URL) (*url.URL, error) {
	host, err := asciiHost(u)
	if err != nil || host == u.Host {
		return u, err
	}
	other := *u
	other.Host = host
	return &other, nil
}

// hostPort returns the host:port to connect to for a URL.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = schemePort(u.Scheme)
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func schemePort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	case "socks5", "socks5h":
		return "1080"
	}
	return ""
}

// appendTo writes the request as HTTP/1.1, with more headers; whole is the form
// for a proxy, with the whole URL.
func (o *outgoing) appendTo(b []byte, more []pair, whole bool) []byte {
	head := o.head
	if whole {
		_, rest, _ := strings.Cut(head, "\r\n")
		b = append(b, o.method+" "+o.url.String()+" HTTP/1.1\r\n"...)
		head = rest
	}
	b = append(b, head...)
	for _, h := range more {
		b = append(b, h.name...)
		b = append(b, ": "...)
		b = append(b, h.value...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, o.body...)
}

// request returns the request for a client of net/http's kind.
func (o *outgoing) request(more []pair) *http.Request {
	r := &http.Request{
		Method: o.method, URL: o.url, Host: o.host, Header: make(http.Header, len(o.headers)+len(more)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	for _, h := range slices.Concat(o.headers, more) {
		r.Header.Set(h.name, h.value)
	}
	if o.body != "" {
		r.Body = noRewind{strings.NewReader(o.body)}
		r.ContentLength = int64(len(o.body))
	}
	return r
}

// noRewind is a body that cannot be sent twice.
type noRewind struct{ *strings.Reader }

func (noRewind) Close() error { return nil }
