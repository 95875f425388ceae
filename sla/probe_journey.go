package sla

import (
	"fmt"
	"slices"
	"time"
)

// JourneyCheck makes HTTP requests in order, as a user does. They share cookies, and
// can use values from earlier responses.
type JourneyCheck struct {
	Steps []JourneyStep // at least one
}

// JourneyStep is one request of a journey.
type JourneyStep struct {
	Name string // unique in the journey
	// Request may have ${name} in the path and query of its URL, in the values of
	// headers and in its body, for what an earlier step captured.
	Request  HTTPCheck
	Timeout  time.Duration // 0: what is left of the probe's
	Captures []Capture
}

// Capture takes a value from a response; exactly one of its sources is set.
type Capture struct {
	Name   string // unique in the journey
	JSON   string // CEL over the variable body
	Regexp string // RE2 over the body: its first group, or all that matches
	Header string // the value of a header
}

// ProbeKind is "journey".
func (*JourneyCheck) ProbeKind() string { return "journey" }

// Target is the URL of the first step.
func (c *JourneyCheck) Target() string { return c.Steps[0].Request.Target() }

// Words says how many requests there are.
func (c *JourneyCheck) Words() string {
	if len(c.Steps) == 1 {
		return "HTTP journey of 1 step from " + c.Target()
	}
	return fmt.Sprintf("HTTP journey of %d steps from %s", len(c.Steps), c.Target())
}

// HostName is that of the first step.
func (c *JourneyCheck) HostName() string { return c.Steps[0].Request.HostName() }

// ViaProxy reports whether a step goes through a proxy.
func (c *JourneyCheck) ViaProxy() bool {
	return slices.ContainsFunc(c.Steps, func(s JourneyStep) bool { return s.Request.ViaProxy() })
}
