package sla

import (
	"fmt"
	"time"
)

// TLSOptions are how a TLS session is opened and checked.
type TLSOptions struct {
	ServerName          string        // asked for, and to be found in the certificate; the host by default
	InsecureSkipVerify  bool          // accept any certificate
	CertificateValidFor time.Duration // how much longer the certificate must be valid; 0: it is valid now
	Files               *TLSFiles     // nil: none
}

// TLSFiles are those of a TLS session, in PEM. They are read again when they
// change.
type TLSFiles struct {
	CA          Secret // trusted instead of the system's authorities
	Certificate Secret // shown to the server, with Key
	Key         Secret
}

// TCPCheck opens a TCP connection, on request a TLS session over it, and on
// request talks over that.
type TCPCheck struct {
	Address string // host:port
	TLS     bool   // handshake after connecting
	TLSOptions
	Dialogue []Step // after connecting, and after the handshake
}

// Step is one step of a dialogue; exactly one of its fields but Labels is set.
type Step struct {
	Send      string // sent as a line, with CR LF after it; in a message-wise protocol, as a message
	Reply     string // sent like Send, with what groups of the Expect before it matched, as regexp.Expand puts it in
	SendBytes []byte // sent as they are
	Expect    string // RE2 that a line, or a message, must match
	// Labels of an info metric, with what groups of this step's Expect matched;
	// beside Expect only.
	Labels      map[string]string
	ExpectBytes []byte // must come somewhere in what is received
	StartTLS    bool   // begin the TLS session
}

// ProbeKind is "tcp".
func (*TCPCheck) ProbeKind() string { return "tcp" }

// Target is the address.
func (c *TCPCheck) Target() string { return ShownAddress(c.Address) }

// Words says what is connected to.
func (c *TCPCheck) Words() string {
	what := "TCP connection to "
	if c.TLS {
		what = "TLS session with "
	}
	return what + c.Target() + dialogueWords(c.Dialogue)
}

// dialogueWords tells of a dialogue without its texts, which may be secret.
func dialogueWords(steps []Step) string {
	switch len(steps) {
	case 0:
		return ""
	case 1:
		return ", a dialogue of 1 step"
	}
	return fmt.Sprintf(", a dialogue of %d steps", len(steps))
}
