package schedule

import (
	"os"
	"sync/atomic"
	"time"

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

// fileAlarm is a timer that is a file.
type fileAlarm struct {
	clock *hostClock
	file  *os.File
	fd    int
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
	if err := a.file.SetReadDeadline(time.Time{}); err != nil { // it cannot be waited for without a thread
		a.free()
		return nil
	}
	return a
}

func (a *fileAlarm) set(d time.Duration) {
	_ = unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}, nil)
}

func (a *fileAlarm) wait() {
	var times [8]byte
	_, _ = a.file.Read(times[:])
}

func (a *fileAlarm) free() {
	a.file.Close()
	a.clock.alarms.Add(-1)
}
