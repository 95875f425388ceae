package probe

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

var httpReasons = []Reason{Status, Header, Body, Redirect, Protocol}

// Bounds of an HTTP probe.
const (
	maxRedirects = 10
	maxHeader    = 1 << 20 // bytes of an answer's header that are read
	maxBody      = 1 << 20 // bytes of a body that are read and matched
)

// httpProber requests a URL and judges the answer. It speaks HTTP/1.1, over a
// new connection for each request.
type httpProber struct {
	request *http.Request // never sent itself, only copies of it
	body    string
	status  []sla.StatusRange
	match   *regexp.Regexp // nil: any body
	refuse  *regexp.Regexp // nil: none
	headers []headerRule
	follow  bool
	timeout time.Duration
	options sla.TLSOptions
	tls     *session // with the host of request; nil if that is plain HTTP
	dialer  *dialer
}

func newHTTP(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.HTTPCheck)
	if !ok {
		return nil, fmt.Errorf("an http prober was given a %T", check)
	}
	request, err := buildRequest(c, d.env.UserAgent)
	if err != nil {
		return nil, err
	}
	p := &httpProber{
		request: request,
		body:    c.Body,
		status:  c.Status,
		follow:  c.FollowRedirects,
		timeout: timeout,
		dialer:  d,
		options: sla.TLSOptions{InsecureSkipVerify: c.InsecureSkipVerify, CertificateValidFor: c.CertificateValidFor},
	}
	if request.URL.Scheme == "https" {
		p.tls = p.newSession(request.URL.Hostname())
	}
	if len(p.status) == 0 {
		p.status = []sla.StatusRange{{From: 200, To: 299}}
	}
	if err := p.prepareRules(c); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *httpProber) newSession(host string) *session {
	return p.dialer.session(p.options, host, "http/1.1")
}

// session is how TLS is spoken with a host. Where only a redirect leads to TLS
// it is made for the probe: most targets without it need none.
func (p *httpProber) session(host string) *session {
	if p.tls == nil {
		return p.newSession(host)
	}
	return p.tls.as(host)
}

// headerRule is a header that an answer must have.
type headerRule struct {
	name  string
	match *regexp.Regexp
}

func (p *httpProber) prepareRules(c *sla.HTTPCheck) (err error) {
	if c.BodyMatches != "" {
		if p.match, err = regexp.Compile(c.BodyMatches); err != nil {
			return fmt.Errorf("bodyMatches: %w", err)
		}
	}
	if c.BodyNotMatches != "" {
		if p.refuse, err = regexp.Compile(c.BodyNotMatches); err != nil {
			return fmt.Errorf("bodyNotMatches: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.HeaderMatches)) {
		match, err := regexp.Compile(c.HeaderMatches[name])
		if err != nil {
			return fmt.Errorf("headerMatches, %s: %w", name, err)
		}
		p.headers = append(p.headers, headerRule{name, match})
	}
	return nil
}

// buildRequest makes the request that every probe copies. User info of the URL
// becomes an Authorization header here, so that no URL carries it any further.
func buildRequest(c *sla.HTTPCheck, userAgent string) (*http.Request, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		// The error of url.Parse holds the whole URL, and that may hold a password.
		return nil, errors.New("the URL cannot be parsed")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("the URL must begin with http:// or https:// and name a host")
	}
	user := u.User
	u.User = nil
	method := c.Method
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequest(method, u.String(), nil)
	if err != nil {
		return nil, errors.New("the method or the URL is not one of HTTP")
	}
	r.Close = true
	r.Header.Set("User-Agent", userAgent)
	if user != nil {
		password, _ := user.Password()
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	for name, value := range c.Headers {
		if strings.EqualFold(name, "Host") {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	if c.Body != "" {
		r.ContentLength = int64(len(c.Body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.Body)), nil }
	}
	return r, nil
}

// Phases of an HTTP probe that is not redirected.
func (p *httpProber) Phases() []Phase {
	return append(connectPhases(hostPort(p.request.URL), p.request.URL.Scheme == "https"), Processing, Transfer)
}

// hostPort is what to connect to for a URL.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Probe requests the URL, follows redirects if it may, and judges the last
// answer.
func (p *httpProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	x := &exchange{prober: p, run: &r}
	defer x.close()
	// http.Client knows which redirects change the method and which headers may
	// go to another host; everything on the wire is done by the exchange.
	client := http.Client{Transport: x, CheckRedirect: p.checkRedirect}
	request := p.request.WithContext(ctx)
	if p.body != "" {
		request.Body, _ = request.GetBody()
	}
	response, err := client.Do(request)
	if err != nil {
		return r.failed(clientFault(err))
	}
	if fault := p.judge(ctx, response, x); fault != nil {
		return r.failed(fault)
	}
	return r.good(httpDetail(response.StatusCode))
}

func httpDetail(code int) string { return "HTTP " + strconv.Itoa(code) }

var errTooManyRedirects = &failure{Redirect, "more than " + strconv.Itoa(maxRedirects) + " redirects"}

func (p *httpProber) checkRedirect(_ *http.Request, via []*http.Request) error {
	if !p.follow {
		return http.ErrUseLastResponse
	}
	if len(via) > maxRedirects {
		return errTooManyRedirects
	}
	return nil
}

// clientFault is the exchange's own failure, or else the client's, which has
// only redirects to complain about. Its text would hold the URL.
func clientFault(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{Redirect, "a redirect that cannot be followed"}
}

// judge reads the answer and says what is wrong with it, if anything.
func (p *httpProber) judge(ctx context.Context, response *http.Response, x *exchange) *failure {
	code := response.StatusCode
	accepted := slices.ContainsFunc(p.status, func(r sla.StatusRange) bool { return r.From <= code && code <= r.To })
	if !accepted {
		return &failure{Status, httpDetail(code)}
	}
	for _, rule := range p.headers {
		if !slices.ContainsFunc(response.Header.Values(rule.name), rule.match.MatchString) {
			return &failure{Header, httpDetail(code) + "; no header " + clip(rule.name) + " that matches"}
		}
	}
	body, fault := x.readBody(ctx, response.Body, p.match != nil || p.refuse != nil)
	if fault != nil {
		fault.detail = httpDetail(code) + "; " + fault.detail
		return fault
	}
	if p.match != nil && !p.match.Match(body) {
		return &failure{Body, fmt.Sprintf("%s; no match in the %d bytes read of the body", httpDetail(code), len(body))}
	}
	if p.refuse != nil && p.refuse.Match(body) {
		return &failure{Body, httpDetail(code) + "; the body matches what it must not"}
	}
	return nil
}
