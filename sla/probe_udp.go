package sla

// UDPCheck sends packets and waits for responses.
type UDPCheck struct {
	Address  string // host:port
	Dialogue []Step // without StartTLS; each packet is a message
}

// ProbeKind is "udp".
func (*UDPCheck) ProbeKind() string { return "udp" }

// Target is the address.
func (c *UDPCheck) Target() string { return ShownAddress(c.Address) }

// Words names the target and the dialogue.
func (c *UDPCheck) Words() string { return "UDP packets to " + c.Target() + dialogueWords(c.Dialogue) }

// HostName is that of the address.
func (c *UDPCheck) HostName() string { return hostOf(c.Address) }

// WithTarget is the check of another host and port.
func (c *UDPCheck) WithTarget(target string) Check {
	other := *c
	other.Address = target
	return &other
}

// CheckAddress is why nothing can answer at the address.
func (c *UDPCheck) CheckAddress() error { return checkHostPort(c.Address) }

// DialogueSteps are the steps of the dialogue.
func (c *UDPCheck) DialogueSteps() []Step { return c.Dialogue }
