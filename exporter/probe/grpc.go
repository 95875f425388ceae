package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/upheld-sla/upheld/sla"
)

var grpcReasons = []Reason{Health, Status, Protocol}

// maxGRPC bounds, in bytes, the response and its header.
const maxGRPC = 64 << 10

// grpcProber asks a server's health service, over a connection that it opens itself:
// gRPC would open its own in the background, and again if it fails.
type grpcProber struct {
	address   string
	authority string
	service   string
	metadata  metadata.MD
	timeout   time.Duration
	session   *session // nil: plain text
	dialer    *dialer
}

func newGRPC(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.GRPCCheck)
	if !ok {
		return nil, fmt.Errorf("a grpc prober was given a %T", check)
	}
	address, host, err := hostPortOf(c.Address)
	if err != nil {
		return nil, err
	}
	p := &grpcProber{address: address, authority: address, service: c.Service, metadata: metadata.New(c.Metadata), timeout: timeout, dialer: d}
	if c.TLS {
		if p.session, err = d.session(c.TLSOptions, host, "h2"); err != nil {
			return nil, err
		}
		if c.ServerName != "" {
			p.authority = p.session.conf.ServerName
		}
	}
	return p, nil
}

// Phases of a gRPC probe: the call is one of them.
func (p *grpcProber) Phases() []Phase {
	return append(connectPhases(p.address, p.session != nil), Processing)
}

// Probe connects and makes one call.
func (p *grpcProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	conn, fault := p.dialer.connect(ctx, p.address, p.session, &r)
	if fault != nil {
		return r.failed(fault)
	}
	defer closeNow(conn)
	if secured, ok := conn.(*tls.Conn); ok && secured.ConnectionState().NegotiatedProtocol != "h2" {
		return r.failed(&failure{Protocol, "answer of " + p.address + ": no HTTP/2 within TLS (ALPN)"})
	}
	start := time.Now()
	state, fault := p.call(ctx, conn, &r)
	r.phases.Add(Processing, time.Since(start))
	if fault != nil {
		return r.failed(fault)
	}
	if state != grpc_health_v1.HealthCheckResponse_SERVING {
		return r.failed(&failure{Health, clip(state.String())})
	}
	return r.good(state.String())
}

// call requests the health over conn.
func (p *grpcProber) call(ctx context.Context, conn net.Conn, r *run) (grpc_health_v1.HealthCheckResponse_ServingStatus, *failure) {
	watched := &watchedConn{Conn: conn}
	var answered answerWatch
	client, err := grpc.NewClient("passthrough:///"+p.address, p.options(watched, &answered)...)
	if err != nil {
		return 0, &failure{Protocol, "a gRPC client could not be made"}
	}
	defer client.Close()
	ctx = metadata.NewOutgoingContext(ctx, p.metadata)
	answer, err := grpc_health_v1.NewHealthClient(client).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: p.service})
	if err == nil {
		return answer.GetStatus(), nil
	}
	if answered.judged.Load() {
		r.captureExcerpt("gRPC "+status.Code(err).String(), []byte(status.Convert(err).Message()), p.secretTexts())
	}
	return 0, p.fault(ctx, err, &answered, watched.failure())
}

func (p *grpcProber) options(conn *watchedConn, answered *answerWatch) []grpc.DialOption {
	secure := insecure.NewCredentials()
	if p.session != nil {
		secure = spokenTLS{}
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(conn.once),
		grpc.WithAuthority(p.authority),
		grpc.WithUserAgent(p.dialer.env.UserAgent),
		grpc.WithStatsHandler(answered),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(), grpc.WithIdleTimeout(0),
		grpc.WithMaxHeaderListSize(maxGRPC),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxGRPC)),
	}
}

// secretTexts are the secrets that the call has sent.
func (p *grpcProber) secretTexts() (s secretTexts) {
	for _, values := range p.metadata {
		for _, value := range values {
			s.addAuthorization(value)
		}
	}
	return s
}

// fault names why a call failed. It does not quote the server's message, which could
// contain anything.
func (p *grpcProber) fault(ctx context.Context, err error, answered *answerWatch, broken error) *failure {
	at := stage{phase: Processing, address: p.address, what: "answer of " + p.address}
	code := status.Code(err)
	switch {
	case ctx.Err() != nil:
		return p.dialer.classify(ctx, ctx.Err(), at)
	case code == codes.DeadlineExceeded: // the server knows the deadline, too, and may be the first to give up
		return p.dialer.classify(ctx, context.DeadlineExceeded, at)
	case answered.judged.Load():
		return &failure{Status, "gRPC " + code.String()}
	case broken != nil: // and the client made the status from that error
		return p.dialer.classify(ctx, broken, at)
	case answered.begun.Load():
		return &failure{Status, "gRPC " + code.String()}
	}
	return &failure{Protocol, at.what + ": not gRPC"}
}

// watchedConn keeps the error that ended it, which gRPC only reports as text. It is
// used for one connection only.
type watchedConn struct {
	net.Conn
	taken atomic.Bool

	mu  sync.Mutex
	err error
}

var errOneConnection = errors.New("a probe has one connection")

func (c *watchedConn) once(context.Context, string) (net.Conn, error) {
	if c.taken.Swap(true) {
		return nil, errOneConnection
	}
	return c, nil
}

// Read is the connection's.
func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.note(err)
	return n, err
}

// Write is the connection's.
func (c *watchedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.note(err)
	return n, err
}

// Close closes the connection without TLS's close message, which could wait.
func (c *watchedConn) Close() error {
	closeNow(c.Conn)
	return nil
}

func (c *watchedConn) note(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) { // closed by this side
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

func (c *watchedConn) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// answerWatch sees how far the server answered the call. Its status comes in the
// trailers, and this distinguishes it from those that the client makes up.
type answerWatch struct{ begun, judged atomic.Bool }

// HandleRPC is called for the events of the call.
func (w *answerWatch) HandleRPC(_ context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.InHeader:
		w.begun.Store(true)
	case *stats.InTrailer:
		w.judged.Store(true)
	}
}

// TagRPC adds nothing.
func (*answerWatch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn adds nothing.
func (*answerWatch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn sees nothing.
func (*answerWatch) HandleConn(context.Context, stats.ConnStats) {}

// spokenTLS are the credentials of a connection that already speaks TLS.
type spokenTLS struct{}

type spokenInfo struct{ credentials.CommonAuthInfo }

// AuthType is "tls".
func (spokenInfo) AuthType() string { return "tls" }

// ClientHandshake does nothing, since the handshake is done.
func (spokenTLS) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, spokenInfo{credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}, nil
}

// ServerHandshake is not for clients.
func (spokenTLS) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.ErrUnsupported
}

// Info makes the scheme of calls https.
func (spokenTLS) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone is itself.
func (s spokenTLS) Clone() credentials.TransportCredentials { return s }

// OverrideServerName has no effect.
func (spokenTLS) OverrideServerName(string) error { return nil }
