package probe

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// attested gives a connection, opened between two times, what lateness needs:
// the kernel's own measure of the round trip that opened it, and a stamp on
// everything that is read of when it had arrived. Where the kernel does not
// tell, nothing is attested.
func attested(conn net.Conn, began, ended time.Time) net.Conn {
	switch c := conn.(type) {
	case *net.TCPConn:
		if raw, err := c.SyscallConn(); err == nil {
			to, _ := c.RemoteAddr().(*net.TCPAddr)
			return &stampedTCP{TCPConn: c, stamps: stampsOf(raw, to.AddrPort().Addr(), began, ended)}
		}
	case *net.UDPConn:
		if raw, err := c.SyscallConn(); err == nil {
			return &stampedUDP{UDPConn: c, stamps: stamps{from: raw, opened: ended}} // nobody was waited for
		}
	}
	return conn
}

// stampsOf are those of a TCP connection.
func stampsOf(from source, to netip.Addr, began, ended time.Time) stamps {
	s := stamps{from: from, stream: true, opened: ended, own: ended.Sub(began)}
	if s.own > asksFrom && !to.IsLoopback() { // a round trip within this host takes nothing but its CPU
		s.own -= roundTrip(from, s.own)
	}
	return s
}

// asksFrom is how long opening a connection may take without the kernel being
// asked how much of it was the network's.
const asksFrom = 250 * time.Microsecond

// roundTrip is the time between the packet that opened a connection and its
// answer; everything, where a packet was lost and the kernel has no measure.
func roundTrip(from source, all time.Duration) time.Duration {
	var info *unix.TCPInfo
	err := errors.ErrUnsupported
	failed := from.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if failed != nil || err != nil || info.Total_retrans > 0 {
		return all
	}
	return min(time.Duration(info.Rtt)*time.Microsecond, all)
}

// stampAll makes the kernel stamp packets from now on. It does while some socket
// wants it, but begins only a moment after the first does: too late for that
// one's answer. So one socket wants it for ever.
var stampAll = sync.OnceFunc(func() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	}
})

// source is what is read from by system calls: the descriptor of a connection.
type source interface {
	// Read calls try until it is true, whenever there may be something to read.
	Read(try func(fd uintptr) bool) error
	Control(f func(fd uintptr)) error
}

// stamps reads from a socket together with the times of arrival.
type stamps struct {
	from   source
	late   *lateness     // nil: nobody asks
	opened time.Time     // when the connection was open
	own    time.Duration // that opening it took the exporter itself
	stream bool
	asked  bool // for stamps

	try     func(fd uintptr) bool // receive, made once
	into    []byte                // of the read under way
	n       int
	arrived int64 // the stamp: nanoseconds since the epoch, 0 without
	err     error
	message unix.Msghdr
	parts   unix.Iovec
	control [64]byte
}

type stampedTCP struct {
	*net.TCPConn
	stamps
}

type stampedUDP struct {
	*net.UDPConn
	stamps
}

type stampedSocket struct {
	*socket
	stamps
}

// Read reads, and notes how long what is read had been there.
func (c *stampedTCP) Read(b []byte) (int, error) { return c.read(b) }

// Read reads a packet, and notes how long it had been there.
func (c *stampedUDP) Read(b []byte) (int, error) { return c.read(b) }

// Read reads, and notes how long what is read had been there.
func (c *stampedSocket) Read(b []byte) (int, error) { return c.read(b) }

func (s *stamps) reportTo(r *run, wanted time.Time) {
	if r.late == nil {
		r.late = &lateness{last: r.start}
	}
	s.late = r.late
	s.late.opened(wanted, s.opened, s.own)
}

func (s *stamps) read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if s.try == nil {
		s.try = s.receive
	}
	began := time.Now()
	s.late.wait(began)
	s.into = b
	err := s.from.Read(s.try)
	if err == nil {
		err = s.err
	} else if s.n = 0; isTimeout(err) {
		_ = s.from.Control(func(fd uintptr) { s.peek(fd) })
		if now := time.Now(); s.arrived != 0 {
			s.late.unread(min(late(s.arrived, began, now), now.Sub(began)))
		}
	}
	s.into, s.parts.Base = nil, nil
	s.resume(began, time.Now())
	return s.n, err
}

// resume notes the end of a read. What had been there before it began was not
// waited for: reading it was work.
func (s *stamps) resume(began, now time.Time) {
	switch late := late(s.arrived, began, now); {
	case s.arrived == 0:
		s.late.resume(now, 0)
	case late < now.Sub(began):
		s.late.resume(now, late)
	default:
		s.late.resume(began, 0)
	}
}

// late is how long before now something arrived. The stamp is of the clock that
// tells the time of day; the duration of a probe is by another, which time.Now
// reads right after it. A process that had no CPU in between the two, or whose
// clock was set, would lose that time; of two readings it shows as the
// difference between the clocks.
func late(arrived int64, began, now time.Time) time.Duration {
	return time.Duration(now.UnixNano()-arrived) + behind(began.UnixNano(), now.UnixNano(), now.Sub(began))
}

// behind is by how much the time of day went on less than time did.
func behind(from, to int64, passed time.Duration) time.Duration {
	return max(passed-time.Duration(to-from), 0)
}

// receive tries to read; false if there is nothing yet.
func (s *stamps) receive(fd uintptr) bool {
	if !s.asked {
		s.asked = true
		setOption(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW)
	}
	return s.receiveWith(fd, 0)
}

// peek looks for what arrived before a deadline and was not read in time.
func (s *stamps) peek(fd uintptr) {
	s.receiveWith(fd, unix.MSG_PEEK)
	s.n = 0
}

func (s *stamps) receiveWith(fd uintptr, flags int) bool {
	s.arrived, s.err = 0, nil
	s.parts.Base = &s.into[0]
	s.parts.SetLen(len(s.into))
	s.message = unix.Msghdr{Iov: &s.parts, Control: &s.control[0]}
	s.message.SetIovlen(1)
	s.message.SetControllen(len(s.control))
	n, errno := receive(fd, &s.message, flags)
	if errno == unix.EAGAIN {
		return false
	}
	s.n = n
	switch {
	case errno != 0:
		s.err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("recvmsg", errno)}
	case n == 0 && s.stream:
		s.err = io.EOF
	}
	s.arrived = arrival(s.control[:s.message.Controllen])
	return true
}

// arrival is the stamp among control messages, 0 if there is none.
func arrival(controls []byte) int64 {
	for len(controls) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(controls)
		if err != nil {
			return 0
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SO_TIMESTAMPNS_NEW && len(data) >= 16 {
			return int64(binary.NativeEndian.Uint64(data))*1e9 + int64(binary.NativeEndian.Uint64(data[8:]))
		}
		controls = rest
	}
	return 0
}
