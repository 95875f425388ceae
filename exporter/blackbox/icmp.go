package blackbox

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// defaultPayload is the size of an echo in bytes if the module names none.
const defaultPayload = 28

// echo is one ICMP echo under way.
type echo struct {
	*attempt
	to      net.IP
	source  net.IP
	conn    net.PacketConn   // of datagrams or, for privilege, of raw IP
	v4      *ipv4.PacketConn // conn, if that is its version of IP
	v6      *ipv6.PacketConn // likewise
	raw     bool
	id, seq uint16
	payload []byte
}

// probeICMP sends one echo request and waits for the reply.
func probeICMP(ctx context.Context, a *attempt) bool {
	for _, phase := range []string{"resolve", "setup", "rtt"} {
		a.out.set("probe_icmp_duration_seconds", 0, phase)
	}
	c := &a.module.ICMP
	ip, took, err := a.resolve(ctx, a.target, c.IPProtocol, c.IPProtocolFallback)
	if err != nil {
		return false
	}
	a.out.set("probe_icmp_duration_seconds", took, "resolve")
	e := &echo{attempt: a, to: ip.IP}
	if e.source, err = a.source(c.SourceIPAddress); err != nil {
		return false
	}
	start := time.Now()
	if !e.open() {
		return false
	}
	defer e.conn.Close()
	defer context.AfterFunc(ctx, func() { _ = e.conn.SetDeadline(time.Unix(1, 0)) })()
	packet, ok := e.packet()
	if !ok {
		return false
	}
	a.out.set("probe_icmp_duration_seconds", time.Since(start).Seconds(), "setup")
	sent := time.Now()
	if err := e.send(packet, ip.Zone); err != nil {
		a.log.Warn("Error writing to socket", "err", err)
		return false
	}
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil {
		_ = e.conn.SetReadDeadline(deadline)
	}
	hops, err := e.readReply()
	if err != nil {
		a.log.Warn("Timeout reading from socket", "err", err)
		return false
	}
	a.out.set("probe_icmp_duration_seconds", time.Since(sent).Seconds(), "rtt")
	if hops >= 0 {
		a.out.set("probe_icmp_reply_hop_limit", float64(hops))
	}
	a.log.Debug("Found matching reply packet")
	return true
}

func (e *echo) isIPv4() bool { return e.to.To4() != nil }

// open opens a socket for echoes, if possible one that needs no privilege. Only a
// raw socket, which needs it, can forbid fragments.
func (e *echo) open() bool {
	free, raw, local := "udp4", "ip4:icmp", "0.0.0.0"
	if !e.isIPv4() {
		free, raw, local = "udp6", "ip6:ipv6-icmp", "::"
	}
	if e.source != nil {
		local = e.source.String()
	}
	if !e.module.ICMP.DontFragment || !e.isIPv4() {
		conn, err := icmp.ListenPacket(free, local)
		if err == nil {
			e.conn, e.v4, e.v6 = conn, conn.IPv4PacketConn(), conn.IPv6PacketConn()
			return true
		}
		e.log.Debug("Unable to do unprivileged listen on socket, will attempt privileged", "err", err)
	}
	conn, err := net.ListenPacket(raw, local)
	if err != nil {
		e.log.Error("Error listening to socket; allow net.ipv4.ping_group_range or CAP_NET_RAW", "err", err)
		return false
	}
	e.conn, e.raw = conn, true
	// A raw socket gets every ICMP packet of the host; only replies are wanted.
	if e.isIPv4() {
		e.v4 = ipv4.NewPacketConn(conn)
		var f ipv4.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv4.ICMPTypeEchoReply)
		_ = e.v4.SetICMPFilter(&f)
	} else {
		e.v6 = ipv6.NewPacketConn(conn)
		var f ipv6.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv6.ICMPTypeEchoReply)
		_ = e.v6.SetICMPFilter(&f)
	}
	return true
}

// packet makes the request. Its payload is random, so that the reply to another
// request is not taken for its own.
func (e *echo) packet() ([]byte, bool) {
	size := e.module.ICMP.PayloadSize
	if size == 0 {
		size = defaultPayload
	}
	e.payload = make([]byte, max(size, 0))
	_, _ = rand.Read(e.payload)
	var names [4]byte
	_, _ = rand.Read(names[:])
	e.id, e.seq = binary.BigEndian.Uint16(names[:]), binary.BigEndian.Uint16(names[2:])
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(e.id), Seq: int(e.seq), Data: e.payload}}
	if !e.isIPv4() {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	packet, err := m.Marshal(nil)
	if err != nil {
		e.log.Error("Error marshalling packet", "err", err)
	}
	return packet, err == nil
}

func (e *echo) send(packet []byte, zone string) error {
	ttl := e.module.ICMP.TTL
	if e.module.ICMP.DontFragment && e.isIPv4() {
		raw, err := ipv4.NewRawConn(e.conn)
		if err != nil {
			return err
		}
		e.setHopLimits(0) // requests have their hop limit in the header
		return raw.WriteTo(&ipv4.Header{
			Version: ipv4.Version, Len: ipv4.HeaderLen, TotalLen: ipv4.HeaderLen + len(packet),
			Protocol: 1, TTL: ttl, Flags: ipv4.DontFragment, Dst: e.to, Src: e.source,
		}, packet, nil)
	}
	e.setHopLimits(ttl)
	if e.raw {
		_, err := e.conn.WriteTo(packet, &net.IPAddr{IP: e.to, Zone: zone})
		return err
	}
	_, err := e.conn.WriteTo(packet, &net.UDPAddr{IP: e.to, Zone: zone})
	return err
}

// setHopLimits sets the hop limit of requests, and has replies come with theirs.
func (e *echo) setHopLimits(ttl int) {
	var err error
	if e.v4 != nil {
		if ttl > 0 {
			_ = e.v4.SetTTL(ttl)
		}
		err = e.v4.SetControlMessage(ipv4.FlagTTL, true)
	} else {
		if ttl > 0 {
			_ = e.v6.SetHopLimit(ttl)
		}
		err = e.v6.SetControlMessage(ipv6.FlagHopLimit, true)
	}
	if err != nil {
		e.log.Debug("The hop limit of the reply cannot be had", "err", err)
	}
}

// readReply reads packets until one is the reply. It returns the reply's hop limit,
// or -1 if the system does not report it.
func (e *echo) readReply() (hops int, err error) {
	buf := make([]byte, 64<<10)
	for {
		var n int
		var from net.Addr
		hops = -1
		if e.v4 != nil {
			var cm *ipv4.ControlMessage
			if n, cm, from, err = e.v4.ReadFrom(buf); cm != nil {
				hops = cm.TTL
			}
		} else {
			var cm *ipv6.ControlMessage
			if n, cm, from, err = e.v6.ReadFrom(buf); cm != nil {
				hops = cm.HopLimit
			}
		}
		if err != nil {
			return -1, err
		}
		if e.isReply(buf[:n], from) {
			return hops, nil
		}
	}
}

// isReply reports whether a packet is the reply to the request. On sockets that
// need no privilege the kernel sets the ID itself, and sorts replies by it.
func (e *echo) isReply(packet []byte, from net.Addr) bool {
	protocol := 1
	if !e.isIPv4() {
		protocol = 58
	}
	m, err := icmp.ParseMessage(protocol, packet)
	if err != nil || m.Type != ipv4.ICMPTypeEchoReply && m.Type != ipv6.ICMPTypeEchoReply {
		return false
	}
	body, ok := m.Body.(*icmp.Echo)
	return ok && body.Seq == int(e.seq) && (!e.raw || body.ID == int(e.id)) && string(body.Data) == string(e.payload) && e.isFrom(from)
}

func (e *echo) isFrom(from net.Addr) bool {
	var ip net.IP
	switch a := from.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	got, ok := netip.AddrFromSlice(ip)
	want, known := netip.AddrFromSlice(e.to)
	return ok && known && got.Unmap() == want.Unmap()
}
