package demo

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// orders is the TCP port of a queue: it sends a greeting and hangs up.
type orders struct {
	address string

	mu       sync.Mutex
	listener net.Listener // nil while closed
	serving  sync.WaitGroup
}

func openOrders() (*orders, error) {
	o := &orders{address: "127.0.0.1:0"}
	if err := o.open(); err != nil {
		return nil, err
	}
	return o, nil
}

// open listens on the same port as before.
func (o *orders) open() error {
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.address, o.listener = listener.Addr().String(), listener
	o.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			_, _ = fmt.Fprintln(conn, "220 orders ready")
			_ = conn.Close()
		}
	})
	return nil
}

func (o *orders) close() error {
	o.mu.Lock()
	listener := o.listener
	o.listener = nil
	o.mu.Unlock()
	var err error
	if listener != nil {
		err = listener.Close()
	}
	o.serving.Wait()
	return err
}

// set refuses connections while the effect is Closed. Meanwhile another process may
// take the port; then it tries until the port is free.
func (o *orders) set(ctx context.Context, effect Effect) error {
	if effect == Closed {
		return o.close()
	}
	for {
		err := o.open()
		if err == nil || ctx.Err() != nil {
			return err
		}
		wait(ctx, 200*time.Millisecond)
	}
}
