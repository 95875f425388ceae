//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filetree

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockFolder opens a folder and locks it until the file is closed: against all others,
// or with shared only against writers. It is a kernel lock, which ends with the process
// and leaves no file. On file systems without locks it returns nil.
func lockFolder(ctx context.Context, name string, shared bool, waiting func()) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	told := false
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			f.Close()
			return nil, nil //nolint:nilnil // no lock and no error: see above
		case !told && waiting != nil:
			told = true
			waiting()
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
