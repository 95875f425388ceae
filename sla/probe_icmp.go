package sla

import (
	"fmt"
	"time"
)

// ICMPCheck sends echo requests and counts the replies.
type ICMPCheck struct {
	Host           string // a name or an address
	Packets        int    // of one probe; 1 by default
	PacketInterval time.Duration
	MaxLoss        Decimal // percentage of the packets that may stay unanswered; 0 by default
	PayloadSize    int     // bytes, 56 by default
	TTL            int     // hops that a packet may take; 0: as the system has it
}

// ProbeKind is "icmp".
func (*ICMPCheck) ProbeKind() string { return "icmp" }

// Target is the host.
func (c *ICMPCheck) Target() string { return ShownAddress(c.Host) }

// Words says what is sent.
func (c *ICMPCheck) Words() string {
	if c.Packets == 1 {
		return "ICMP echo to " + c.Target()
	}
	return fmt.Sprintf("%d ICMP echoes to %s, loss up to %s %%", c.Packets, c.Target(), c.MaxLoss)
}

// HostName is what is pinged.
func (c *ICMPCheck) HostName() string { return c.Host }

// WithTarget is the check of another host.
func (c *ICMPCheck) WithTarget(target string) Check { other := *c; other.Host = target; return &other }

// CheckAddress is why nothing can answer at the host.
func (c *ICMPCheck) CheckAddress() error { return CheckHost(c.Host) }
