package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// exchange is the transport of one HTTP probe: each round trip closes the
// connection of the one before and opens its own. It keeps nothing alive, runs
// no goroutine and never sends a request twice, which is what the transport of
// net/http cannot be brought to do cheaply.
type exchange struct {
	prober  *httpProber
	run     *run
	conn    net.Conn
	stop    func() bool // ends the watch over conn
	limited io.LimitedReader
	reader  *bufio.Reader
	first   time.Time // when the first byte of the current answer came
	scratch *[]byte
}

var (
	readers   = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
	writers   = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}
	scratches = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}
)

// maxScratch is the largest body buffer that is kept for the next probe.
const maxScratch = 64 << 10

// RoundTrip sends a request over a new connection and reads the header of the
// answer.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	x.hangUp()
	ctx, address := r.Context(), hostPort(r.URL)
	conf, err := x.tlsFor(r.URL)
	if err != nil {
		return nil, err
	}
	conn, fault := x.prober.dialer.connect(ctx, address, conf, x.run)
	if fault != nil {
		return nil, fault
	}
	x.conn = conn
	x.stop = interruptible(ctx, conn)
	if !r.Close { // a request that the client made to follow a redirect
		last := *r
		last.Close = true
		r = &last
	}
	sendErr := x.send(r)
	response, err := x.receive(r)
	if err != nil {
		if sendErr != nil {
			err = sendErr // the cause; without an answer the request was not enough
		}
		return nil, x.fault(ctx, err, address)
	}
	if x.prober.follow && isRedirect(response.StatusCode) {
		x.hangUp() // before the client reads a body that nobody wants
		response.Body = http.NoBody
		return response, nil
	}
	response.Body = keepOpen{response.Body}
	return response, nil
}

// keepOpen is a body whose Close does nothing: net/http would read the rest of
// it, however long. The connection is what is closed.
type keepOpen struct{ io.Reader }

func (keepOpen) Close() error { return nil }

func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// tlsFor says how to speak TLS for a URL; nil for plain HTTP.
func (x *exchange) tlsFor(u *url.URL) (*session, error) {
	switch u.Scheme {
	case "http":
		return nil, nil
	case "https":
		return x.prober.session(u.Hostname()), nil
	}
	return nil, &failure{Redirect, "a redirect to a URL that is neither http nor https"}
}

func (x *exchange) send(r *http.Request) error {
	w := writers.Get().(*bufio.Writer)
	defer func() {
		w.Reset(nil)
		writers.Put(w)
	}()
	w.Reset(x.conn)
	if err := r.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

var errHeaderTooLong = errors.New("the header is longer than 1 MiB")

// receive waits for the answer and reads its header, past interim ones.
func (x *exchange) receive(r *http.Request) (*http.Response, error) {
	if x.reader == nil {
		x.reader = readers.Get().(*bufio.Reader)
	}
	x.limited = io.LimitedReader{R: x.conn, N: maxHeader}
	x.reader.Reset(&x.limited)
	sent := time.Now()
	_, err := x.reader.Peek(1)
	x.first = time.Now()
	x.run.phases.Add(Processing, x.first.Sub(sent))
	if err != nil {
		return nil, err
	}
	for {
		response, err := http.ReadResponse(x.reader, r)
		if err != nil {
			x.run.phases.Add(Transfer, time.Since(x.first))
			if x.limited.N <= 0 {
				err = errHeaderTooLong
			}
			return nil, err
		}
		if response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			x.limited.N = math.MaxInt64
			x.run.phases.Add(Transfer, time.Since(x.first))
			x.first = time.Now()
			return response, nil
		}
	}
}

// readBody reads at most maxBody bytes; it returns them if they are wanted,
// valid until the exchange is closed. A body cut short is a failure.
func (x *exchange) readBody(ctx context.Context, body io.Reader, wanted bool) ([]byte, *failure) {
	x.scratch = scratches.Get().(*[]byte)
	buf := (*x.scratch)[:0]
	total := 0
	defer func() {
		*x.scratch = buf
		x.run.phases.Add(Transfer, time.Since(x.first))
	}()
	for total < maxBody {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):min(cap(buf), len(buf)+maxBody-total)])
		total += n
		if wanted {
			buf = buf[:len(buf)+n]
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			fault := x.prober.dialer.classify(ctx, err, stage{phase: Transfer, what: fmt.Sprintf("read the body after %d bytes", total)})
			return nil, fault
		}
	}
	return buf, nil
}

// fault names what went wrong between the request and the end of the header.
func (x *exchange) fault(ctx context.Context, err error, address string) *failure {
	at := stage{phase: Processing, address: address, what: "answer of " + address}
	fault := x.prober.dialer.classify(ctx, err, at)
	if fault.reason == Protocol && !errors.Is(err, errHeaderTooLong) {
		fault.detail = at.what + ": not HTTP/1.x" // the error would quote the answer
	}
	return fault
}

// hangUp closes the current connection.
func (x *exchange) hangUp() {
	if x.conn == nil {
		return
	}
	x.stop()
	hangUp(x.conn)
	x.conn = nil
}

// close gives back everything that the exchange holds.
func (x *exchange) close() {
	x.hangUp()
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
