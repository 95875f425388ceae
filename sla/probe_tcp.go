package sla

import "time"

// TLSOptions are how a TLS session is opened and checked.
type TLSOptions struct {
	ServerName          string        // asked for, and to be found in the certificate; the host by default
	InsecureSkipVerify  bool          // accept any certificate
	CertificateValidFor time.Duration // how much longer the certificate must be valid; 0: it is valid now
	Files               *TLSFiles     // nil: none
}

// TLSFiles are the files of a TLS session, in PEM. They are read again when they
// change.
type TLSFiles struct {
	CA          Secret // trusted instead of the system's authorities
	Certificate Secret // shown to the server, with Key
	Key         Secret
}

// TCPCheck opens a TCP connection, and if configured a TLS session over it and a
// dialogue.
type TCPCheck struct {
	Address string // host:port
	TLS     bool   // handshake after connecting
	TLSOptions
	Dialogue []Step // after connecting, and after the handshake
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

// HostName is that of the address.
func (c *TCPCheck) HostName() string { return hostOf(c.Address) }

// WithTarget is the check of another host and port.
func (c *TCPCheck) WithTarget(target string) Check {
	other := *c
	other.Address = target
	return &other
}

// CheckAddress is why nothing can answer at the address.
func (c *TCPCheck) CheckAddress() error { return checkHostPort(c.Address) }

// DialogueSteps are the steps of the dialogue.
func (c *TCPCheck) DialogueSteps() []Step { return c.Dialogue }
