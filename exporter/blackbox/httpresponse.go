package blackbox

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/google/cel-go/cel"
	"github.com/prometheus/blackbox_exporter/config"
)

// maxMatched bounds, in bytes, a body that is matched. If a longer one is to be
// matched, the probe fails.
const maxMatched = 16 << 20

// evaluate reads the response, reports it, and returns whether it is what the
// module demands. err is the client's; it has a response beside it if that is a
// redirect that was not followed.
func (p *httpProbe) evaluate(ctx context.Context, r *http.Response, err error) bool {
	if r == nil {
		p.reportTLS() // of a handshake that failed over the certificate
		return false
	}
	p.log.Debug("Received HTTP response", "status_code", r.StatusCode)
	b := &body{probe: p, response: r, stream: r.Body}
	ok := p.validStatus(r.StatusCode)
	ok = ok && p.validHeaders(r.Header)
	ok = b.decompress() && ok
	b.limit()
	ok = ok && b.matches()
	ok = ok && b.matchesJSON(ctx)
	if err == nil {
		ok = b.drain() && ok
	}
	p.hops.finished()
	ok = p.validVersion(r.Proto) && ok
	ok = p.validTLS(ctx, r, ok)
	p.report(r, b.read)
	return ok
}

func (p *httpProbe) report(r *http.Response, read int64) {
	if modified, err := http.ParseTime(r.Header.Get("Last-Modified")); err == nil {
		p.out.set("probe_http_last_modified_timestamp_seconds", float64(modified.Unix()))
	}
	p.out.set("probe_http_status_code", float64(r.StatusCode))
	p.out.set("probe_http_content_length", float64(r.ContentLength))
	p.out.set("probe_http_uncompressed_body_length", float64(read))
}

func (p *httpProbe) validStatus(code int) bool {
	valid := p.conf.ValidStatusCodes
	if len(valid) == 0 && 200 <= code && code < 300 || slices.Contains(valid, code) {
		return true
	}
	if len(valid) == 0 {
		p.log.Error("Invalid HTTP response status code, wanted 2xx", "status_code", code)
	} else {
		p.log.Error("Invalid HTTP response status code", "status_code", code, "valid_status_codes", valid)
	}
	return false
}

func (p *httpProbe) validHeaders(header http.Header) bool {
	matchesAny := func(m *config.HeaderMatch, values []string) bool {
		return slices.ContainsFunc(values, m.Regexp.MatchString)
	}
	matchesNone := func(m *config.HeaderMatch, values []string) bool {
		return !slices.ContainsFunc(values, m.Regexp.MatchString)
	}
	ok := p.checkHeaders(header, p.conf.FailIfHeaderMatchesRegexp, matchesAny, "Header matched regular expression") &&
		p.checkHeaders(header, p.conf.FailIfHeaderNotMatchesRegexp, matchesNone, "Header did not match regular expression")
	if !ok {
		p.out.set("probe_failed_due_to_regex", 1)
	}
	return ok
}

func (p *httpProbe) checkHeaders(header http.Header, rules []config.HeaderMatch, violates func(*config.HeaderMatch, []string) bool, message string) bool {
	for i := range rules {
		rule := &rules[i]
		values := header[textproto.CanonicalMIMEHeaderKey(rule.Header)]
		switch {
		case len(values) == 0 && rule.AllowMissing:
		case len(values) == 0:
			p.log.Error("Missing required header", "header", rule.Header)
			return false
		case violates(rule, values):
			p.log.Error(message, "header", rule.Header, "regexp", rule.Regexp, "value_count", len(values))
			return false
		}
	}
	return true
}

func (p *httpProbe) validVersion(proto string) bool {
	number, err := strconv.ParseFloat(strings.TrimPrefix(proto, "HTTP/"), 64)
	if err != nil {
		p.log.Error("Error parsing version number from HTTP version", "err", err)
	}
	p.out.set("probe_http_version", number)
	if valid := p.conf.ValidHTTPVersions; len(valid) > 0 && !slices.Contains(valid, proto) {
		p.log.Error("Invalid HTTP version number", "version", proto)
		return false
	}
	return true
}

func (p *httpProbe) validTLS(ctx context.Context, r *http.Response, ok bool) bool {
	if r.TLS == nil {
		if p.conf.FailIfNotSSL && ok {
			p.log.Error("Final request was not over SSL")
			return false
		}
		return ok
	}
	p.out.set("probe_http_ssl", 1)
	if state := p.reportTLS(); state != nil {
		p.out.info("probe_tls_cipher_info", tlsCipher(state))
	}
	p.reportChain()
	if p.module.HTTP.CheckRevoked.on {
		p.reportRevocation(ctx, &p.conf.HTTPClientConfig)
	}
	if p.conf.FailIfSSL {
		p.log.Error("Final request was over SSL")
		return false
	}
	return ok
}

// body is the body of a response while it is checked.
type body struct {
	probe    *httpProbe
	response *http.Response
	stream   io.Reader
	text     []byte // what is matched
	buffered bool
	read     int64 // bytes, after decompression
}

// decompress decompresses the body as the module says, whatever its header says.
func (b *body) decompress() bool {
	var err error
	switch strings.ToLower(b.probe.conf.Compression) {
	case "", "identity":
	case "br":
		b.stream = brotli.NewReader(b.stream)
	case "deflate":
		b.stream = flate.NewReader(b.stream)
	case "gzip":
		var z *gzip.Reader
		if z, err = gzip.NewReader(b.stream); err == nil {
			b.stream = z
		}
	default:
		err = errors.New("unsupported compression algorithm")
	}
	if err != nil {
		b.probe.log.Error("Failed to get decompressor for HTTP response body", "err", err)
	}
	return err == nil
}

// limit makes reading fail if the body is longer than the module allows.
func (b *body) limit() {
	if most := b.probe.conf.BodySizeLimit; most > 0 {
		b.stream = http.MaxBytesReader(nil, io.NopCloser(b.stream), int64(most))
	}
}

// buffer reads the body for matching.
func (b *body) buffer() error {
	if b.buffered {
		return nil
	}
	var err error
	b.text, err = io.ReadAll(io.LimitReader(b.stream, maxMatched+1))
	b.read += int64(len(b.text))
	if err == nil && len(b.text) > maxMatched {
		err = errors.New("the body is longer than 16 MiB, too long to be matched")
	}
	b.buffered = err == nil
	return err
}

func (b *body) matches() bool {
	c := b.probe.conf
	if len(c.FailIfBodyMatchesRegexp) == 0 && len(c.FailIfBodyNotMatchesRegexp) == 0 {
		return true
	}
	ok := b.matchesRegexps(c)
	if !ok {
		b.probe.out.set("probe_failed_due_to_regex", 1)
	}
	return ok
}

func (b *body) matchesRegexps(c *config.HTTPProbe) bool {
	log := b.probe.log
	if err := b.buffer(); err != nil {
		log.Error("Error reading HTTP body", "err", err)
		return false
	}
	for _, expression := range c.FailIfBodyMatchesRegexp {
		if expression.Match(b.text) {
			log.Error("Body matched regular expression", "regexp", expression)
			return false
		}
	}
	for _, expression := range c.FailIfBodyNotMatchesRegexp {
		if !expression.Match(b.text) {
			log.Error("Body did not match regular expression", "regexp", expression)
			return false
		}
	}
	return true
}

func (b *body) matchesJSON(ctx context.Context) bool {
	c := b.probe.conf
	if c.FailIfBodyJsonMatchesCEL == nil && c.FailIfBodyJsonNotMatchesCEL == nil {
		return true
	}
	ok := b.matchesCEL(ctx, c)
	if !ok {
		b.probe.out.set("probe_failed_due_to_cel", 1)
	}
	return ok
}

func (b *body) matchesCEL(ctx context.Context, c *config.HTTPProbe) bool {
	log := b.probe.log
	if err := b.buffer(); err != nil {
		log.Error("Error reading HTTP body", "err", err)
		return false
	}
	var value any
	if err := json.Unmarshal(b.text, &value); err != nil {
		log.Error("Error unmarshalling HTTP body to JSON", "err", err)
		return false
	}
	for _, rule := range []struct {
		program *config.CELProgram
		bad     bool // what it must not be
		message string
	}{
		{c.FailIfBodyJsonMatchesCEL, true, "Body matched CEL expression"},
		{c.FailIfBodyJsonNotMatchesCEL, false, "Body did not match CEL expression"},
	} {
		if rule.program == nil {
			continue
		}
		result, _, err := rule.program.ContextEval(ctx, map[string]any{"body": value})
		if err != nil {
			log.Error("Error evaluating CEL expression", "err", err)
			return false
		}
		if result.Type() != cel.BoolType {
			log.Error("CEL evaluation result is not a boolean", "expression", rule.program.Expression)
			return false
		}
		if result.Value() == rule.bad {
			log.Error(rule.message, "expression", rule.program.Expression)
			return false
		}
	}
	return true
}

// drain reads what is left of the body and closes it.
func (b *body) drain() bool {
	defer b.response.Body.Close()
	n, err := io.Copy(io.Discard, b.stream)
	b.read += n
	if err != nil {
		b.probe.log.Error("Failed to read HTTP response body", "err", err)
	}
	return err == nil
}
