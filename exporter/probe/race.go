package probe

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// raceDelay is how long an address may be silent before the next is tried too,
// the "Connection Attempt Delay" of RFC 8305, section 8.
const raceDelay = 250 * time.Millisecond

// attempt is the result of one attempt to connect.
type attempt struct {
	index int
	conn  net.Conn
	err   error
}

// race is Happy Eyeballs (RFC 8305): every address has a head start over the next,
// and the first connection wins. All attempts have ended when it returns.
func (d *dialer) race(ctx context.Context, network string, to []netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan attempt, len(to))
	started, running := 0, 0
	start := func() {
		index := started
		started, running = started+1, running+1
		go func() {
			conn, err := d.dialAddress(ctx, network, to[index])
			ended <- attempt{index, conn, err}
		}()
	}
	start()
	timer := time.NewTimer(raceDelay)
	defer timer.Stop()
	faults := make([]error, len(to))
	for running > 0 {
		select {
		case <-timer.C:
		case a := <-ended:
			running--
			if a.err == nil {
				cancel()
				discardRest(ended, running)
				return a.conn, nil
			}
			faults[a.index] = a.err
		}
		if started < len(to) && ctx.Err() == nil {
			start()
			timer.Reset(raceDelay)
		}
	}
	return nil, d.mostTelling(faults[:started])
}

// discardRest waits for the other attempts, and closes connections that they still
// opened.
func discardRest(ended <-chan attempt, running int) {
	for range running {
		if a := <-ended; a.conn != nil {
			a.conn.Close()
		}
	}
}

// interleave alternates between the families, beginning with that of the first address,
// and keeps the order within each.
func interleave(to []netip.AddrPort) []netip.AddrPort {
	var same, other []netip.AddrPort
	for _, a := range to {
		if a.Addr().Is4() == to[0].Addr().Is4() {
			same = append(same, a)
		} else {
			other = append(other, a)
		}
	}
	mixed := make([]netip.AddrPort, 0, len(to))
	for i := range max(len(same), len(other)) {
		if i < len(same) {
			mixed = append(mixed, same[i])
		}
		if i < len(other) {
			mixed = append(mixed, other[i])
		}
	}
	return mixed
}
