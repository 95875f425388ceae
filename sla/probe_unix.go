package sla

// UnixCheck connects to a Unix socket of the exporter's host, and on request
// talks over that.
type UnixCheck struct {
	Path     string // absolute
	Dialogue []Step // without StartTLS
}

// ProbeKind is "unix".
func (*UnixCheck) ProbeKind() string { return "unix" }

// Target is the path.
func (c *UnixCheck) Target() string { return ShownAddress(c.Path) }

// Words says what is connected to.
func (c *UnixCheck) Words() string { return "Unix socket " + c.Target() + dialogueWords(c.Dialogue) }

// TalkSteps are those of its dialogue.
func (c *UnixCheck) TalkSteps() []Step { return c.Dialogue }
