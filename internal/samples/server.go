package samples

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Server is a Source that reads from a server with Prometheus' HTTP API: by remote read
// if the server has it, else by range selectors. It sends one request at a time, and
// repeats it for a while if the server is down or busy.
type Server struct {
	base    *url.URL
	client  *http.Client
	timeout time.Duration // of one answer
	wait    time.Duration // before the second attempt; each later one waits twice as long
	byQuery bool          // it has no remote read
	getOnly bool          // it takes no queries by POST
}

// attempts is how often a request is sent that gets no answer: for about half a minute.
const attempts = 6

// ServerOptions say how to reach a server.
type ServerOptions struct {
	Transport http.RoundTripper // nil is Go's default
	Timeout   time.Duration     // of one answer; 0 is two minutes
	// Wait is how long to wait before asking again; 0 is a second.
	Wait time.Duration
	// Queries forces range selectors even if there may be remote read.
	Queries bool
}

// NewServer returns the server at a base URL, which may have a path.
func NewServer(base *url.URL, o ServerOptions) *Server {
	s := &Server{base: base, client: &http.Client{Transport: o.Transport}, timeout: o.Timeout, wait: o.Wait, byQuery: o.Queries}
	if s.timeout == 0 {
		s.timeout = 2 * time.Minute
	}
	if s.wait == 0 {
		s.wait = time.Second
	}
	return s
}

// Name is the server's URL without secrets.
func (s *Server) Name() string {
	return (&url.URL{Scheme: s.base.Scheme, Host: s.base.Host, Path: s.base.Path}).String()
}

// Select reads a range at once, or in halves if that is too much for the server.
func (s *Server) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	if from >= to {
		return nil, nil
	}
	if !s.byQuery {
		all, err := s.asked(ctx, func(ctx context.Context) ([]Series, error) { return s.remoteRead(ctx, matchers, from, to) })
		if !errors.Is(err, errNoRemoteRead) {
			return all, err
		}
		s.byQuery = true
	}
	return s.queried(ctx, matchers, from, to)
}

// queried reads by range selectors, in halves if the whole is too much.
func (s *Server) queried(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	all, err := s.asked(ctx, func(ctx context.Context) ([]Series, error) { return s.query(ctx, matchers, from, to) })
	if !errors.Is(err, errTooMuch) || to-from <= minute {
		return all, err
	}
	middle := from + (to-from)/2
	first, err := s.queried(ctx, matchers, from, middle)
	if err != nil {
		return nil, err
	}
	second, err := s.queried(ctx, matchers, middle, to)
	if err != nil {
		return nil, err
	}
	return joinSeries(first, second), nil
}

// joinSeries joins the series of two ranges, the later one second.
func joinSeries(first, second []Series) []Series {
	var all []Series
	for i, j := 0, 0; i < len(first) || j < len(second); {
		switch {
		case j == len(second) || i < len(first) && labels.Compare(first[i].Labels, second[j].Labels) < 0:
			all = append(all, first[i])
			i++
		case i == len(first) || labels.Compare(first[i].Labels, second[j].Labels) > 0:
			all = append(all, second[j])
			j++
		default:
			s := first[i]
			s.T, s.V, s.H = append(s.T, second[j].T...), append(s.V, second[j].V...), append(s.H, second[j].H...)
			all = append(all, s)
			i, j = i+1, j+1
		}
	}
	return all
}

// Errors that say what to do next.
var (
	errNoRemoteRead = errors.New("the server has no remote read")
	errTooMuch      = errors.New("too much for one question")
)

// statusError is an answer that is no success.
type statusError struct {
	status  int
	message string // of the server
	after   time.Duration
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answers %d %s", e.status, http.StatusText(e.status))
	if e.message != "" {
		text += ": " + e.message
	}
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		text += "; name a file with the right authentication by --http.config.file"
	case http.StatusNotFound:
		text += "; is it the base URL of a Prometheus, without /api/v1?"
	}
	return text
}

// again returns whether the same request may succeed later.
func (e *statusError) again() bool {
	return e.status == http.StatusTooManyRequests || e.status >= 500 && e.status != http.StatusNotImplemented
}

// asked repeats a request until it is answered, and gives up after some attempts.
func (s *Server) asked(ctx context.Context, ask func(context.Context) ([]Series, error)) ([]Series, error) {
	wait := s.wait
	for attempt := 1; ; attempt++ {
		limited, cancel := context.WithTimeout(ctx, s.timeout)
		all, err := ask(limited)
		cancel()
		if err == nil || errors.Is(err, errNoRemoteRead) || errors.Is(err, errTooMuch) {
			return all, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var status *statusError
		if errors.As(err, &status) && !status.again() {
			return nil, err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no whole answer within %s", s.timeout)
		}
		if attempt == attempts {
			return nil, fmt.Errorf("%w (asked %d times)", plain(err), attempts)
		}
		if status != nil {
			wait = max(wait, min(status.after, time.Minute))
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		wait *= 2
	}
}

// plain is an error without the URL, which may have secrets. The reader knows it
// anyway.
func plain(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = of.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	return err
}

// failed reads an answer that is no success.
func failed(r *http.Response, message func([]byte) string) error {
	text, _ := io.ReadAll(io.LimitReader(r.Body, 1<<14)) // a part of the text is enough
	e := &statusError{status: r.StatusCode, message: strings.Join(strings.Fields(message(text)), " ")}
	if len(e.message) > 300 {
		e.message = e.message[:300] + "..."
	}
	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.after = time.Duration(seconds) * time.Second
	}
	return e
}
