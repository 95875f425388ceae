package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	"github.com/upheld-sla/upheld/sla"
)

// starvedAfter: a probe that notices its deadline later than this had no CPU. It is
// then unknown whether the target answered in time.
const starvedAfter = 250 * time.Millisecond

// stage is where in a probe an error happened.
type stage struct {
	phase   Phase
	address string // host:port
	what    string // what was being done, for people: "connect 192.0.2.1:80"
}

// classify turns a network error into a verdict. It checks for faults of the exporter's
// own host first, so that none of them can count against the target.
func (d *dialer) classify(ctx context.Context, err error, at stage) *failure {
	now := time.Now()
	if errors.Is(ctx.Err(), context.Canceled) {
		return &failure{Cancelled, at.what + ": cancelled"}
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return &failure{Denied, at.what + ": " + clip(refused.Error())}
	}
	if reason, ok := d.ownFault(err, at.address); ok {
		return &failure{reason, at.what + ": " + rootCause(err)}
	}
	timeout := isTimeout(err)
	if deadline, ok := ctx.Deadline(); ok && timeout && now.Sub(deadline) > starvedAfter {
		return &failure{Starved, at.what + ": the deadline was noticed " + now.Sub(deadline).Round(time.Millisecond).String() + " late"}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return d.classifyDNS(dns)
	}
	if timeout {
		if at.phase == Connect {
			return &failure{ConnectTimeout, at.what + ": no answer in time"}
		}
		return &failure{Timeout, at.what + ": no answer in time"}
	}
	return &failure{targetFault(err, at.phase), at.what + ": " + rootCause(err)}
}

// ownErrno is the reason of an error of a system call that only the exporter's
// host can cause.
func ownErrno(errno syscall.Errno) (Reason, bool) {
	switch errno {
	case syscall.EMFILE, syscall.ENFILE:
		return NoFD, true
	case syscall.ENOMEM, syscall.ENOBUFS:
		return NoMemory, true
	case syscall.EADDRNOTAVAIL, syscall.EADDRINUSE:
		return AddressUnavailable, true
	case syscall.EACCES, syscall.EPERM, syscall.ENETDOWN, syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT:
		return LocalNetwork, true
	}
	return "", false
}

func (d *dialer) ownFault(err error, address string) (Reason, bool) {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return "", false
	}
	if errno == syscall.ENETUNREACH && !d.hasRoute(err, address) {
		return LocalNetwork, true
	}
	return ownErrno(errno)
}

// hasRoute asks the kernel whether this host has a route to the address of an
// error: connecting a UDP socket looks up the route and sends nothing. For a missing
// route here and for a router's "network unreachable", TCP reports the same error.
func (d *dialer) hasRoute(err error, address string) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		address = op.Addr.String()
	}
	conn, err := d.udp.Dial("udp", address)
	if err != nil {
		return !errors.Is(err, syscall.ENETUNREACH)
	}
	conn.Close()
	return true
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// targetFault returns the reason of a failure that is neither the exporter's fault
// nor a timeout.
func targetFault(err error, phase Phase) Reason {
	switch errno, _ := errors.AsType[syscall.Errno](err); errno {
	case syscall.ECONNREFUSED, syscall.ENOENT, syscall.ENOTSOCK, syscall.EPROTOTYPE: // all but the first only occur with Unix sockets
		return ConnectRefused
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EHOSTDOWN:
		return Unreachable
	case syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE:
		return Reset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || endedByPeer(err) {
		return Reset
	}
	switch phase {
	case Connect:
		return Unreachable
	case TLS:
		return certificateFault(err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return TLSOther // an alert after the handshake, as if a client's certificate is missing
	}
	return Protocol
}

// endedByPeer reports whether the peer ended a stream of HTTP/2 or QUIC, or its
// connection, like a reset in TCP.
func endedByPeer(err error) bool {
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		return stream.Cause != nil && strings.Contains(stream.Cause.Error(), "from peer") // other errors are from this side
	}
	if stream, ok := errors.AsType[*http3.Error](err); ok {
		return stream.Remote
	}
	if stream, ok := errors.AsType[*quic.StreamError](err); ok {
		return stream.Remote
	}
	if conn, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return conn.Remote
	}
	if _, ok := errors.AsType[*quic.StatelessResetError](err); ok {
		return true
	}
	return strings.Contains(err.Error(), "GOAWAY") // net/http has no type for it
}

func certificateFault(err error) Reason {
	if _, ok := errors.AsType[*expiringError](err); ok {
		return TLSExpiring
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return TLSExpired
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return TLSName
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return TLSAuthority
	}
	return TLSOther
}

// rootCause returns the innermost cause of an error, without the addresses that the
// layers of net repeat. It never contains what a peer sent.
func rootCause(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed"
	}
	if endedByPeer(err) {
		return "the server broke off"
	}
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return clip(verification.Err.Error())
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the answer is not TLS"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return clip(op.Err.Error())
	}
	return clip(err.Error())
}

// maxDetail bounds the details of results, in bytes.
const maxDetail = 200

// clip keeps text printable, on one line, within maxDetail and without user
// info.
func clip(text string) string {
	text = sla.Redact(text)
	clean := make([]byte, 0, min(len(text), maxDetail))
	for i := 0; i < len(text) && len(clean) < maxDetail; i++ {
		c := text[i]
		if c < ' ' || c > '~' {
			c = ' '
		}
		clean = append(clean, c)
	}
	return string(clean)
}
