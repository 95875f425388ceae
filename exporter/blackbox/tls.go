package blackbox

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"

	pconfig "github.com/prometheus/common/config"
)

// handshake is what the peer of a TLS session presented, even if its certificate
// was refused.
type handshake struct {
	state  tls.ConnectionState
	chains [][]*x509.Certificate // verified
}

// tlsConfig is the configuration of TLS sessions of a module; host is the server
// name unless the module has one. Certificates are verified here and not by
// crypto/tls, which does not return those that it refuses.
func (a *attempt) tlsConfig(c *pconfig.TLSConfig, host string) (*tls.Config, error) {
	conf, err := pconfig.NewTLSConfig(c)
	if err != nil {
		return nil, err
	}
	if conf.RootCAs == nil {
		conf.RootCAs = a.opts.RootCAs
	}
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	a.recordHandshake(conf, conf.ServerName)
	return conf, nil
}

// recordHandshake records each handshake of a configuration, and verifies its
// certificates. name is verified if the session has no server name, because the
// host is an address.
func (a *attempt) recordHandshake(conf *tls.Config, name string) {
	skip, roots := conf.InsecureSkipVerify, conf.RootCAs
	conf.InsecureSkipVerify = true
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		if state.ServerName != "" {
			name = state.ServerName
		}
		h := &handshake{state: state}
		var err error
		if !skip {
			h.chains, err = verify(state, roots, name)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.handshake = h
		return err
	}
}

// startSession begins a TLS session over a connection, and reports its metrics,
// also after a failure.
func (a *attempt) startSession(ctx context.Context, conn net.Conn, conf *tls.Config) (*tls.Conn, error) {
	session := tls.Client(conn, conf)
	err := session.HandshakeContext(ctx)
	state := a.reportTLS()
	a.reportChain()
	if err != nil {
		return nil, err
	}
	if state != nil {
		a.out.info("probe_tls_cipher_info", tlsCipher(state))
	}
	return session, nil
}

// verify verifies certificates as crypto/tls does.
func verify(state tls.ConnectionState, roots *x509.CertPool, name string) ([][]*x509.Certificate, error) {
	options := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	chains, err := state.PeerCertificates[0].Verify(options)
	if err != nil {
		return nil, &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return chains, nil
}

// reportTLS reports the metrics that all probers have of the last handshake. It
// returns the state of the session; nil if there was no handshake.
func (a *attempt) reportTLS() *tls.ConnectionState {
	a.mu.Lock()
	h := a.handshake
	a.mu.Unlock()
	if h == nil || len(h.state.PeerCertificates) == 0 {
		return nil
	}
	leaf := h.state.PeerCertificates[0]
	a.out.set("probe_ssl_earliest_cert_expiry", float64(earliest(h.state.PeerCertificates).Unix()))
	a.out.info("probe_tls_version_info", versionName(h.state.Version))
	fingerprint := sha256.Sum256(leaf.Raw)
	a.out.info("probe_ssl_last_chain_info", hex.EncodeToString(fingerprint[:]), leaf.Subject.String(), leaf.Issuer.String(),
		strings.Join(leaf.DNSNames, ","), fmt.Sprintf("%x", leaf.SerialNumber.Bytes()))
	return &h.state
}

// reportChain reports until when the certificate of the last handshake can be
// verified: the expiry of the chain that lasts longest, which is that of its first
// certificate to expire.
func (a *attempt) reportChain() {
	a.mu.Lock()
	h := a.handshake
	a.mu.Unlock()
	delete(a.out, "probe_ssl_last_chain_expiry_timestamp_seconds") // of a session before
	if h == nil || len(h.chains) == 0 {
		return
	}
	var last time.Time
	for _, chain := range h.chains {
		if expiry := earliest(chain); last.Before(expiry) {
			last = expiry
		}
	}
	a.out.set("probe_ssl_last_chain_expiry_timestamp_seconds", float64(last.Unix()))
}

func earliest(certs []*x509.Certificate) time.Time {
	first := certs[0].NotAfter
	for _, cert := range certs[1:] {
		if cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return first
}

func versionName(version uint16) string {
	if version < tls.VersionTLS10 || version > tls.VersionTLS13 {
		return "unknown"
	}
	return tls.VersionName(version)
}

func tlsCipher(state *tls.ConnectionState) string { return tls.CipherSuiteName(state.CipherSuite) }
