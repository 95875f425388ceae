package sla

import "fmt"

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

// Talking is a check that can talk with its target.
type Talking interface {
	Check
	// TalkSteps are the steps of its dialogue; nil without one.
	TalkSteps() []Step
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
