package probe

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attested gives a connection, opened between two times, what lateness needs:
// the kernel's own measure of the round trip that opened it, and a stamp on
// everything that is read of when it had arrived. Where the kernel does not
// tell, nothing is attested.
func attested(conn net.Conn, began, ended time.Time) net.Conn {
	s := stamps{opened: ended, own: ended.Sub(began)}
	switch c := conn.(type) {
	case *net.TCPConn:
		s.from, s.stream = c, true
		if s.own > asksFrom && !within(c.RemoteAddr()) {
			s.own -= roundTrip(c, s.own)
		}
		return &stampedTCP{TCPConn: c, stamps: s}
	case *net.UDPConn:
		s.from, s.own = c, 0 // nobody was waited for
		return &stampedUDP{UDPConn: c, stamps: s}
	}
	return conn
}

// within tells whether packets to an address stay on this host: then a round
// trip takes nothing but its CPU.
func within(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// asksFrom is how long opening a connection may take without the kernel being
// asked how much of it was the network's.
const asksFrom = 250 * time.Microsecond

// roundTrip is the time between the packet that opened a connection and its
// answer; everything, where a packet was lost and the kernel has no measure.
func roundTrip(conn *net.TCPConn, all time.Duration) time.Duration {
	raw, err := conn.SyscallConn()
	if err != nil {
		return all
	}
	var info *unix.TCPInfo
	failed := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
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

// stamps reads from a socket together with the times of arrival.
type stamps struct {
	from   syscall.Conn
	raw    syscall.RawConn // nil before the first read
	late   *lateness       // nil: nobody asks
	opened time.Time       // when the connection was open
	own    time.Duration   // that opening it took the exporter itself
	stream bool
	asked  bool // for stamps

	try     func(fd uintptr) bool // receive, made once
	into    []byte                // of the read under way
	n       int
	arrived int64 // the stamp: nanoseconds since the epoch, 0 without
	err     error
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

// Read reads, and notes how long what is read had been there.
func (c *stampedTCP) Read(b []byte) (int, error) { return c.read(b) }

// Read reads a packet, and notes how long it had been there.
func (c *stampedUDP) Read(b []byte) (int, error) { return c.read(b) }

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
	if s.raw == nil {
		raw, err := s.from.SyscallConn()
		if err != nil {
			return 0, err
		}
		s.raw, s.try = raw, s.receive
	}
	began := time.Now()
	s.late.wait(began)
	s.into = b
	err := s.raw.Read(s.try)
	if err == nil {
		err = s.err
	} else if s.n = 0; isTimeout(err) {
		_ = s.raw.Control(func(fd uintptr) { s.peek(fd) })
		if s.arrived != 0 {
			s.late.unread(min(time.Duration(time.Now().UnixNano()-s.arrived), time.Since(began)))
		}
	}
	s.into = nil
	s.resume(began, time.Now())
	return s.n, err
}

// resume notes the end of a read. What had been there before it began was not
// waited for: reading it was work.
func (s *stamps) resume(began, now time.Time) {
	switch late := time.Duration(now.UnixNano() - s.arrived); {
	case s.arrived == 0:
		s.late.resume(now, 0)
	case late < now.Sub(began):
		s.late.resume(now, late)
	default:
		s.late.resume(began, 0)
	}
}

// receive tries to read; false if there is nothing yet.
func (s *stamps) receive(fd uintptr) bool {
	if !s.asked { // a system that has no stamps goes without
		s.asked = true
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
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
	for {
		n, controls, _, _, err := unix.Recvmsg(int(fd), s.into, s.control[:], flags|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.EAGAIN) {
			return false
		}
		s.n = max(n, 0)
		switch {
		case err != nil:
			s.err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("recvmsg", err)}
		case n == 0 && s.stream:
			s.err = io.EOF
		}
		s.arrived = arrival(s.control[:controls])
		received(fd)
		return true
	}
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
