package probe

import (
	"context"
	"sync"
	"time"
)

// bounded is a context with a deadline that costs nothing until somebody waits
// for its end: connections have the deadline for themselves, and most probes
// wait for nothing else. A context of the standard library takes a timer and a
// place among the children of another.
type bounded struct {
	context.Context // that it is derived from
	deadline        time.Time

	mu     sync.Mutex
	timed  context.Context // nil: nobody has waited yet
	cancel context.CancelFunc
	ended  bool
}

// bound derives a context with a deadline; end releases what it holds.
func bound(from context.Context, deadline time.Time) (ctx *bounded) {
	return &bounded{Context: from, deadline: deadline}
}

// end is the end of the context, whoever waits for it.
func (b *bounded) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.timed != nil {
		b.cancel()
	}
}

// waited is the context that can be waited for.
func (b *bounded) waited() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timed == nil {
		b.timed, b.cancel = context.WithDeadline(b.Context, b.deadline)
		if b.ended {
			b.cancel()
		}
	}
	return b.timed
}

// Deadline is what it was made with.
func (b *bounded) Deadline() (time.Time, bool) { return b.deadline, true }

// Done is closed at the end.
func (b *bounded) Done() <-chan struct{} { return b.waited().Done() }

// Err is why it has ended.
func (b *bounded) Err() error {
	if b.mu.Lock(); b.timed != nil || b.ended {
		b.mu.Unlock()
		return b.waited().Err()
	}
	b.mu.Unlock()
	if err := b.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(b.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value is asked of what can be waited for once there is that, so that contexts
// derived from this one find it.
func (b *bounded) Value(key any) any {
	b.mu.Lock()
	timed := b.timed
	b.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return b.Context.Value(key)
}
