package blackbox

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"strings"

	"github.com/prometheus/blackbox_exporter/config"
	"golang.org/x/net/publicsuffix"

	"github.com/upheld-sla/upheld/sla"
)

// maxRedirects is how many redirects a probe follows.
const maxRedirects = 10

// httpProbe is one probe of a URL under way.
type httpProbe struct {
	*attempt
	conf      *config.HTTPProbe
	url       *url.URL    // of the target
	ip        *net.IPAddr // of its host; nil if a proxy is to resolve that
	hops      hops
	redirects int
}

// probeHTTP requests a URL, follows redirects if the module says so, and checks
// the last response.
func probeHTTP(ctx context.Context, a *attempt) bool {
	p := &httpProbe{attempt: a, conf: &a.module.HTTP.HTTPProbe}
	for _, name := range []string{"content_length", "uncompressed_body_length", "redirects", "ssl", "status_code", "version"} {
		a.out.set("probe_http_"+name, 0)
	}
	a.out.set("probe_failed_due_to_regex", 0)
	if p.conf.FailIfBodyJsonMatchesCEL != nil || p.conf.FailIfBodyJsonNotMatchesCEL != nil {
		a.out.set("probe_failed_due_to_cel", 0)
	}
	if !p.parse() || !p.address(ctx) {
		return false
	}
	client, err := p.client()
	if err != nil {
		a.log.Error("Error generating HTTP client", "err", err)
		return false
	}
	defer p.hops.close()
	request, closeBody, err := p.request(ctx)
	if err != nil {
		a.log.Error("Error creating request", "err", err)
		return false
	}
	defer closeBody()
	for _, phase := range []string{"connect", "tls", "processing", "transfer"} {
		a.out.set("probe_http_duration_seconds", 0, phase)
	}
	response, err := client.Do(request)
	if response == nil {
		a.log.Error("Error for HTTP request", "err", err)
	}
	ok := p.evaluate(ctx, response, err)
	p.hops.report()
	return ok
}

// parse reads the target, which is a URL or what follows http:// in one.
func (p *httpProbe) parse() bool {
	target := p.target
	if !strings.HasPrefix(target, "http://") && !strings.HasPrefix(target, "https://") {
		target = "http://" + target
	}
	if rest, plain := strings.CutPrefix(target, "http://"); plain && p.conf.UseHTTP3 {
		target = "https://" + rest
		p.log.Warn("Converting HTTP to HTTPS for HTTP/3 compatibility", "converted_target", sla.ShownAddress(target))
	}
	u, err := url.Parse(target)
	if err != nil {
		p.log.Error("Could not parse target URL", "err", sla.URLReason(p.target, err))
		return false
	}
	p.url = u
	return true
}

// address chooses the address of the target's host, unless a proxy does.
func (p *httpProbe) address(ctx context.Context) bool {
	if p.conf.SkipResolvePhaseWithProxy && p.viaProxy() {
		if err := p.mayReach(p.url.Hostname(), net.ParseIP(p.url.Hostname())); err != nil {
			p.log.Error("Error resolving address", "err", err)
			return false
		}
		return true
	}
	ip, took, err := p.resolve(ctx, p.url.Hostname(), p.conf.IPProtocol, p.conf.IPProtocolFallback)
	p.out.add("probe_http_duration_seconds", took, "resolve")
	p.ip = ip
	return err == nil
}

func (p *httpProbe) viaProxy() bool {
	c := &p.conf.HTTPClientConfig
	return c.ProxyURL.URL != nil || c.ProxyFromEnvironment
}

// client prepares the client of one probe, which has its own cookies.
func (p *httpProbe) client() (*http.Client, error) {
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		return nil, err
	}
	if err := p.hops.prepare(p); err != nil {
		return nil, err
	}
	return &http.Client{Transport: p.authenticated(&p.hops), Jar: jar, CheckRedirect: p.checkRedirect}, nil
}

var errNotFollowed = errors.New("don't follow redirects")

func (p *httpProbe) checkRedirect(r *http.Request, via []*http.Request) error {
	p.log.Debug("Received redirect", "location", sla.ShownAddress(r.Response.Header.Get("Location")))
	p.redirects = len(via)
	p.out.set("probe_http_redirects", float64(p.redirects)) // also if the next request fails
	if p.redirects > maxRedirects || !p.conf.HTTPClientConfig.FollowRedirects {
		p.log.Debug("Not following redirect")
		return errNotFollowed
	}
	return nil
}

// request makes the first request. The function that it returns closes the body.
func (p *httpProbe) request(ctx context.Context) (r *http.Request, closeBody func(), err error) {
	closeBody = func() {}
	var body io.Reader
	switch {
	case p.conf.BodyFile != "":
		file, err := os.Open(p.conf.BodyFile)
		if err != nil {
			return nil, nil, err
		}
		body, closeBody = file, func() { file.Close() }
	case p.conf.Body != "":
		body = strings.NewReader(p.conf.Body)
	}
	u := *p.url
	if p.ip != nil && p.viaProxy() {
		u.Host = withAddress(&u, p.ip) // so that the proxy has nothing to resolve
	}
	ctx = httptrace.WithClientTrace(ctx, p.hops.trace())
	if r, err = http.NewRequestWithContext(ctx, p.conf.Method, u.String(), body); err != nil {
		closeBody()
		return nil, nil, err
	}
	r.Host = p.url.Host
	for name, value := range p.conf.Headers {
		if textproto.CanonicalMIMEHeaderKey(name) == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", p.opts.UserAgent)
	}
	return r, closeBody, nil
}

// withAddress is the host of a URL with an address for the name.
func withAddress(u *url.URL, ip *net.IPAddr) string {
	if port := u.Port(); port != "" {
		return net.JoinHostPort(ip.String(), port)
	}
	if ip.IP.To4() == nil {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}

// serverName is the name that the TLS session with the target asks for: the
// module's server_name, or its Host header, or the host of the target.
func (p *httpProbe) serverName() string {
	if name := p.conf.HTTPClientConfig.TLSConfig.ServerName; name != "" {
		return name
	}
	for name, value := range p.conf.Headers {
		if textproto.CanonicalMIMEHeaderKey(name) == "Host" {
			return value
		}
	}
	return p.url.Hostname()
}
