package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// udpProber sends packets and waits for responses.
type udpProber struct {
	address string
	timeout time.Duration
	steps   []step
	dialer  *dialer
}

func newUDP(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.UDPCheck)
	if !ok {
		return nil, fmt.Errorf("a udp prober was given a %T", check)
	}
	address, _, err := hostPortOf(c.Address)
	if err != nil {
		return nil, err
	}
	steps, err := prepare(c.Dialogue, "")
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(steps, func(s step) bool { return s.expects() }) {
		return nil, errors.New("a udp probe must expect an answer: without one nothing is known")
	}
	for _, s := range steps {
		if s.startTLS {
			return nil, errors.New("UDP speaks no TLS")
		}
		if s.reply != "" {
			return nil, errors.New("a udp probe has no replies")
		}
	}
	return &udpProber{address: address, timeout: timeout, steps: steps, dialer: d}, nil
}

// Phases of a UDP probe.
func (p *udpProber) Phases() []Phase { return append(resolvePhases(p.address), Processing) }

// Probe runs the dialogue once.
func (p *udpProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	conn, fault := p.dialer.open(ctx, "udp", p.address, &r)
	if fault != nil {
		return r.failed(fault)
	}
	defer conn.Close()
	defer interruptible(ctx, conn)()
	buf := make([]byte, 64<<10)
	for i := range p.steps {
		s := &p.steps[i]
		unmatched := 0
		var err error
		if s.expects() {
			start := time.Now()
			unmatched, err = s.awaitPacket(conn, buf, func(packet []byte) { r.captureExcerpt("", packet, sentTexts(p.steps)) })
			r.phases.Add(Processing, time.Since(start))
		} else {
			_, err = conn.Write(s.send)
		}
		if err == nil {
			continue
		}
		fault := p.dialer.classify(ctx, err, stage{phase: Processing, address: p.address, what: s.what})
		if unmatched > 0 {
			fault.detail += fmt.Sprintf("; received %s, and not what is expected", count(unmatched, "packet"))
		}
		return r.failed(fault)
	}
	return r.good(dialogueDetail(p.steps))
}

// awaitPacket reads packets until one is what the step expects. It counts the
// others, and passes the first of them to other.
func (s *step) awaitPacket(conn net.Conn, buf []byte, other func([]byte)) (unmatched int, err error) {
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return unmatched, err
		}
		if s.match != nil && s.match.Match(buf[:n]) || s.bytes != nil && bytes.Contains(buf[:n], s.bytes) {
			return unmatched, nil
		}
		if unmatched++; unmatched == 1 {
			other(buf[:n])
		}
	}
}
