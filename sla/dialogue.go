package sla

import "fmt"

// Step is one step of a dialogue. Exactly one of its fields, not counting Labels, is
// set.
type Step struct {
	Send      string // sent as a line with CR LF, or as a message
	Reply     string // sent like Send, with the groups of the last Expect filled in by regexp.Expand
	SendBytes []byte // sent unchanged
	Expect    string // RE2 that a line, or a message, must match
	// Labels of an info metric. Their values can refer to groups of this step's Expect,
	// which must be set.
	Labels      map[string]string
	ExpectBytes []byte // must occur in what is received
	StartTLS    bool   // begins the TLS session
}

// WithDialogue is a check that can have a dialogue.
type WithDialogue interface {
	Check
	// DialogueSteps are the steps of the dialogue; nil without one.
	DialogueSteps() []Step
}

// dialogueWords describes a dialogue without its texts, since they may be secret.
func dialogueWords(steps []Step) string {
	switch len(steps) {
	case 0:
		return ""
	case 1:
		return ", a dialogue of 1 step"
	}
	return fmt.Sprintf(", a dialogue of %d steps", len(steps))
}
