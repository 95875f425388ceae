package probe_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// versionServer serves one version of HTTP over TLS; it returns what trusts it,
// and its URL.
func versionServer(t testing.TB, version sla.HTTPVersion, handler http.Handler) (probe.Env, string) {
	t.Helper()
	ca := newAuthority()
	return probe.Env{RootCAs: ca.pool()}, serveVersion(t, version, ca.sign(t, "localhost", time.Now().Add(time.Hour)), handler)
}

func serveVersion(t testing.TB, version sla.HTTPVersion, cert tls.Certificate, handler http.Handler) string {
	t.Helper()
	if version == sla.HTTP3 {
		return serveQUIC(t, cert, handler)
	}
	srv := httptest.NewUnstartedServer(handler)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.EnableHTTP2 = version == sla.HTTP2
	srv.Config.ErrorLog = discard
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

func serveQUIC(t testing.TB, cert tls.Certificate, handler http.Handler) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{Handler: handler, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(pc)
	}()
	t.Cleanup(func() {
		srv.Close()
		pc.Close()
		<-done
	})
	return "https://" + pc.LocalAddr().String()
}

func tlsConfigFor(t testing.TB, name string, life time.Duration) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{newAuthority().sign(t, name, time.Now().Add(life))}}
}
