package replay

import (
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Plan is what Run evaluates, and when.
type Plan struct {
	Files []File
	// From is when the server has loaded the files; To ends the past and is not part of it.
	From, To time.Time
	// Away are spans in which there was no server, in order: nothing is evaluated.
	// After each a new process begins, which reads the state of alerts' `for` back.
	// Nothing was scraped either, so the raw series should have no samples there.
	Away []Span
	// Interval is that of groups that have none: the server's evaluation_interval, one
	// minute if it is 0.
	Interval time.Duration
	// ExternalLabels are those of the server's configuration, for templates.
	ExternalLabels labels.Labels
	// ExternalURL is the server's own, for templates. It may be nil.
	ExternalURL *url.URL
	// Progress is called now and then with how many evaluations of rules are done, of
	// how many, by one goroutine at a time. It may be nil.
	Progress func(done, total int)
}

// File is a rule file. The moments at which its groups are evaluated depend on
// its name, which is the path that the server would load.
type File struct {
	Name string
	Text []byte
}

// Span is from a time, included, to another, excluded.
type Span struct{ From, To time.Time }

// Result is what alerted in a past, and what could not be evaluated.
type Result struct {
	Episodes []Episode // in order of Pending, rule and labels
	Errors   []RuleError
}

// Rule names a rule.
type Rule struct {
	File, Group string
	Index       int // in the group
	Name        string
}

// Episode is an alert from its pending to its end.
type Episode struct {
	Rule   Rule
	Labels labels.Labels // as rules have them, without external labels
	// First are its annotations when it began to fire, Last those of the last
	// evaluation at which its expression was true. An episode that did not fire has none.
	First, Last labels.Labels
	Value       float64 // of the expression when it began to fire
	// Pending is when its expression became true, Firing when it began to fire, zero if
	// it did not, and Resolved the evaluation at which it had ended, zero if it had not
	// at the end of the past. An alert that fired before the server went away and not
	// at the first evaluation after it is resolved at that, and not sent as resolved.
	Pending, Firing, Resolved time.Time
	// Sent is when the server sends the alert, the last time or times as resolved. An
	// alert that is not resolved is valid for Validity after it was sent.
	Sent     []time.Time
	Validity time.Duration
}

// RuleError is what went wrong with a rule. A rule records nothing at an evaluation
// that fails.
type RuleError struct {
	Rule        Rule
	Err         error // of the first evaluation that failed
	Count       int   // evaluations, or samples that the storage did not take
	First, Last time.Time
}
