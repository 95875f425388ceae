package blackbox

import (
	"context"
	"net"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/upheld-sla/upheld/sla"
)

// maxGRPC bounds the response and its header, in bytes.
const maxGRPC = 64 << 10

// probeGRPC asks a server's health service.
func probeGRPC(ctx context.Context, a *attempt) bool {
	a.out.set("probe_grpc_duration_seconds", 0, "resolve")
	a.out.set("probe_grpc_ssl", 0)
	a.out.set("probe_grpc_status_code", 0)
	host, port, err := a.grpcTarget()
	if err != nil {
		a.log.Error("Could not parse target URL", "err", sla.URLReason(a.target, err))
		return false
	}
	c := &a.module.GRPC
	secure := insecure.NewCredentials()
	if c.TLS {
		conf, err := a.tlsConfig(&c.TLSConfig, host)
		if err != nil {
			a.log.Error("Error creating TLS configuration", "err", err)
			return false
		}
		secure = credentials.NewTLS(conf)
	}
	ip, took, err := a.resolve(ctx, host, c.PreferredIPProtocol, c.IPProtocolFallback)
	if err != nil {
		return false
	}
	a.out.set("probe_grpc_duration_seconds", took, "resolve")
	start := time.Now()
	state, err := a.checkHealth(ctx, net.JoinHostPort(host, port), net.JoinHostPort(ip.String(), port), secure)
	a.out.set("probe_grpc_duration_seconds", time.Since(start).Seconds(), "check")
	a.reportHealth(state, err)
	if session := a.reportTLS(); session != nil && err == nil {
		a.out.set("probe_grpc_ssl", 1)
		if c.CheckRevoked.on {
			a.reportRevocation(ctx, nil)
		}
	}
	if err != nil {
		a.log.Error("can't connect grpc server:", "err", err)
		return false
	}
	if state != grpc_health_v1.HealthCheckResponse_SERVING {
		a.log.Error("the grpc server is not serving", "serving_status", state.String())
		return false
	}
	return true
}

// grpcTarget is the host and the port of a target, which may be a URL.
func (a *attempt) grpcTarget() (host, port string, err error) {
	target := a.target
	if !strings.HasPrefix(target, "http://") && !strings.HasPrefix(target, "https://") {
		target = "http://" + target
	}
	u, err := url.Parse(target)
	if err != nil {
		return "", "", err
	}
	port = u.Port()
	switch {
	case port != "":
	case a.module.GRPC.TLS:
		port = "443"
	default:
		port = "80"
	}
	return u.Hostname(), port, nil
}

// checkHealth makes one call over one connection to address.
func (a *attempt) checkHealth(ctx context.Context, authority, address string, secure credentials.TransportCredentials) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		return a.opts.Network.Dial(ctx, "tcp", address, nil)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(secure), grpc.WithContextDialer(dial), grpc.WithUserAgent(a.opts.UserAgent),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(), grpc.WithIdleTimeout(0),
		grpc.WithMaxHeaderListSize(maxGRPC), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxGRPC)),
	}
	if !a.module.GRPC.TLS { // over TLS the authority is the server name
		options = append(options, grpc.WithAuthority(authority))
	}
	client, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ctx = metadata.NewOutgoingContext(ctx, a.module.GRPC.Metadata)
	answer, err := grpc_health_v1.NewHealthClient(client).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: a.module.GRPC.Service})
	return answer.GetStatus(), err
}

func (a *attempt) reportHealth(state grpc_health_v1.HealthCheckResponse_ServingStatus, err error) {
	for _, name := range grpc_health_v1.HealthCheckResponse_ServingStatus_name {
		a.out.set("probe_grpc_healthcheck_response", 0, name)
	}
	if err == nil {
		a.out.set("probe_grpc_healthcheck_response", 1, state.String())
	}
	a.out.set("probe_grpc_status_code", float64(status.Code(err)))
}
