package probe

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a TCP connection. It differs from net's in what it costs: none of
// its system calls waits, so they are made without telling Go's scheduler. If
// it is told, it wakes up a thread that looks every few microseconds for those
// that wait too long: with connections that are opened, used once and closed, a
// good third of what a probe costs.
//
// One goroutine may read, another write, and any set deadlines and close. Read
// is stampedSocket's.
type socket struct {
	remote netip.AddrPort

	mu      sync.Mutex
	fd      int  // -1: closed
	reading side // and connecting
	writing side
}

// side is one direction of a socket.
type side struct {
	deadline time.Time
	by       *waiter // nil before the first wait
	events   uint32  // that it looks for
	waiting  bool
}

// hasSockets tells whether dialSocket can be called.
const hasSockets = true

// dialSocket opens a connection until the deadline of ctx. Its errors are like
// those of net.Dialer.
func (d *dialer) dialSocket(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	began := time.Now()
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if d.env.Guard != nil {
		if err := d.env.Guard.Address(to.Addr()); err != nil {
			return nil, &refusal{err}
		}
	}
	s := &socket{remote: to, fd: -1}
	err := ctx.Err()
	if err == nil {
		err = s.connect(ctx)
	}
	if err != nil {
		s.Close()
		return nil, s.fault("dial", err)
	}
	from := rawSocket{s}
	return &stampedSocket{socket: s, stamps: stampsOf(from, to.Addr(), began, time.Now())}, nil
}

// rawSocket is a socket that is read by system calls.
type rawSocket struct{ *socket }

// connect returns once the connection is open. A peer on this host has answered
// by the time that the first call returns, though only another call tells.
func (s *socket) connect(ctx context.Context) (err error) {
	to := newName(s.remote)
	if s.fd, err = newStream(to.family()); err != nil {
		return err
	}
	errno := to.connect(uintptr(s.fd))
	if errno == unix.EINPROGRESS || errno == unix.EINTR {
		errno = to.connect(uintptr(s.fd))
	}
	if errno == unix.EALREADY {
		deadline, _ := ctx.Deadline()
		_ = s.SetDeadline(deadline)
		defer interruptible(ctx, s)()
		err := s.await(&s.reading, unix.EPOLLOUT, func(fd uintptr) bool {
			errno = to.connect(fd)
			return errno != unix.EALREADY
		})
		if err != nil {
			return err
		}
	}
	if errno == 0 && to.isOwnOf(uintptr(s.fd)) { // nobody listens there
		errno = unix.ECONNREFUSED
	}
	if errno != 0 {
		return os.NewSyscallError("connect", errno)
	}
	return nil
}

// Read calls try, which must not wait, whenever there may be something to read,
// until that is true or the deadline has come.
func (s rawSocket) Read(try func(fd uintptr) bool) error {
	return s.await(&s.reading, unix.EPOLLIN|unix.EPOLLRDHUP, try)
}

// Write sends all of b, until the deadline.
func (s *socket) Write(b []byte) (n int, err error) {
	s.mu.Lock()
	errno := unix.EAGAIN
	switch deadline := s.writing.deadline; {
	case s.fd < 0:
		err = net.ErrClosed
	case !deadline.IsZero() && !time.Now().Before(deadline):
		err = os.ErrDeadlineExceeded
	default:
		n, errno = send(uintptr(s.fd), b)
	}
	s.mu.Unlock()
	for err == nil && (errno == unix.EAGAIN || errno == 0 && n < len(b)) {
		err = s.await(&s.writing, unix.EPOLLOUT, func(fd uintptr) bool {
			var sent int
			sent, errno = send(fd, b[n:])
			n += sent
			return errno != unix.EAGAIN
		})
	}
	if err == nil && errno != 0 {
		err = os.NewSyscallError("write", errno)
	}
	if err != nil {
		err = s.fault("write", err)
	}
	return n, err
}

// await calls try, and again whenever one of the events has happened.
func (s *socket) await(d *side, events uint32, try func(fd uintptr) bool) error {
	by, err := s.begin(d, events)
	if err != nil {
		return err
	}
	err = by.raw.Read(func(uintptr) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.fd < 0 || try(uintptr(s.fd))
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	d.waiting = false
	if s.fd < 0 {
		return net.ErrClosed
	}
	return err
}

// begin gives a side a waiter for the events.
func (s *socket) begin(d *side, events uint32) (by *waiter, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return nil, net.ErrClosed
	}
	if d.by == nil {
		if d.by, err = takeWaiter(); err != nil {
			return nil, err
		}
		if err := d.by.until(d.deadline); err != nil {
			return nil, err
		}
	}
	if d.events != events {
		if err := d.by.watch(s.fd, events, d.events); err != nil {
			return nil, err
		}
		d.events = events
	}
	d.waiting = true
	return d.by, nil
}

// Close ends the connection, and whoever waits for it.
func (s *socket) Close() error {
	s.mu.Lock()
	if s.fd < 0 {
		s.mu.Unlock()
		return net.ErrClosed
	}
	shut(uintptr(s.fd))
	s.fd = -1
	sides := [2]side{s.reading, s.writing}
	s.mu.Unlock()
	for _, d := range sides {
		switch {
		case d.waiting:
			d.by.close() // returns when nobody waits any more
		case d.by != nil:
			d.by.release()
		}
	}
	return nil
}

// SetDeadline sets until when everything that waits may.
func (s *socket) SetDeadline(t time.Time) error { return s.limit(t, &s.reading, &s.writing) }

// SetReadDeadline sets until when reading may wait.
func (s *socket) SetReadDeadline(t time.Time) error { return s.limit(t, &s.reading) }

// SetWriteDeadline sets until when writing may wait.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.limit(t, &s.writing) }

func (s *socket) limit(t time.Time, sides ...*side) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return net.ErrClosed
	}
	for _, d := range sides {
		if d.deadline = t; d.by != nil && err == nil {
			err = d.by.until(t)
		}
	}
	return err
}

// Control calls f with the descriptor.
func (s *socket) Control(f func(fd uintptr)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return net.ErrClosed
	}
	f(uintptr(s.fd))
	return nil
}

// RemoteAddr is where the connection leads, a *net.TCPAddr.
func (s *socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// LocalAddr is where it comes from, a *net.TCPAddr; without an address once it
// is closed.
func (s *socket) LocalAddr() net.Addr {
	var from netip.AddrPort
	_ = s.Control(func(fd uintptr) { from = localName(fd) })
	return net.TCPAddrFromAddrPort(from)
}

// fault is an error as those of net are.
func (s *socket) fault(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: s.RemoteAddr(), Err: err}
}
