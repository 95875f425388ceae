//go:build !linux

package probe

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// attested is for Linux: elsewhere the kernel is not asked when something had
// arrived, and no lateness is known.
func attested(conn net.Conn, _, _ time.Time) net.Conn { return conn }

// stampAll is for Linux.
func stampAll() {}

// hasSockets tells whether dialSocket can be called.
const hasSockets = false

func (d *dialer) dialSocket(context.Context, netip.AddrPort) (net.Conn, error) { panic("no sockets") }
