package sla

// UnixCheck connects to a Unix socket on the exporter's host, and if configured goes
// through a dialogue.
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

// DialogueSteps are the steps of the dialogue.
func (c *UnixCheck) DialogueSteps() []Step { return c.Dialogue }
