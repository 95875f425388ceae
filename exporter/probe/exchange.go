package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/upheld-sla/upheld/sla"
)

// exchange makes the requests of one HTTP probe. Each has a connection of its own:
// nothing is kept alive or sent twice, for which net/http's transport would need
// much more CPU. HTTP/1.1 takes no goroutine.
type exchange struct {
	client   *httpClient
	run      *run
	first    *outgoing // secrets are sent to its origin only
	secrets  []pair    // headers for that origin
	jar      *cookiejar.Jar
	step     string              // of a journey
	redact   func(string) string // hides captured values in URLs of results; may be nil
	captured map[string]string   // of a journey
	hops     int                 // redirects that were followed
	before   Phases              // as they were when the current request began
	start    time.Time

	conn    net.Conn
	stop    func() bool // of interruptible
	quic    *quicConn
	wire    wire // reads from conn
	limited io.LimitedReader
	reader  *bufio.Reader
	began   time.Time // when the first byte of the current response arrived
	scratch *[]byte

	// For the excerpt of a bad response.
	current  *outgoing      // the last request
	answer   *http.Response // the response to it; nil: none
	raw      []byte         // what arrived instead of HTTP
	bodyRead bool           // some of the response's body has been read
	body     []byte         // its beginning, valid until the exchange is closed
}

var (
	readers   = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
	scratches = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}
)

// maxScratch is the largest buffer that is kept for the next probe.
const maxScratch = 64 << 10

// buffer returns memory for what is sent, and later for a body.
func (x *exchange) buffer() []byte {
	if x.scratch == nil {
		x.scratch = scratches.Get().(*[]byte)
	}
	return (*x.scratch)[:0]
}

// follow sends the request and those that redirects ask for. It returns the last
// response, whose body has not been read.
func (x *exchange) follow(ctx context.Context, o *outgoing) (*http.Response, *failure) {
	x.first = o
	for {
		x.before, x.start = x.run.phases, time.Now()
		response, fault := x.roundTrip(ctx, o)
		if fault != nil {
			x.addPart(o, 0, x.hops > 0)
			return nil, fault
		}
		x.answer = response
		if x.jar != nil {
			x.jar.SetCookies(o.url, response.Cookies())
		}
		location := response.Header.Get("Location")
		if !x.client.follow || !isRedirect(response.StatusCode) || location == "" {
			x.addPart(o, response.StatusCode, x.hops > 0)
			return response, nil
		}
		x.addPart(o, response.StatusCode, true)
		if o, fault = x.redirect(o, response, location); fault != nil {
			return nil, fault
		}
		x.hops++
	}
}

// redirect returns the request that follows a redirect.
func (x *exchange) redirect(o *outgoing, response *http.Response, location string) (*outgoing, *failure) {
	if x.hops == x.client.redirects {
		return nil, tooManyRedirects(x.hops)
	}
	next, fault := redirected(o, response.StatusCode, location)
	if fault != nil {
		return nil, fault
	}
	if x.client.sameHost && !strings.EqualFold(next.url.Hostname(), x.first.url.Hostname()) {
		return nil, &failure{Redirect, "a redirect to another host, " + clip(next.url.Host)}
	}
	if x.jar == nil {
		if set := response.Cookies(); len(set) > 0 {
			x.jar, _ = cookiejar.New(nil) // has no errors
			x.jar.SetCookies(o.url, set)
		}
	}
	return next, nil
}

// addPart adds the request to the parts of the result, if there are several or it is
// a step of a journey.
func (x *exchange) addPart(o *outgoing, status int, one bool) {
	if !one && x.step == "" {
		return
	}
	shown := shownURL(o.url)
	if x.redact != nil {
		shown = x.redact(shown)
	}
	x.run.parts = append(x.run.parts, Part{
		Step: x.step, URL: shown, Status: status, Duration: time.Since(x.start), Phases: x.run.phases.since(x.before),
	})
}

// finish adds the time of the body to the last part.
func (x *exchange) finish() {
	if x.hops == 0 && x.step == "" || len(x.run.parts) == 0 {
		return
	}
	last := &x.run.parts[len(x.run.parts)-1]
	last.Duration, last.Phases = time.Since(x.start), x.run.phases.since(x.before)
}

// roundTrip sends a request over a new connection and reads the header of the
// response.
func (x *exchange) roundTrip(ctx context.Context, o *outgoing) (*http.Response, *failure) {
	x.closeConn()
	x.wire.reset(nil)
	x.current, x.answer = o, nil
	o, more := x.withHeaders(o)
	if x.client.usesHTTP3(o.url) {
		return x.overHTTP3(ctx, o, more)
	}
	route, fault := x.client.route(o)
	if fault != nil {
		return nil, fault
	}
	if x.conn, fault = route.connect(ctx, x.client.dialer, x.client.session(o.url), x.run); fault != nil {
		return nil, fault
	}
	x.stop = interruptible(ctx, x.conn)
	if secured, ok := x.conn.(*tls.Conn); ok && secured.ConnectionState().NegotiatedProtocol == "h2" {
		return x.overHTTP2(ctx, o, more, secured)
	}
	response, fault := x.overHTTP1(ctx, o, append(more, route.headers...), route.absoluteURL)
	if fault == nil && route.absoluteURL && response.StatusCode == http.StatusProxyAuthRequired {
		return nil, &failure{ProxyFailed, "the proxy " + route.address + ": " + httpDetail(response.StatusCode)}
	}
	return response, fault
}

// withHeaders returns the request, and headers to send besides its own: secrets and
// cookies. All cookies are in one header, as servers expect (RFC 6265, section 5.4).
func (x *exchange) withHeaders(o *outgoing) (*outgoing, []pair) {
	var more []pair
	if len(x.secrets) > 0 && (o == x.first || sameOrigin(x.first.url, o.url)) {
		more = slices.Clone(x.secrets)
	}
	if x.jar == nil {
		return o, more
	}
	set := x.jar.Cookies(o.url)
	if len(set) == 0 {
		return o, more
	}
	var lines []string
	take := func(headers []pair) []pair {
		return slices.DeleteFunc(slices.Clone(headers), func(h pair) bool {
			if h.name != "Cookie" {
				return false
			}
			lines = append(lines, otherCookies(h.value, set)...)
			return true
		})
	}
	if o.has("Cookie") {
		own := *o
		own.headers = take(o.headers)
		if own.prepare() == nil { // as it was without
			o = &own
		}
	}
	more = take(more)
	for _, c := range set {
		lines = append(lines, c.Name+"="+c.Value)
	}
	return o, append(more, pair{"Cookie", strings.Join(lines, "; ")})
}

// otherCookies returns the cookies of a header that no response has set.
func otherCookies(header string, set []*http.Cookie) []string {
	var kept []string
	for one := range strings.SplitSeq(header, ";") {
		one = strings.TrimSpace(one)
		name, _, _ := strings.Cut(one, "=")
		if one != "" && !slices.ContainsFunc(set, func(c *http.Cookie) bool { return c.Name == name }) {
			kept = append(kept, one)
		}
	}
	return kept
}

// The requests that http.ReadResponse needs to read a response: it only matters
// whether the method is HEAD.
var (
	headRequest = &http.Request{Method: http.MethodHead}
	getRequest  = &http.Request{Method: http.MethodGet}
)

func (x *exchange) overHTTP1(ctx context.Context, o *outgoing, more []pair, whole bool) (*http.Response, *failure) {
	message := o.appendTo(x.buffer(), more, whole)
	*x.scratch = message
	_, sendErr := x.conn.Write(message)
	about := getRequest
	if o.method == http.MethodHead {
		about = headRequest
	}
	response, err := x.receive(about)
	if err != nil {
		if sendErr != nil {
			err = sendErr // the cause of the missing response
		}
		return nil, x.fault(ctx, err, o.address)
	}
	return response, nil
}

var errHeaderTooLong = errors.New("the header is longer than 1 MiB")

// receive waits for the response and reads its header. It skips interim responses.
func (x *exchange) receive(about *http.Request) (*http.Response, error) {
	if x.reader == nil {
		x.reader = readers.Get().(*bufio.Reader)
	}
	x.wire.reset(x.conn)
	x.limited = io.LimitedReader{R: &x.wire, N: maxHeader}
	x.reader.Reset(&x.limited)
	sent := time.Now()
	_, err := x.reader.Peek(1)
	x.began = time.Now()
	x.run.phases.Add(Processing, x.began.Sub(sent))
	if err != nil {
		return nil, err
	}
	came, reads := x.keepNonHTTP(), x.wire.reads
	for {
		response, err := http.ReadResponse(x.reader, about)
		if err != nil {
			x.run.phases.Add(Transfer, time.Since(x.began))
			if x.limited.N <= 0 {
				return nil, errHeaderTooLong
			}
			if x.wire.err == nil && x.wire.reads == reads { // otherwise, came is no longer in the buffer
				return nil, x.malformed(err, came)
			}
			return nil, x.wire.cause(err)
		}
		if response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			x.limited.N = math.MaxInt64
			now := time.Now()
			x.run.phases.Add(Transfer, now.Sub(x.began))
			x.began = now
			return response, nil
		}
	}
}

// headerError is the error of a header that cannot be read.
type headerError struct{ what string }

func (e *headerError) Error() string { return e.what }

// malformed says which header cannot be read, and keeps what arrived for the
// excerpt. If it was not a header it returns err.
func (x *exchange) malformed(err error, came []byte) error {
	status, rest, _ := bytes.Cut(came, []byte("\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/")) {
		return err
	}
	if x.run.excerpt > 0 {
		x.raw = slices.Clone(came[:min(len(came), x.run.excerpt)])
	}
	for line := range bytes.Lines(rest) {
		line = bytes.TrimRight(line, "\r\n")
		name, _, colon := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) == 0:
			return err
		case line[0] == ' ' || line[0] == '\t': // goes on with the one before
		case !colon:
			return &headerError{"a line of the header has no colon"}
		case !httpguts.ValidHeaderFieldName(string(name)):
			return &headerError{fmt.Sprintf("%q is not the name of a header", clip(string(name[:min(len(name), maxHeaderName)])))}
		case slices.Contains(framing, strings.ToLower(string(name))) && strings.Contains(strings.ReplaceAll(strings.ToLower(err.Error()), " ", "-"), strings.ToLower(string(name))):
			return &headerError{"the header " + clip(string(name)) + " cannot be read"}
		}
	}
	return err
}

// framing are the headers that say where a message ends.
var framing = []string{"content-length", "transfer-encoding"}

// maxHeaderName is how much of the name of a header that cannot be read is shown.
const maxHeaderName = 40

// fault says what went wrong between the request and the end of the header.
func (x *exchange) fault(ctx context.Context, err error, address string) *failure {
	at := stage{phase: Processing, address: address, what: "answer of " + address}
	err = x.quic.cause(ctx, err)
	fault := x.client.dialer.classify(ctx, err, at)
	if bad, ok := errors.AsType[*headerError](err); ok {
		fault.detail = at.what + ": " + bad.Error()
		return fault
	}
	if fault.reason == Protocol && !errors.Is(err, errHeaderTooLong) {
		fault.detail = at.what + ": not HTTP/1.x" // the error would quote the answer
		if x.client.speaks(sla.HTTP2) || x.client.speaks(sla.HTTP3) {
			fault.detail = at.what + ": not HTTP"
		}
	}
	return fault
}

// closeConn closes the current connection.
func (x *exchange) closeConn() {
	if x.quic != nil {
		x.quic.close()
		x.quic = nil
	}
	if x.conn == nil {
		return
	}
	if x.stop != nil {
		x.stop()
	}
	closeNow(x.conn)
	x.conn, x.stop = nil, nil
}

// close releases everything that the exchange holds.
func (x *exchange) close() {
	x.closeConn()
	if x.reader != nil {
		x.reader.Reset(nil)
		readers.Put(x.reader)
		x.reader = nil
	}
	if x.scratch != nil && cap(*x.scratch) <= maxScratch {
		scratches.Put(x.scratch)
	}
	x.scratch = nil
}
