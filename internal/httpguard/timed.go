package httpguard

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// timed is a response that bounds how long its client may take to read each part of it,
// and the whole. A deadline for the whole request would have to allow for the longest
// query.
type timed struct {
	http.ResponseWriter
	control *http.ResponseController
	until   time.Time // when the client must have taken the whole; zero before the first byte
}

// newTimed also bounds the time for sending the request's body, whether or not the
// handler reads it.
func newTimed(w http.ResponseWriter, r *http.Request) *timed {
	t := &timed{ResponseWriter: w, control: http.NewResponseController(w)}
	if r.Body != nil && r.Body != http.NoBody {
		_ = t.control.SetReadDeadline(time.Now().Add(bodyWait)) // only test writers have no deadlines
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

// finish sets a deadline for the data still in buffers.
func (t *timed) finish() { t.extend() }

// timedBody removes the deadline once the body has been read, since the server
// continues reading to notice when the client leaves.
type timedBody struct {
	body    io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if errors.Is(err, io.EOF) { // after any other error the server still waits for the rest
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (b *timedBody) Close() error { return b.body.Close() }
