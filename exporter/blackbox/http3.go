package blackbox

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// quicTransport is a transport of HTTP/3 and the sockets that it has opened.
type quicTransport struct {
	http3.Transport
	hops    *hops
	sockets []*quic.Transport
}

func (h *hops) quic(conf *tls.Config) roundTripCloser {
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS13)
	t := &quicTransport{hops: h}
	t.TLSClientConfig = conf
	t.QUICConfig = &quic.Config{}
	t.DisableCompression = true
	t.Dial = t.dial
	return t
}

func (t *quicTransport) dial(ctx context.Context, address string, conf *tls.Config, quicConf *quic.Config) (*quic.Conn, error) {
	to, err := t.hops.udpAddress(ctx, address)
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP(family("udp", to.IP), nil)
	if err != nil {
		return nil, err
	}
	transport := &quic.Transport{Conn: socket}
	t.sockets = append(t.sockets, transport)
	trace := t.hops.trace() // connecting and the handshake are one here, and take the same time
	trace.ConnectStart("udp", to.String())
	trace.TLSHandshakeStart()
	conn, err := transport.DialEarly(ctx, to, conf, quicConf)
	trace.TLSHandshakeDone(tls.ConnectionState{}, err)
	trace.ConnectDone("udp", to.String(), err)
	return conn, err
}

// RoundTrip sends a request.
func (t *quicTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.Transport.RoundTrip(r)
}

// CloseIdleConnections closes everything.
func (t *quicTransport) CloseIdleConnections() {
	t.Close()
	for _, s := range t.sockets {
		s.Close()
		s.Conn.Close()
	}
}
