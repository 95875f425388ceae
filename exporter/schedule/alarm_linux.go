package schedule

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostClock has alarms of the kernel. A timer of Go rings by the millisecond
// only, wakes up twice for one that lies between two, and a second thread to
// look for more work; a timer that is a file wakes up the goroutine that reads
// it, to the microsecond.
type hostClock struct {
	systemClock
	alarms atomic.Int32 // that are open
}

// maxAlarms bounds the files that are taken. With more probes under way the
// process is busy, and waking up costs less.
const maxAlarms = 24

// fileAlarm is a timer that is a file. It is read and set by system calls that
// Go's scheduler is not told of, because they never wait: telling it wakes up
// the thread that watches those that do, every time.
type fileAlarm struct {
	clock *hostClock
	file  *os.File
	raw   syscall.RawConn
	fd    int
	rung  [8]byte               // how often since it was read
	read  func(fd uintptr) bool // made once
}

// newAlarm is nil where there can be none.
func (c *hostClock) newAlarm() alarm {
	if c.alarms.Add(1) > maxAlarms {
		c.alarms.Add(-1)
		return nil
	}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		c.alarms.Add(-1)
		return nil
	}
	a := &fileAlarm{clock: c, file: os.NewFile(uintptr(fd), "alarm"), fd: fd}
	if a.raw, err = a.file.SyscallConn(); err == nil {
		err = a.file.SetReadDeadline(time.Time{}) // an error if it cannot be waited for without a thread
	}
	if err != nil {
		a.free()
		return nil
	}
	a.read = func(fd uintptr) bool {
		_, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&a.rung)), unsafe.Sizeof(a.rung))
		return errno != unix.EAGAIN
	}
	return a
}

func (a *fileAlarm) set(d time.Duration) {
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}
	_, _, _ = unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(a.fd), 0, uintptr(unsafe.Pointer(&once)), 0, 0, 0)
}

func (a *fileAlarm) wait() { _ = a.raw.Read(a.read) }

func (a *fileAlarm) free() {
	a.file.Close()
	a.clock.alarms.Add(-1)
}
