//go:build !linux

package probe

import (
	"net"
	"time"
)

// withTimestamps is for Linux: on other systems we do not ask the kernel when data arrived,
// so lateness is unknown.
func withTimestamps(conn net.Conn, _, _ time.Time) net.Conn { return conn }

// enableTimestamps is for Linux.
func enableTimestamps() {}
