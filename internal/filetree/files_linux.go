package filetree

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem writes out everything of the file system that holds dir.
func syncFileSystem(dir string) (done bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return true, err
	}
	defer f.Close()
	err = unix.Syncfs(int(f.Fd()))
	return !errors.Is(err, unix.ENOSYS), err
}

// openFile is os.OpenFile of a regular file without the six system calls by
// which that finds out that it is one.
func openFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	for {
		fd, err := unix.Open(name, flag|unix.O_CLOEXEC|unix.O_LARGEFILE|unix.O_NOFOLLOW, uint32(perm.Perm()))
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), name), nil
		case !errors.Is(err, unix.EINTR):
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// rename is os.Rename without looking at the new place before, which is for
// better messages about directories.
func rename(from, to string) error {
	for {
		err := unix.Rename(from, to)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EINTR):
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
	}
}
