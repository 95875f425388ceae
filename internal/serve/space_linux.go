package serve

import "syscall"

// space is how many bytes of a directory's disk are free for this process, and its
// size.
func space(dir string) (free, size uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	block := uint64(s.Bsize) //nolint:gosec // never negative; 32 bits on some processors
	return s.Bavail * block, s.Blocks * block, nil
}
