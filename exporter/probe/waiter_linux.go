package probe

import (
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waiter lets goroutines wait for sockets. It is an epoll instance of its own,
// which Go's poller watches as a file; a socket is added to it by a system call
// that Go's scheduler is not told of. Waiters are used again and again: to make
// one is dear.
type waiter struct {
	file *os.File
	raw  syscall.RawConn
	fd   int
}

// maxIdleWaiters bounds how many are kept, each a file descriptor.
const maxIdleWaiters = 64

var waiters struct {
	sync.Mutex
	idle []*waiter
}

// takeWaiter is a waiter without sockets and without a deadline.
func takeWaiter() (*waiter, error) {
	waiters.Lock()
	if last := len(waiters.idle) - 1; last >= 0 {
		w := waiters.idle[last]
		waiters.idle = waiters.idle[:last]
		waiters.Unlock()
		return w, nil
	}
	waiters.Unlock()
	return newWaiter()
}

func newWaiter() (*waiter, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // which makes it a file for Go's poller
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	w := &waiter{file: os.NewFile(uintptr(fd), "epoll"), fd: fd}
	if w.raw, err = w.file.SyscallConn(); err == nil {
		err = w.until(time.Time{}) // an error if Go's poller does not watch it
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// release keeps a waiter, whose sockets have been closed, for the next one.
func (w *waiter) release() {
	_ = w.until(time.Time{})
	waiters.Lock()
	if len(waiters.idle) < maxIdleWaiters {
		waiters.idle = append(waiters.idle, w)
		w = nil
	}
	waiters.Unlock()
	if w != nil {
		w.close()
	}
}

// close ends the wait of whoever waits.
func (w *waiter) close() { w.file.Close() }

// until sets until when to wait; for ever if t is zero.
func (w *waiter) until(t time.Time) error { return w.file.SetReadDeadline(t) }

// watch makes events of a socket those that are waited for, instead of others.
func (w *waiter) watch(fd int, events, instead uint32) error {
	operation := uintptr(unix.EPOLL_CTL_ADD)
	if instead != 0 {
		operation = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{Events: events, Fd: int32(fd)}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(w.fd), operation, uintptr(fd), uintptr(unsafe.Pointer(&event)), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("epoll_ctl", errno)
	}
	return nil
}
