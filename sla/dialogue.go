package sla

import "fmt"

// Step is one step of a dialogue; exactly one of its fields but Labels is set.
type Step struct {
	Send      string // sent as a line, with CR LF after it; in a message-wise protocol, as a message
	Reply     string // sent like Send, with what groups of the Expect before it matched, as regexp.Expand puts it in
	SendBytes []byte // sent as they are
	Expect    string // RE2 that a line, or a message, must match
	// Labels of an info metric. Their values can repeat groups of this step's Expect,
	// which must be set.
	Labels      map[string]string
	ExpectBytes []byte // must come somewhere in what is received
	StartTLS    bool   // begin the TLS session
}

// WithDialogue is a check that can have a dialogue with its target.
type WithDialogue interface {
	Check
	// DialogueSteps are the steps of the dialogue; nil without one.
	DialogueSteps() []Step
}

// dialogueWords describes a dialogue without its texts, which may be secret.
func dialogueWords(steps []Step) string {
	switch len(steps) {
	case 0:
		return ""
	case 1:
		return ", a dialogue of 1 step"
	}
	return fmt.Sprintf(", a dialogue of %d steps", len(steps))
}
