package probe

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of sockets that never wait, made by RawSyscall: Go's
// scheduler is not told. What they are given pointers to does not move, because
// it is part of the call.

// newStream is a TCP socket that does not wait, nor hold back what is written.
func newStream(family int) (int, error) {
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if errno != 0 {
		return -1, os.NewSyscallError("socket", errno)
	}
	setOption(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
	return int(fd), nil
}

// setOption turns an option on. A system that does not have it goes without.
func setOption(fd uintptr, level, option int) {
	on := int32(1)
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&on)), unsafe.Sizeof(on), 0)
}

// send sends some of b.
func send(fd uintptr, b []byte) (int, syscall.Errno) {
	if len(b) == 0 {
		return 0, 0
	}
	sending(fd)
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// receive receives a message.
func receive(fd uintptr, m *unix.Msghdr, flags int) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(m)), uintptr(flags|unix.MSG_DONTWAIT))
		if errno == 0 {
			received(fd)
			return int(n), 0
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// shut closes a descriptor. Nothing is to be done about an error.
func shut(fd uintptr) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0) }

// name is an address as the kernel wants it.
type name struct {
	six  unix.RawSockaddrInet6
	four unix.RawSockaddrInet4
	is4  bool
}

func newName(a netip.AddrPort) name {
	n := name{is4: a.Addr().Is4()}
	port := [2]byte{byte(a.Port() >> 8), byte(a.Port())}
	if n.is4 {
		n.four = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4()}
		*(*[2]byte)(unsafe.Pointer(&n.four.Port)) = port
	} else {
		n.six = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.Addr().As16()}
		*(*[2]byte)(unsafe.Pointer(&n.six.Port)) = port
	}
	return n
}

func (n *name) family() int {
	if n.is4 {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// connect begins to connect a socket, or tells how far that is: EINPROGRESS or
// EALREADY while it is under way.
func (n *name) connect(fd uintptr) syscall.Errno {
	var errno syscall.Errno
	if n.is4 {
		_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&n.four)), unix.SizeofSockaddrInet4)
	} else {
		_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&n.six)), unix.SizeofSockaddrInet6)
	}
	if errno == unix.EISCONN {
		return 0
	}
	return errno
}

// isOwnOf tells whether a socket is connected to itself: where nobody listens
// on a port, the kernel may have picked that very port to connect from.
func (n *name) isOwnOf(fd uintptr) bool {
	own := localName(fd)
	return own.IsValid() && newName(own) == *n
}

// localName is the address that a socket is bound to.
func localName(fd uintptr) netip.AddrPort {
	var raw unix.RawSockaddrInet6 // has room for both
	size := uint32(unix.SizeofSockaddrInet6)
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, fd, uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)))
	port := (*[2]byte)(unsafe.Pointer(&raw.Port)) // at the same place in both
	number := uint16(port[0])<<8 | uint16(port[1])
	switch {
	case errno != 0:
	case raw.Family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&raw)).Addr), number)
	case raw.Family == unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(raw.Addr), number)
	}
	return netip.AddrPort{}
}
