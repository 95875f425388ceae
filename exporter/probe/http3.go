package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// quicConn is a QUIC connection with its socket and transport.
type quicConn struct {
	conn      *quic.Conn
	transport *quic.Transport
	socket    *packetsOnly
}

// cause returns the cause of an error of the connection if the error itself does not
// name it: the end of the probe's time, or packets that could not be sent. Other errors
// stay as they are.
func (q *quicConn) cause(ctx context.Context, err error) error {
	if q == nil {
		return err
	}
	if stream, ok := errors.AsType[*http3.Error](err); ok && !stream.Remote && stream.ErrorCode == http3.ErrCodeRequestCanceled && ctx.Err() != nil {
		return ctx.Err()
	}
	own, ok := errors.AsType[*quic.TransportError](err)
	if fault := q.socket.fault.Load(); ok && fault != nil && !own.Remote && own.ErrorCode == quic.InternalError {
		return *fault
	}
	return err
}

func (q *quicConn) close() {
	if q.conn != nil {
		_ = q.conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	}
	_ = q.transport.Close()
	_ = q.socket.Close()
}

// packetsOnly hides from QUIC that the socket is a UDP socket, so that it does not try
// to set its buffers, and log if it may not. It keeps the error of a packet that could
// not be sent.
type packetsOnly struct {
	net.PacketConn
	fault atomic.Pointer[error]
}

// WriteTo sends a packet.
func (p *packetsOnly) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := p.PacketConn.WriteTo(b, to)
	if err != nil {
		p.fault.CompareAndSwap(nil, &err)
	}
	return n, err
}

// SetReadBuffer leaves the buffer as it is: a probe is a few packets.
func (*packetsOnly) SetReadBuffer(int) error { return nil }

// SetWriteBuffer leaves the buffer as it is.
func (*packetsOnly) SetWriteBuffer(int) error { return nil }

// overHTTP3 sends a request over QUIC and reads the header of the response. The
// handshake, which also connects, is the phase TLS.
func (x *exchange) overHTTP3(ctx context.Context, o *outgoing, more []pair) (*http.Response, *failure) {
	if fault := x.dialQUIC(ctx, o); fault != nil {
		return nil, fault
	}
	client := (&http3.Transport{DisableCompression: true, MaxResponseHeaderBytes: maxHeader}).NewClientConn(x.quic.conn)
	return x.overClient(ctx, o, more, client.RoundTrip)
}

func (x *exchange) dialQUIC(ctx context.Context, o *outgoing) *failure {
	d, at := x.client.dialer, connecting(o.address)
	if err := d.checkName("udp", o.address); err != nil {
		return d.classify(ctx, err, at)
	}
	to, err := d.resolve(ctx, "udp", o.address, &x.run.phases)
	if err != nil {
		return d.classify(ctx, err, at)
	}
	if fault := d.checkAddress(o.url.Hostname(), to[0].Addr()); fault != nil {
		return fault
	}
	socket, err := d.packetSocket(to[0].Addr())
	if err != nil {
		return d.classify(ctx, err, at)
	}
	packets := &packetsOnly{PacketConn: socket}
	x.quic = &quicConn{transport: &quic.Transport{Conn: packets}, socket: packets}
	conf, facts, fault := x.client.session(o.url).config()
	if fault != nil {
		return fault
	}
	conf.MinVersion = tls.VersionTLS13
	start := time.Now()
	x.quic.conn, err = x.quic.transport.Dial(ctx, net.UDPAddrFromAddrPort(to[0]), conf, &quic.Config{HandshakeIdleTimeout: time.Until(x.run.deadline), MaxIdleTimeout: max(time.Until(x.run.deadline), time.Second)})
	x.run.phases.Add(TLS, time.Since(start))
	x.run.remote = to[0].Addr()
	return x.handshaken(ctx, o, facts(), start, err)
}

// handshaken judges the end of a QUIC handshake.
func (x *exchange) handshaken(ctx context.Context, o *outgoing, facts *TLSFacts, start time.Time, err error) *failure {
	x.run.keepTLSFacts(facts)
	if err == nil {
		err = x.client.session(o.url).checkExpiry(facts, start)
	}
	if err == nil {
		x.run.usesTLS = true
		return nil
	}
	at := stage{phase: TLS, address: o.address, what: "QUIC handshake with " + o.address}
	if transport, ok := errors.AsType[*quic.TransportError](err); ok && transport.ErrorCode.IsCryptoError() {
		if cause := errors.Unwrap(transport); cause != nil {
			err = cause
		}
	} else if silent, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return x.client.dialer.classify(ctx, silent, stage{phase: Connect, address: o.address, what: at.what})
	} else if _, ok := errors.AsType[*quic.HandshakeTimeoutError](err); ok || ctx.Err() != nil {
		return x.client.dialer.classify(ctx, context.DeadlineExceeded, stage{phase: Connect, address: o.address, what: at.what})
	}
	fault := x.client.dialer.classify(ctx, x.quic.cause(ctx, err), at)
	fault.detail += certificateWords(facts, fault.reason)
	return fault
}

// packetSocket is a socket for sending to an address, bound to the source.
func (d *dialer) packetSocket(to netip.Addr) (net.PacketConn, error) {
	network, local := "udp4", "0.0.0.0:0"
	if to.Is6() {
		network, local = "udp6", "[::]:0"
	}
	if source := d.network.Source; source.IsValid() {
		local = netip.AddrPortFrom(source, 0).String()
	}
	listen := net.ListenConfig{Control: d.env.Control}
	return listen.ListenPacket(context.Background(), network, local)
}
