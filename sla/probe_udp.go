package sla

// UDPCheck sends packets and waits for answers.
type UDPCheck struct {
	Address  string // host:port
	Dialogue []Step // without StartTLS; each packet is a message
}

// ProbeKind is "udp".
func (*UDPCheck) ProbeKind() string { return "udp" }

// Target is the address.
func (c *UDPCheck) Target() string { return ShownAddress(c.Address) }

// Words says who is talked to.
func (c *UDPCheck) Words() string { return "UDP packets to " + c.Target() + dialogueWords(c.Dialogue) }
