package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// stream is standard output or standard error. If its reader goes away, like head in a
// pipe, the rest is dropped silently and the verb ends as usual: a half-written file,
// or another exit code, would be a surprise.
type stream struct {
	to     io.Writer
	once   sync.Once
	closed chan struct{} // once nobody reads
}

func newStream(to io.Writer) *stream { return &stream{to: to, closed: make(chan struct{})} }

func (o *stream) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		o.once.Do(func() { close(o.closed) })
		return len(p), nil
	}
	return n, err
}

// keepBrokenPipes makes writes to a pipe without a reader fail. Otherwise they would
// end the process in the middle of its work. Programs that this one starts do not
// inherit it.
func keepBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// untilClosed is a context that ends when nobody reads w any more, for verbs that only
// print.
func untilClosed(ctx context.Context, w io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if o, ok := w.(*stream); ok {
		go func() {
			select {
			case <-o.closed:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}
