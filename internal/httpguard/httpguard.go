// Package httpguard protects an HTTP handler: it limits who may send requests,
// how long sending a response may take, and what browsers may do with it. It
// knows nothing about what is served.
package httpguard

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Limits of every listener. A client that neither sends nor reads cannot hold a
// connection, and the response waiting for it, any longer.
const (
	headerWait = 10 * time.Second // for a request's head
	bodyWait   = 30 * time.Second // for a request's body
	idleWait   = 2 * time.Minute  // for the next request
	stall      = 10 * time.Second // for the client to take a part of a response
	answerWait = time.Minute      // for the client to take a whole response, from its first byte on
	maxHeader  = 64 << 10
	maxBody    = 1 << 20
)

// Server is an HTTP server for the handler with the limits of a listener.
func Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerWait,
		IdleTimeout:       idleWait,
		MaxHeaderBytes:    maxHeader,
	}
}

// Options say who may send requests.
type Options struct {
	// Listen is the listen address. On loopback, only requests for a name of this
	// machine are answered: otherwise a page of another site could let its own name
	// point here, and read everything (DNS rebinding).
	Listen string
	// AllowedHosts are further names that requests may use; ports are ignored. On
	// loopback they are allowed in addition to this machine's names. Elsewhere any name
	// is allowed if the list is empty.
	AllowedHosts []string
	// External is the address under which others reach the server, or nil.
	External *url.URL
}

// New guards a handler.
func New(next http.Handler, o Options) (http.Handler, error) {
	origin := http.NewCrossOriginProtection()
	if o.External != nil {
		if err := origin.AddTrustedOrigin(o.External.Scheme + "://" + o.External.Host); err != nil {
			return nil, fmt.Errorf("external URL: %w", err)
		}
	}
	hosts := o.hosts()
	guarded := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		timed := newTimed(w, r)
		defer timed.finish()
		if hosts != nil && !hosts(hostOf(r.Host)) {
			http.Error(timed, fmt.Sprintf("This server does not answer for the host %q. Ask for it by its address, or name the host with --web.allowed-hosts.", hostOf(r.Host)), http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(timed, r.Body, maxBody)
		guarded.ServeHTTP(timed, r)
	}), nil
}

// hosts decides which host names requests may have; it is nil if any may.
func (o Options) hosts() func(host string) bool {
	listen := hostOf(o.Listen)
	local := isLocal(listen)
	if !local && len(o.AllowedHosts) == 0 {
		return nil
	}
	return func(host string) bool {
		return local && isLocal(host) || host == listen ||
			o.External != nil && strings.EqualFold(host, o.External.Hostname()) ||
			slices.ContainsFunc(o.AllowedHosts, func(allowed string) bool { return strings.EqualFold(host, hostOf(allowed)) })
	}
}

// isLocal reports whether a host is this machine by its loopback interface.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// hostOf is an address without its port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
}
