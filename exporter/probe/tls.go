package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// TLSFacts are facts from a handshake, even if it failed because of the certificate.
type TLSFacts struct {
	Version string // "TLS 1.3"
	Cipher  string // "TLS_AES_128_GCM_SHA256"
	// Certificate is the server's own.
	Certificate *x509.Certificate
	// EarliestExpiry is when the first of the certificates that the server sent
	// expires.
	EarliestExpiry time.Time
	// ChainExpiry is until when the certificate can be verified: in the verified chain
	// that lasts longest, the first expiry. Zero if none was verified.
	ChainExpiry time.Time

	asked bool // for the client's certificate
}

// session says how to speak TLS with a target. Certificates are verified here and not
// by crypto/tls, which does not return those that it refuses.
type session struct {
	conf     *tls.Config
	host     string // of the target
	roots    *x509.CertPool
	skip     bool // verification
	validFor time.Duration
	files    *tlsFiles // nil: none
}

// session prepares sessions with a host that speak one of the protocols. The name to
// request, and to look for in the certificate, is ASCII.
func (d *dialer) session(o sla.TLSOptions, host string, protocols ...string) (*session, error) {
	name, err := sla.ASCIIHost(cmp.Or(o.ServerName, host))
	if err != nil {
		return nil, fmt.Errorf("serverName: %w", err)
	}
	s := &session{
		conf:     &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols}, // verified in inspect
		host:     host,
		roots:    d.env.RootCAs,
		skip:     o.InsecureSkipVerify,
		validFor: o.CertificateValidFor,
	}
	if o.Files != nil {
		s.files = &tlsFiles{from: *o.Files}
	}
	return s, nil
}

// forHost is the session with another host, for example after a redirect. That host
// does not get the client's certificate.
func (s *session) forHost(host string) *session {
	if s.host == host {
		return s
	}
	other := *s
	other.host = host
	if s.files != nil {
		other.files = &tlsFiles{from: sla.TLSFiles{CA: s.files.from.CA}}
	}
	other.conf = s.conf.Clone()
	other.conf.ServerName = host
	return &other
}

// secure begins a TLS session over conn, and closes conn if that fails.
func (d *dialer) secure(ctx context.Context, conn net.Conn, s *session, address string, r *run) (*tls.Conn, *failure) {
	conf, seen, fault := s.config()
	if fault != nil {
		conn.Close()
		return nil, fault
	}
	secured := tls.Client(conn, conf)
	start := time.Now()
	r.late.excludeWork(true)
	err := secured.HandshakeContext(ctx)
	r.late.excludeWork(false)
	r.phases.Add(TLS, time.Since(start))
	facts := seen()
	r.keepTLSFacts(facts)
	if err == nil {
		err = s.checkExpiry(facts, start)
	}
	if err != nil {
		conn.Close()
		fault := d.classify(ctx, err, stage{phase: TLS, address: address, what: "TLS handshake with " + address})
		fault.detail += certificateWords(facts, fault.reason)
		return nil, fault
	}
	r.usesTLS = true
	return secured, nil
}

// clientPatience is how long after a TLS 1.3 handshake a probe with nothing more to
// send waits for the server to refuse its certificate, or the lack of one. Unlike in
// TLS 1.2, the handshake ends before the server has checked that. The wait is not part
// of the probe's duration.
const clientPatience = 250 * time.Millisecond

// awaitCertificateVerdict waits for the server's verdict on the client's certificate,
// if it asked for one and the probe ends with the handshake.
func (d *dialer) awaitCertificateVerdict(ctx context.Context, conn net.Conn, address string, r *run) *failure {
	secured, ok := conn.(*tls.Conn)
	if !ok || secured.ConnectionState().Version != tls.VersionTLS13 || r.tls == nil || !r.tls.asked {
		return nil
	}
	r.ended = time.Now()
	until := r.ended.Add(clientPatience)
	if r.deadline.Before(until) {
		until = r.deadline
	}
	r.late.finish(r.ended, true)
	defer interruptible(ctx, secured)()
	_ = secured.SetReadDeadline(until)
	_, err := secured.Read(make([]byte, 1))
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" {
		return d.classify(ctx, err, stage{phase: TLS, address: address, what: "TLS handshake with " + address})
	}
	return nil // the server accepts it, or hangs up, or waits: the handshake was good
}

// config is the configuration of one handshake, and a function that returns the facts
// afterwards.
func (s *session) config() (*tls.Config, func() *TLSFacts, *failure) {
	conf, roots := s.conf.Clone(), s.roots
	if s.files != nil {
		own, pair, err := s.files.load()
		if err != nil {
			return nil, nil, secretFileFailure(err)
		}
		if own != nil {
			roots = own
		}
		if pair != nil {
			conf.Certificates = []tls.Certificate{*pair}
		}
	}
	var facts *TLSFacts
	given := new(tls.Certificate) // no certificate
	if len(conf.Certificates) > 0 {
		given = &conf.Certificates[0]
	}
	conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if facts != nil { // in TLS 1.2 the server's certificate may be verified later
			facts.asked = true
		}
		return given, nil
	}
	conf.VerifyConnection = func(state tls.ConnectionState) (err error) {
		facts, err = s.inspect(state, roots)
		return err
	}
	return conf, func() *TLSFacts { return facts }, nil
}

// certificateWords describes a refused certificate.
func certificateWords(facts *TLSFacts, why Reason) string {
	switch why {
	case TLSExpired, TLSName, TLSAuthority, TLSExpiring:
	default:
		return ""
	}
	if facts == nil || facts.Certificate == nil {
		return ""
	}
	c := facts.Certificate
	return fmt.Sprintf("; the certificate of %s by %s, until %s", clip(c.Subject.String()), clip(c.Issuer.String()), c.NotAfter.UTC().Format(time.DateOnly))
}

// inspect verifies like crypto/tls, and keeps the facts either way.
func (s *session) inspect(state tls.ConnectionState, roots *x509.CertPool) (*TLSFacts, error) {
	facts := &TLSFacts{Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite)}
	if len(state.PeerCertificates) == 0 {
		return facts, nil
	}
	facts.Certificate = state.PeerCertificates[0]
	facts.EarliestExpiry = firstExpiry(state.PeerCertificates)
	options := x509.VerifyOptions{Roots: roots, DNSName: s.conf.ServerName, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	chains, err := state.PeerCertificates[0].Verify(options)
	for _, chain := range chains {
		if expiry := firstExpiry(chain); expiry.After(facts.ChainExpiry) {
			facts.ChainExpiry = expiry
		}
	}
	if s.skip {
		if err != nil {
			facts.ChainExpiry = time.Time{}
		}
		return facts, nil
	}
	return facts, err
}

func firstExpiry(certs []*x509.Certificate) time.Time {
	first := certs[0].NotAfter
	for _, cert := range certs[1:] {
		if cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return first
}

// expiringError is the error of a valid certificate that expires too soon.
type expiringError struct{ left, want time.Duration }

func (e *expiringError) Error() string {
	return fmt.Sprintf("the certificate is valid for %.1f more days, less than %.1f", days(e.left), days(e.want))
}

// days rounds down to tenths, so that too little never looks like enough.
func days(d time.Duration) float64 { return math.Floor(d.Hours()/24*10) / 10 }

// checkExpiry checks for how much longer the certificate is valid. Certificates that
// the server sends needlessly, such as an expired root, do not count.
func (s *session) checkExpiry(facts *TLSFacts, now time.Time) error {
	if s.validFor == 0 || facts == nil {
		return nil
	}
	until := facts.ChainExpiry
	if until.IsZero() {
		until = facts.EarliestExpiry
	}
	if left := until.Sub(now); left < s.validFor {
		return &expiringError{left, s.validFor}
	}
	return nil
}

// keepTLSFacts keeps the facts of a handshake; after redirects, of the one whose
// certificate expires first.
func (r *run) keepTLSFacts(facts *TLSFacts) {
	if facts == nil || facts.EarliestExpiry.IsZero() {
		return
	}
	if r.tls == nil || facts.EarliestExpiry.Before(r.tls.EarliestExpiry) {
		r.tls = facts
	}
}
