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

// withTimestamps adds to a connection, opened between two times, what lateness
// needs: the kernel's own measure of the round trip that opened it, and the time
// of arrival of everything that is read. If the kernel does not provide them, the
// connection is returned as it is.
func withTimestamps(conn net.Conn, began, ended time.Time) net.Conn {
	switch c := conn.(type) {
	case *net.TCPConn:
		if raw, err := c.SyscallConn(); err == nil {
			return &stampedTCP{TCPConn: c, stamps: stampsOf(raw, c.RemoteAddr(), began, ended)}
		}
	case *net.UDPConn:
		if raw, err := c.SyscallConn(); err == nil {
			return &stampedUDP{UDPConn: c, stamps: stamps{from: raw, opened: ended}} // opening a UDP socket waits for nobody
		}
	}
	return conn
}

// stampsOf returns the stamps of a TCP connection.
func stampsOf(from syscall.RawConn, to net.Addr, began, ended time.Time) stamps {
	s := stamps{from: from, opened: ended, own: ended.Sub(began)}
	tcp, ok := to.(*net.TCPAddr)
	if ok && s.own > trustedConnectTime && !tcp.IP.IsLoopback() { // a round trip within this host is all CPU time
		s.own -= roundTrip(from, s.own)
	}
	return s
}

// trustedConnectTime is how fast a connection must open so that we do not ask the
// kernel how much of the time was the network's.
const trustedConnectTime = 250 * time.Microsecond

// roundTrip returns the time between the packet that opened a connection and its
// answer; all if a packet was lost, since the kernel then has no measure.
func roundTrip(from syscall.RawConn, all time.Duration) time.Duration {
	var info *unix.TCPInfo
	err := errors.ErrUnsupported
	failed := from.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if failed != nil || err != nil || info.Total_retrans > 0 {
		return all
	}
	return min(time.Duration(info.Rtt)*time.Microsecond, all)
}

// enableTimestamps makes the kernel stamp packets from now on. It does so while any
// socket requests it, but begins a moment after the first request, too late for the
// answer to that socket. So one socket requests it for as long as the process runs.
var enableTimestamps = sync.OnceFunc(func() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	}
})

// stamps reads from a socket, and notes when the data had arrived.
type stamps struct {
	from   syscall.RawConn
	late   *lateness     // nil: lateness is not measured
	opened time.Time     // when the connection was open
	own    time.Duration // the exporter's own part of the time that opening took
	asked  bool          // stamps have been requested of the socket
}

type stampedTCP struct {
	*net.TCPConn
	stamps
}

type stampedUDP struct {
	*net.UDPConn
	stamps
}

// Read reads, and notes how long the data had been there.
func (c *stampedTCP) Read(b []byte) (int, error) { return c.read(b, c.TCPConn) }

// Read reads a packet, and notes how long it had been there.
func (c *stampedUDP) Read(b []byte) (int, error) { return c.read(b, c.UDPConn) }

func (s *stamps) reportTo(r *run, wanted time.Time) {
	if r.late == nil {
		r.late = &lateness{lastWait: r.start}
	}
	s.late = r.late
	s.late.opened(wanted, s.opened, s.own)
}

// read waits until there is something to read, gets its stamp without consuming
// it, and leaves reading to the connection.
func (s *stamps) read(b []byte, conn io.Reader) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	began := time.Now()
	s.late.wait(began)
	var arrived int64
	var fault error
	err = s.from.Read(func(fd uintptr) bool {
		arrived, fault = s.peek(fd, b)
		return !errors.Is(fault, unix.EAGAIN)
	})
	switch {
	case isTimeout(err):
		arrived = s.unreadSince(b, began)
	case err == nil && fault != nil:
		err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("recvmsg", fault)}
	case err == nil:
		n, err = conn.Read(b)
	}
	s.resume(arrived, began, time.Now())
	return n, err
}

// unreadSince returns the stamp of data that a deadline kept from being read, 0 if
// there is none, and notes for how long it had been there.
func (s *stamps) unreadSince(b []byte, began time.Time) (arrived int64) {
	_ = s.from.Control(func(fd uintptr) { arrived, _ = s.peek(fd, b) })
	if now := time.Now(); arrived != 0 {
		s.late.foundUnread(min(late(arrived, began, now), now.Sub(began)))
	}
	return arrived
}

// peek returns the stamp of what could be read into b; 0 at the end of a
// connection. It returns an error of the socket, too, because the kernel reports
// that only once: a later read would not find it.
func (s *stamps) peek(fd uintptr, b []byte) (arrived int64, err error) {
	if !s.asked {
		s.asked = true
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1) // a system that has none goes without
	}
	var control [64]byte
	_, n, _, _, err := unix.Recvmsg(int(fd), b, control[:], unix.MSG_PEEK)
	if err != nil {
		return 0, err
	}
	return arrival(control[:n]), nil
}

// resume notes the end of a read. Data that had arrived before the read began was
// not waited for.
func (s *stamps) resume(arrived int64, began, now time.Time) {
	switch late := late(arrived, began, now); {
	case arrived == 0:
		s.late.resume(now, 0)
	case late < now.Sub(began):
		s.late.resume(now, late)
	default:
		s.late.resume(began, 0)
	}
}

// late returns how long before now something arrived. The stamp is by the clock of
// the time of day, and a probe's duration by the monotonic clock. time.Now reads
// one right after the other. If the process had no CPU in between, or the time of
// day was set, the two clocks differ by that time, which is added here.
func late(arrived int64, began, now time.Time) time.Duration {
	return time.Duration(now.UnixNano()-arrived) + clockDifference(began.UnixNano(), now.UnixNano(), now.Sub(began))
}

// clockDifference returns by how much less the time of day advanced than the
// monotonic clock.
func clockDifference(from, to int64, passed time.Duration) time.Duration {
	return max(passed-time.Duration(to-from), 0)
}

// arrival returns the stamp in control messages, 0 if there is none.
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
