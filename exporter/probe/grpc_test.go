package probe_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// healthServer runs a real gRPC server with the standard health service; cert
// may be nil. meet sees the context of each call, and may fail it.
func healthServer(t testing.TB, cert *tls.Certificate, meet func(context.Context) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var options []grpc.ServerOption
	if cert != nil {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(cert)))
	}
	options = append(options, grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if meet != nil {
			if err := meet(ctx); err != nil {
				return nil, err
			}
		}
		return next(ctx, req)
	}))
	srv := grpc.NewServer(options...)
	states := health.NewServer()
	states.SetServingStatus("shop.Orders", grpc_health_v1.HealthCheckResponse_SERVING)
	states.SetServingStatus("shop.Mail", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	grpc_health_v1.RegisterHealthServer(srv, states)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Stop()
		<-done
	})
	return l.Addr().String()
}

func TestGRPC(t *testing.T) {
	ca := newAuthority()
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	env := probe.Env{RootCAs: ca.pool(), UserAgent: "upheld-test"}
	plain, secure := healthServer(t, nil, nil), healthServer(t, &cert, nil)
	byName := strings.Replace(secure, "127.0.0.1", "localhost", 1)
	for name, check := range map[string]*sla.GRPCCheck{
		"the server":        {Address: plain},
		"a service":         {Address: plain, Service: "shop.Orders"},
		"over TLS":          {Address: secure, TLS: true, Service: "shop.Orders"},
		"over TLS, by name": {Address: byName, TLS: true, TLSOptions: sla.TLSOptions{CertificateValidFor: time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			if r := mustBeGood(t, env, check); r.Detail != "SERVING" || (r.TLS != nil) != check.TLS {
				t.Errorf("%+v", r)
			}
		})
	}
	var mu sync.Mutex
	var got metadata.MD
	from := map[string]bool{}
	address := healthServer(t, nil, func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		got, _ = metadata.FromIncomingContext(ctx)
		p, _ := peer.FromContext(ctx)
		from[p.Addr.String()] = true
		return nil
	})
	for range 3 {
		mustBeGood(t, env, &sla.GRPCCheck{Address: address, Metadata: map[string]string{"x-tenant": "shop"}})
	}
	if got.Get("x-tenant")[0] != "shop" || !strings.HasPrefix(got.Get("user-agent")[0], "upheld-test") || got.Get(":authority")[0] != address {
		t.Errorf("the server saw %v", got)
	}
	if len(from) != 3 {
		t.Errorf("3 probes came over %d connections", len(from))
	}
}

func TestGRPCFailures(t *testing.T) {
	ca := newAuthority()
	trusting := probe.Env{RootCAs: ca.pool()}
	valid := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	expired := ca.sign(t, "localhost", time.Now().Add(-time.Hour))
	plain := healthServer(t, nil, nil)
	hang := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	// preface talks as an HTTP/2 server does until the first request is there.
	preface := func(then func(*http2.Framer, net.Conn)) string {
		return rawServer(t, func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
			f := http2.NewFramer(c, c)
			_ = f.WriteSettings()
			for {
				frame, err := f.ReadFrame()
				if err != nil {
					return
				}
				if _, ok := frame.(*http2.HeadersFrame); ok {
					then(f, c)
					return
				}
			}
		})
	}
	bare := grpc.NewServer()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = bare.Serve(l) }()
	t.Cleanup(bare.Stop)
	failing503 := healthServer(t, nil, func(context.Context) error { return status.Error(codes.Unavailable, "s3cret") })
	stuck := healthServer(t, nil, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	h2web := httptest.NewUnstartedServer(http.NotFoundHandler())
	h2web.EnableHTTP2 = true
	h2web.TLS = &tls.Config{Certificates: []tls.Certificate{valid}}
	h2web.StartTLS()
	t.Cleanup(h2web.Close)
	at := func(address string) *sla.GRPCCheck { return &sla.GRPCCheck{Address: address} }
	C, P := probe.Connect, probe.Processing
	checkFailures(t, []failing{
		{name: "refused", check: at(closedPort(t)), want: probe.ConnectRefused, outcome: probe.Bad, phases: []probe.Phase{C}},
		{name: "not serving", check: &sla.GRPCCheck{Address: plain, Service: "shop.Mail"}, want: probe.Health, outcome: probe.Bad, detail: "NOT_SERVING"},
		{name: "unknown service", check: &sla.GRPCCheck{Address: plain, Service: "shop.Nothing"}, want: probe.Status, outcome: probe.Bad, detail: "gRPC NotFound"},
		{name: "no health service", check: at(l.Addr().String()), want: probe.Status, outcome: probe.Bad, detail: "gRPC Unimplemented"},
		{name: "the server says unavailable", check: at(failing503), want: probe.Status, outcome: probe.Bad, detail: "gRPC Unavailable"},
		{name: "the call hangs", check: at(stuck), timeout: patience, want: probe.Timeout, outcome: probe.Bad, phases: []probe.Phase{C, P}},
		{name: "silence", check: at(rawServer(t, hang)), timeout: patience, want: probe.Timeout, outcome: probe.Bad, phases: []probe.Phase{C, P}},
		{name: "closed at once", check: at(rawServer(t, func(net.Conn) {})), want: probe.Reset, outcome: probe.Bad},
		{name: "closed before the answer", check: at(preface(func(*http2.Framer, net.Conn) {})), want: probe.Reset, outcome: probe.Bad},
		{name: "reset before the answer", check: at(preface(func(_ *http2.Framer, c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })), want: probe.Reset, outcome: probe.Bad},
		{name: "garbage", check: at(rawServer(t, func(c net.Conn) {
			answer("HTTP/1.1 400 Bad Request\r\n\r\n" + strings.Repeat("s3cret", 100))(c)
			hang(c)
		})), want: probe.Protocol, outcome: probe.Bad},
		{name: "garbage within HTTP/2", check: at(preface(func(_ *http2.Framer, c net.Conn) {
			_, _ = c.Write(bytes.Repeat([]byte{0xff}, 100_000))
			hang(c)
		})), want: probe.Protocol, outcome: probe.Bad},
		{name: "settings without end", check: at(preface(func(f *http2.Framer, c net.Conn) {
			go hang(c)
			for f.WritePing(false, [8]byte{}) == nil {
			}
		})), timeout: patience, want: probe.Timeout, outcome: probe.Bad},
		{name: "expired", check: &sla.GRPCCheck{Address: healthServer(t, &expired, nil), TLS: true}, env: trusting, want: probe.TLSExpired, outcome: probe.Bad},
		{name: "no HTTP/2 in TLS", check: &sla.GRPCCheck{Address: tlsEcho(t, valid), TLS: true}, env: trusting, want: probe.Protocol, outcome: probe.Bad, detail: "ALPN"},
		{name: "a web server", check: &sla.GRPCCheck{Address: h2web.Listener.Addr().String(), TLS: true}, env: trusting, want: probe.Protocol, outcome: probe.Bad, detail: "not gRPC"},
		{name: "plain text to TLS", check: at(healthServer(t, &valid, nil)), env: trusting, want: probe.Reset, outcome: probe.Bad},
		{name: "TLS to plain text", check: &sla.GRPCCheck{Address: plain, TLS: true}, env: trusting, want: probe.TLSOther, outcome: probe.Bad},
	})
}
