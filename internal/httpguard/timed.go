package httpguard

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// timed is a response that bounds how long its client may take to read each part of
// it, and the whole. A deadline for the whole request would have to allow for the
// longest query.
type timed struct {
	http.ResponseWriter
	control *http.ResponseController
	until   time.Time // when the whole must have been taken; zero before the first byte
}

// newTimed also gives the client so long to send the request's body, whether the
// handler reads it or not.
func newTimed(w http.ResponseWriter, r *http.Request) *timed {
	t := &timed{ResponseWriter: w, control: http.NewResponseController(w)}
	if r.Body != nil && r.Body != http.NoBody {
		_ = t.control.SetReadDeadline(time.Now().Add(bodyWait)) // writers without deadlines are those of tests
		r.Body = &timedBody{r.Body, t.control}
	}
	return t
}

// Write gives the client until the next deadline.
func (t *timed) Write(p []byte) (int, error) {
	t.extend()
	return t.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (t *timed) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Flush sends what was written.
func (t *timed) Flush() {
	t.extend()
	_ = t.control.Flush() // the next Write returns the error
}

func (t *timed) extend() {
	now := time.Now()
	if t.until.IsZero() {
		t.until = now.Add(answerWait)
	}
	next := now.Add(stall)
	if next.After(t.until) {
		next = t.until
	}
	_ = t.control.SetWriteDeadline(next)
}

// finish gives what is still in buffers a deadline of its own.
func (t *timed) finish() { t.extend() }

// timedBody takes the deadline away once the body has been read, since the server
// goes on reading to learn that the client has left.
type timedBody struct {
	body    io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if errors.Is(err, io.EOF) { // after anything else the server still waits for the rest
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (b *timedBody) Close() error { return b.body.Close() }
