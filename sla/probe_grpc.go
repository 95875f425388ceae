package sla

// GRPCCheck asks the standard health service of a gRPC server.
type GRPCCheck struct {
	Address  string            // host:port
	Service  string            // asked about; empty: the server as a whole
	TLS      bool              // plain text by default
	Metadata map[string]string // sent with the call
	TLSOptions
}

// ProbeKind is "grpc".
func (*GRPCCheck) ProbeKind() string { return "grpc" }

// Target is the address.
func (c *GRPCCheck) Target() string { return ShownAddress(c.Address) }

// Words names the service and the server.
func (c *GRPCCheck) Words() string {
	of := c.Target()
	if c.Service != "" {
		of = c.Service + " at " + c.Target()
	}
	if c.TLS {
		of += " over TLS"
	}
	return "gRPC health of " + of
}

// HostName is that of the address.
func (c *GRPCCheck) HostName() string { return hostOf(c.Address) }

// WithTarget is the check of another host and port.
func (c *GRPCCheck) WithTarget(target string) Check {
	other := *c
	other.Address = target
	return &other
}

// CheckAddress is why nothing can answer at the address.
func (c *GRPCCheck) CheckAddress() error { return checkHostPort(c.Address) }
