package blackbox

import (
	"context"
	"crypto/tls"
	"net"
)

// probeTCP connects, begins TLS if the module says so, and goes through the
// dialogue.
func probeTCP(ctx context.Context, a *attempt) bool {
	c := &a.module.TCP
	host, port, err := net.SplitHostPort(a.target)
	if err != nil {
		a.log.Error("Error splitting target address and port", "err", err)
		return false
	}
	conn, err := a.dialTCP(ctx, host, port)
	if err != nil {
		a.log.Error("Error dialing TCP", "err", err)
		return false
	}
	t := &lineDialogue{attempt: a, conf: &c.TLSConfig, host: host, lists: c.CheckRevoked.on}
	return t.run(ctx, conn, c.TLS, c.QueryResponse)
}

func (a *attempt) dialTCP(ctx context.Context, host, port string) (net.Conn, error) {
	c := &a.module.TCP
	ip, _, err := a.resolve(ctx, host, c.IPProtocol, c.IPProtocolFallback)
	if err != nil {
		return nil, err
	}
	source, err := a.source(c.SourceIPAddress)
	if err != nil {
		return nil, err
	}
	a.log.Debug("Dialing TCP", "tls", c.TLS)
	return a.opts.Network.Dial(ctx, family("tcp", ip.IP), net.JoinHostPort(ip.String(), port), source)
}

// probeUnix connects to a Unix socket, begins TLS if the module says so, and goes
// through the dialogue.
func probeUnix(ctx context.Context, a *attempt) bool {
	if a.refusal = a.opts.Network.Socket(a.target); a.refusal != nil {
		a.log.Error("Error dialing unix", "err", a.refusal)
		return false
	}
	c := &a.module.Unix
	a.log.Debug("Dialing unix", "tls", c.TLS)
	conn, err := a.opts.Network.Dial(ctx, "unix", a.target, nil)
	if err != nil {
		a.log.Error("Error dialing unix", "err", err)
		return false
	}
	t := &lineDialogue{attempt: a, conf: &c.TLSConfig, host: a.target, lists: c.CheckRevoked.on}
	return t.run(ctx, conn, c.TLS, c.QueryResponse)
}

// closeNow closes a connection at once. It closes the connection below a TLS
// session, because closing the session could wait for the peer.
func closeNow(conn net.Conn) {
	if session, ok := conn.(*tls.Conn); ok {
		conn = session.NetConn()
	}
	conn.Close()
}
