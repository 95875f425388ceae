package probe

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/jsoncel"
	"github.com/upheld-sla/upheld/sla"
)

var httpReasons = []Reason{Status, Header, Body, Redirect, Protocol, ProxyFailed}

// maxHeader bounds, in bytes, the header of a response.
const maxHeader = 1 << 20

// HTTPFacts describe the last response of an HTTP probe.
type HTTPFacts struct {
	Status        int
	Version       string // "HTTP/1.1"
	ContentLength int64  // as in the header; -1 without one
	BodyBytes     int64  // bytes that were read, after decoding
	TLS           bool
	Redirects     int
	LastModified  time.Time
}

// httpProber requests a URL and judges the response.
type httpProber struct {
	client  httpClient
	first   *outgoing
	timeout time.Duration
}

// httpClient says how to make requests and judge responses. Journeys have one for
// each step.
type httpClient struct {
	dialer     *dialer
	tls        *session // with the host of the check; nil if that is plain HTTP
	tlsOptions sla.TLSOptions
	follow     bool
	httpRules
	*httpMore
}

// httpRules are the conditions that a response must meet.
type httpRules struct {
	status  []sla.StatusRange
	match   *regexp.Regexp // nil: any body
	refuse  *regexp.Regexp // nil: none
	headers []headerRule
	json    *jsoncel.Program // nil: any body
}

// headerRule is a header that a response must have.
type headerRule struct {
	name  string
	match *regexp.Regexp
}

func newHTTP(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.HTTPCheck)
	if !ok {
		return nil, fmt.Errorf("an http prober was given a %T", check)
	}
	first, err := newOutgoing(c, d.env.UserAgent)
	if err != nil {
		return nil, err
	}
	p := &httpProber{first: first, timeout: timeout}
	p.client, err = newHTTPClient(c, first.url, d)
	return p, err
}

// newHTTPClient prepares everything of a check except its request, which goes to u.
func newHTTPClient(c *sla.HTTPCheck, u *url.URL, d *dialer) (h httpClient, err error) {
	h = httpClient{dialer: d, follow: c.FollowRedirects}
	if h.httpRules, err = newHTTPRules(c); err != nil {
		return h, err
	}
	if h.httpMore, err = newHTTPMore(c.Options, d); err != nil {
		return h, err
	}
	h.tlsOptions = sla.TLSOptions{InsecureSkipVerify: c.InsecureSkipVerify, CertificateValidFor: c.CertificateValidFor}
	if c.Options != nil {
		h.tlsOptions.ServerName, h.tlsOptions.Files = c.Options.ServerName, c.Options.Files
	}
	if u.Scheme == "https" {
		h.tls, err = d.session(h.tlsOptions, u.Hostname(), h.protocols()...)
	}
	return h, err
}

var success = []sla.StatusRange{{From: 200, To: 299}}

func newHTTPRules(c *sla.HTTPCheck) (rules httpRules, err error) {
	if rules.status = c.Status; len(rules.status) == 0 {
		rules.status = success
	}
	if c.BodyMatches != "" {
		if rules.match, err = regexp.Compile(c.BodyMatches); err != nil {
			return rules, fmt.Errorf("bodyMatches: %w", err)
		}
	}
	if c.BodyNotMatches != "" {
		if rules.refuse, err = regexp.Compile(c.BodyNotMatches); err != nil {
			return rules, fmt.Errorf("bodyNotMatches: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.HeaderMatches)) {
		match, err := regexp.Compile(c.HeaderMatches[name])
		if err != nil {
			return rules, fmt.Errorf("headerMatches, %s: %w", name, err)
		}
		rules.headers = append(rules.headers, headerRule{name, match})
	}
	if c.Options != nil && c.Options.JSON != "" {
		if rules.json, err = jsoncel.Compile(c.Options.JSON); err != nil {
			return rules, fmt.Errorf("json: %w", err)
		}
	}
	return rules, nil
}

// session returns how to speak TLS for a URL; nil for plain HTTP. If only a redirect
// leads to TLS, it makes a session for this probe, without a client certificate.
func (h *httpClient) session(u *url.URL) *session {
	if u.Scheme == "http" {
		return nil
	}
	if h.tls != nil {
		return h.tls.forHost(u.Hostname())
	}
	wish := h.tlsOptions
	if wish.ServerName = ""; wish.Files != nil {
		wish.Files = &sla.TLSFiles{CA: wish.Files.CA}
	}
	s, _ := h.dialer.session(wish, u.Hostname(), h.protocols()...) // every request's host is ASCII
	return s
}

// Phases of an HTTP probe that is not redirected.
func (p *httpProber) Phases() []Phase {
	if p.client.usesHTTP3(p.first.url) {
		return append(resolvePhases(p.first.address), TLS, Processing, Transfer)
	}
	address := p.first.address
	if route, fault := p.client.route(p.first); fault == nil {
		address = route.address
	}
	return append(connectPhases(address, p.first.url.Scheme == "https"), Processing, Transfer)
}

// Probe requests the URL, follows redirects if allowed, and judges the last response.
func (p *httpProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.client.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	x := exchange{client: &p.client, run: &r}
	detail, fault := x.ask(ctx, p.first, nil)
	if fault != nil {
		return r.failed(fault)
	}
	return r.good(detail)
}

// ask makes a request, judges its response and returns the detail for the result.
// If onGood is not nil it is called with a good response and its body, before
// everything is closed.
func (x *exchange) ask(ctx context.Context, o *outgoing, onGood func(*http.Response, []byte) *failure) (string, *failure) {
	defer x.close()
	h, r := x.client, x.run
	if h.auth != nil || len(h.headerFiles) > 0 {
		var fault *failure
		if x.secrets, fault = h.secrets(ctx, r); fault != nil {
			return "", fault
		}
	}
	response, fault := x.follow(ctx, o)
	if fault != nil {
		x.captureResponse()
		return "", fault
	}
	r.tellHTTP(response, x.hops)
	if response.StatusCode == http.StatusUnauthorized && h.auth != nil {
		h.auth.refused()
	}
	body, fault := x.judge(ctx, response, onGood != nil)
	x.finish()
	if fault == nil && onGood != nil {
		fault = onGood(response, body)
	}
	if fault != nil {
		x.captureResponse()
	}
	return httpDetail(response.StatusCode), fault
}

func httpDetail(code int) string { return "HTTP " + strconv.Itoa(code) }

// tellHTTP keeps the facts about a response.
func (r *run) tellHTTP(response *http.Response, redirects int) {
	r.http = &HTTPFacts{
		Status: response.StatusCode, Version: response.Proto, ContentLength: response.ContentLength,
		TLS: r.usesTLS, Redirects: redirects,
	}
	if text := response.Header.Get("Last-Modified"); text != "" {
		r.http.LastModified, _ = http.ParseTime(text)
	}
}

// judge reads the response and returns what is wrong with it, if anything. If the body
// is wanted it is returned, valid until the exchange is closed.
func (x *exchange) judge(ctx context.Context, response *http.Response, wanted bool) ([]byte, *failure) {
	code, h := response.StatusCode, x.client
	if !h.accepts(response.Proto) {
		return nil, &failure{Protocol, httpDetail(code) + "; " + clip(response.Proto) + " is not an accepted version"}
	}
	if !slices.ContainsFunc(h.status, func(r sla.StatusRange) bool { return r.From <= code && code <= r.To }) {
		return nil, &failure{Status, httpDetail(code)}
	}
	for _, rule := range h.headers {
		if !slices.ContainsFunc(response.Header.Values(rule.name), rule.match.MatchString) {
			return nil, &failure{Header, httpDetail(code) + "; no header " + clip(rule.name) + " that matches"}
		}
	}
	body, fault := x.readBody(ctx, response, wanted || h.match != nil || h.refuse != nil || h.json != nil)
	if fault == nil {
		fault = h.judgeBody(ctx, body)
	}
	if fault != nil {
		fault.detail = httpDetail(code) + "; " + fault.detail
		if encoding := response.Header.Get("Content-Encoding"); fault.reason == Body && encoding != "" && len(h.encodings) == 0 {
			fault.detail += ", which is encoded as " + clip(encoding) + " though nobody asked for it; compression: [...] undoes that"
		}
		return nil, fault
	}
	return body, nil
}

var byteOrderMark = []byte("\ufeff")

func (h *httpRules) judgeBody(ctx context.Context, body []byte) *failure {
	if h.match != nil && !h.match.Match(body) {
		return &failure{Body, fmt.Sprintf("no match in the %d bytes read of the body", len(body))}
	}
	if h.refuse != nil && h.refuse.Match(body) {
		return &failure{Body, "the body matches what it must not"}
	}
	if h.json == nil {
		return nil
	}
	holds, err := h.json.Holds(ctx, bytes.TrimSpace(body))
	if err != nil && bytes.HasPrefix(body, byteOrderMark) {
		return &failure{Body, "json: the body begins with a byte-order mark, which JSON has not (RFC 8259, section 8.1)"}
	}
	if err != nil {
		return &failure{Body, "json: " + clip(strings.ReplaceAll(err.Error(), "\n", " "))}
	}
	if !holds {
		return &failure{Body, "the condition of json does not hold"}
	}
	return nil
}
