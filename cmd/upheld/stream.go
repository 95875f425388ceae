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

// stream is standard output or standard error. If its reader goes away, as that
// of a pipe into head does, the rest is dropped without a word, and the verb ends as it
// would have: a file half written, or another exit code, would surprise.
type stream struct {
	to     io.Writer
	once   sync.Once
	closed chan struct{} // once nobody reads any more
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

// keepBrokenPipes makes writes to a pipe that nobody reads an error, where they
// would end the process in the middle of what it does. Programs that this one starts
// are not told to do likewise.
func keepBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// untilClosed is a context that ends when nobody reads w any more, for verbs
// that do nothing but print.
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
