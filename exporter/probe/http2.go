package probe

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// overHTTP2 sends a request over a connection whose handshake agreed on HTTP/2, and
// reads the header of the response.
func (x *exchange) overHTTP2(ctx context.Context, o *outgoing, more []pair, conn *tls.Conn) (*http.Response, *failure) {
	transport := &http.Transport{
		DialTLSContext:         func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // the probe sets what it accepts
		MaxResponseHeaderBytes: maxHeader,
	}
	client, err := transport.NewClientConn(ctx, "https", o.address)
	if err != nil {
		return nil, x.fault(ctx, err, o.address)
	}
	return x.overClient(ctx, o, more, client.RoundTrip)
}

// overClient makes the round trip with a client for another version of HTTP.
func (x *exchange) overClient(ctx context.Context, o *outgoing, more []pair, roundTrip func(*http.Request) (*http.Response, error)) (*http.Response, *failure) {
	sent := time.Now()
	response, err := roundTrip(o.request(more).WithContext(ctx))
	x.began = time.Now()
	x.run.phases.Add(Processing, x.began.Sub(sent))
	if err != nil {
		return nil, x.fault(ctx, err, o.address)
	}
	return response, nil
}
