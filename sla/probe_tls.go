package sla

// TLSCheck opens a TLS session and checks the certificate.
type TLSCheck struct {
	Address string // host:port
	TLSOptions
}

// ProbeKind is "tls".
func (*TLSCheck) ProbeKind() string { return "tls" }

// Target is the address.
func (c *TLSCheck) Target() string { return ShownAddress(c.Address) }

// Words names the server.
func (c *TLSCheck) Words() string { return "TLS handshake with " + c.Target() }

// HostName is that of the address.
func (c *TLSCheck) HostName() string { return hostOf(c.Address) }

// WithTarget is the check of another host and port.
func (c *TLSCheck) WithTarget(target string) Check {
	other := *c
	other.Address = target
	return &other
}

// CheckAddress is why nothing can answer at the address.
func (c *TLSCheck) CheckAddress() error { return checkHostPort(c.Address) }
