//go:build !linux

package filetree

import "os"

// syncFileSystem is not possible here; files are synced one by one.
func syncFileSystem(string) (done bool, err error) { return false, nil }

func openFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func rename(from, to string) error { return os.Rename(from, to) }
