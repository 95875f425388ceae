//go:build unix

package descriptors

import "syscall"

// limit is how many files this process may have open; 0 if unknown. Go has already
// raised the soft limit to the hard one.
func limit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<30))
}
