//go:build race

package probe

import "syscall"

// received tells the race detector that what a writer in this process did before
// it wrote comes before what its reader does. syscall.Read tells it, recvmsg
// does not; a read of no bytes takes none.
func received(fd uintptr) { _, _ = syscall.Read(int(fd), nil) }

// sending is the writer's half of that.
func sending(fd uintptr) { _, _ = syscall.Write(int(fd), nil) }
