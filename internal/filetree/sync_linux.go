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
