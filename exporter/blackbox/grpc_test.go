package blackbox

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func grpcServer(t *testing.T, answers bool, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	needsToken := func(ctx context.Context, r any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if md, _ := metadata.FromIncomingContext(ctx); r.(*grpc_health_v1.HealthCheckRequest).Service == "closed" && len(md.Get("x-token")) == 0 {
			return nil, status.Error(codes.PermissionDenied, "no token")
		}
		return next(ctx, r)
	}
	s := grpc.NewServer(append(options, grpc.UnaryInterceptor(needsToken))...)
	if answers {
		h := health.NewServer()
		h.SetServingStatus("down", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
		h.SetServingStatus("unknown", grpc_health_v1.HealthCheckResponse_UNKNOWN)
		h.SetServingStatus("closed", grpc_health_v1.HealthCheckResponse_SERVING)
		grpc_health_v1.RegisterHealthServer(s, h)
	}
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	return listener.Addr().String()
}

func TestGRPC(t *testing.T) {
	ca := newAuthority(t)
	p := newPair(t, strings.ReplaceAll(`
modules:
  all: {prober: grpc, timeout: 3s, grpc: {}}
  bare: {prober: grpc, timeout: 3s}
  ip4: {prober: grpc, timeout: 3s, grpc: {preferred_ip_protocol: ip4}}
  down: {prober: grpc, timeout: 3s, grpc: {service: down}}
  unknown: {prober: grpc, timeout: 3s, grpc: {service: unknown}}
  missing: {prober: grpc, timeout: 3s, grpc: {service: missing}}
  closed: {prober: grpc, timeout: 3s, grpc: {service: closed}}
  open: {prober: grpc, timeout: 3s, grpc: {service: closed, metadata: {x-token: [t0ken]}}}
  tls: {prober: grpc, timeout: 3s, grpc: {tls: true, tls_config: {ca_file: CA}}}
  tls_system: {prober: grpc, timeout: 3s, grpc: {tls: true}}
  tls_skip: {prober: grpc, timeout: 3s, grpc: {tls: true, tls_config: {insecure_skip_verify: true}}}
  tls_named: {prober: grpc, timeout: 3s, grpc: {tls: true, tls_config: {ca_file: CA, server_name: other.example}}}
`, "CA", ca.file))
	plain, bare := grpcServer(t, true), grpcServer(t, false)
	creds := func(names ...string) grpc.ServerOption {
		return grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, names...)}}))
	}
	secure, other := grpcServer(t, true, creds("127.0.0.1", "localhost")), grpcServer(t, true, creds("other.example"))
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	seen := []string{"probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_info", "probe_tls_version_info"}
	for _, c := range []struct {
		module, target string
		success        bool
		without        []string
	}{
		{"all", plain, true, nil},
		{"all", "http://" + plain + "/path", true, nil},
		{"down", plain, false, nil},
		{"bare", plain, false, nil},
		{"unknown", plain, false, nil},
		{"missing", plain, false, nil},
		{"closed", plain, false, nil},
		{"open", plain, true, nil},
		{"all", bare, false, nil},
		{"all", "127.0.0.1:1", false, nil},
		{"ip4", strings.Replace(plain, "127.0.0.1", "localhost", 1), true, nil},
		{"all", "nonexistent.invalid:1", false, nil},
		{"all", strings.TrimPrefix(web.URL, "http://"), false, nil},
		{"tls", secure, true, nil},
		{"tls_skip", other, true, nil},
		{"tls_named", other, true, nil},
		{"tls", other, false, seen},
		{"tls_system", secure, false, seen},
		{"tls", plain, false, nil},
		{"all", "http://[::1", false, nil},
	} {
		t.Run(c.module+" "+c.target, func(t *testing.T) {
			got := p.both(t, query(c.module, c.target), nil, c.without...)
			if want := map[bool]string{true: "1", false: "0"}[c.success]; got.value("probe_success") != want {
				t.Errorf("probe_success %s, want %s\n%s", got.value("probe_success"), want, p.lastLog())
			}
		})
	}
	t.Run("a server that never answers", func(t *testing.T) { // blackbox_exporter would wait for ever
		target := serve(t, "tcp", "127.0.0.1:0", script(nil, "-"))
		start := time.Now()
		got := ask(t, p.handler, query("all", target), map[string]string{timeoutHeader: "0.8"})
		if took := time.Since(start); took > 20*time.Second || got.value("probe_success") != "0" || got.value("probe_grpc_status_code") != "4" {
			t.Errorf("%s, %s", took, got.text)
		}
	})
}
