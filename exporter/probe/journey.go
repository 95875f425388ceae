package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/jsoncel"
	"github.com/upheld-sla/upheld/sla"
)

var journeyReasons = []Reason{Status, Header, Body, Redirect, CaptureFailed, Protocol, ProxyFailed}

// journeyProber makes requests in order.
type journeyProber struct {
	steps   []journeyStep
	timeout time.Duration
	dialer  *dialer
}

// journeyStep is one request, and the values to take from its response.
type journeyStep struct {
	check    sla.HTTPCheck
	name     string
	what     string // "step 2 of 3 (pay)"
	timeout  time.Duration
	client   httpClient
	first    *outgoing // the request, if it has no variables
	captures []capture
}

// capture is a prepared sla.Capture.
type capture struct {
	name, header string
	json         *jsoncel.Program
	match        *regexp.Regexp
}

func newJourney(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.JourneyCheck)
	if !ok {
		return nil, fmt.Errorf("a journey prober was given a %T", check)
	}
	if len(c.Steps) == 0 {
		return nil, errors.New("a journey needs a step")
	}
	p := &journeyProber{timeout: timeout, dialer: d}
	for i, s := range c.Steps {
		step, err := newJourneyStep(s, d)
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Name, err)
		}
		step.what = fmt.Sprintf("step %d of %d (%s)", i+1, len(c.Steps), s.Name)
		p.steps = append(p.steps, step)
	}
	return p, nil
}

func newJourneyStep(s sla.JourneyStep, d *dialer) (step journeyStep, err error) {
	step = journeyStep{check: s.Request, name: s.Name, timeout: s.Timeout}
	plain := substituted(&s.Request, func(string) string { return "x" })
	if step.first, err = newOutgoing(plain, d.env.UserAgent); err != nil {
		return step, err
	}
	if step.client, err = newHTTPClient(&s.Request, step.first.url, d); err != nil {
		return step, err
	}
	for _, c := range s.Captures {
		one := capture{name: c.Name, header: c.Header}
		switch {
		case c.JSON != "":
			one.json, err = jsoncel.CompileValue(c.JSON)
		case c.Regexp != "":
			one.match, err = regexp.Compile(c.Regexp)
		}
		if err != nil {
			return step, fmt.Errorf("capture %s: %w", c.Name, err)
		}
		step.captures = append(step.captures, one)
	}
	return step, nil
}

// substituted is a check with values instead of variables; in its URL they are escaped.
func substituted(c *sla.HTTPCheck, value func(string) string) *sla.HTTPCheck {
	other := *c
	other.URL = wellFormed(sla.Substitute(c.URL, func(name string) string { return escaped(value(name)) }))
	other.Body = sla.Substitute(c.Body, value)
	if len(c.Headers) > 0 {
		other.Headers = make(map[string]string, len(c.Headers))
		for name, text := range c.Headers {
			other.Headers[name] = sla.Substitute(text, value)
		}
	}
	return &other
}

// escaped is a value as written in a path or in a query.
func escaped(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// wellFormed escapes characters that are invalid in URLs: otherwise package net/url
// would rewrite the whole path, and undo its escapes.
func wellFormed(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	host, _, _ := strings.Cut(rest, "/")
	var b strings.Builder
	b.WriteString(text[:min(len(scheme)+len("://")+len(host), len(text))])
	for i := b.Len(); i < len(text); i++ {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Phases of a journey are the phases of its steps.
func (p *journeyProber) Phases() []Phase {
	var all []Phase
	for i := range p.steps {
		s := &p.steps[i]
		all = append(all, (&httpProber{client: s.client, first: s.first}).Phases()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Probe runs the steps in order, until one fails.
func (p *journeyProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return r.failed(&failure{Protocol, "cookies cannot be kept"})
	}
	values := map[string]string{}
	for i := range p.steps {
		s := &p.steps[i]
		if fault := s.take(ctx, &r, jar, values); fault != nil {
			return r.failed(&failure{fault.reason, s.what + ": " + redacted(values)(fault.detail)})
		}
	}
	return r.good(fmt.Sprintf("%s, the last HTTP %d", count(len(p.steps), "step"), r.http.Status))
}

// take runs one step, and adds what it captures to the values.
func (s *journeyStep) take(ctx context.Context, r *run, jar *cookiejar.Jar, values map[string]string) *failure {
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	request, err := newOutgoing(substituted(&s.check, func(name string) string { return values[name] }), s.client.dialer.env.UserAgent)
	if err != nil { // it was valid without variables
		return &failure{CaptureFailed, "what was captured cannot stand in a request: " + err.Error()}
	}
	x := &exchange{client: &s.client, run: r, jar: jar, step: s.name, redact: redacted(values), captured: values}
	_, fault := x.ask(ctx, request, func(response *http.Response, body []byte) *failure {
		for _, c := range s.captures {
			value, fault := c.from(ctx, response, body)
			if fault != nil {
				return fault
			}
			values[c.name] = value
		}
		return nil
	})
	return fault
}

// from takes the value from a response. Errors do not quote the response.
func (c *capture) from(ctx context.Context, response *http.Response, body []byte) (string, *failure) {
	missing := func(why string) *failure {
		return &failure{CaptureFailed, httpDetail(response.StatusCode) + "; capture " + c.name + ": " + why}
	}
	switch {
	case c.json != nil:
		value, err := c.json.Value(ctx, body)
		if err != nil {
			return "", missing(err.Error())
		}
		return value, nil
	case c.match != nil:
		groups := c.match.FindSubmatch(body)
		if groups == nil {
			return "", missing("no match in the body")
		}
		return string(groups[min(1, len(groups)-1)]), nil
	}
	values := response.Header.Values(c.header)
	if len(values) == 0 {
		return "", missing("no header " + clip(c.header))
	}
	return values[0], nil
}

// redacted replaces captured values by their names, both as they are and as they are
// written in URLs.
func redacted(values map[string]string) func(string) string {
	if len(values) == 0 {
		return unchanged
	}
	var pairs []string
	for name, value := range values {
		if value == "" {
			continue
		}
		shown := "${" + name + "}"
		pairs = append(pairs, value, shown)
		for _, form := range []string{escaped(value), url.QueryEscape(value), (&url.URL{Path: value}).EscapedPath()} {
			if form != value && form != "" {
				pairs = append(pairs, form, shown)
			}
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

func unchanged(text string) string { return text }
