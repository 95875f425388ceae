package replay

import (
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Plan is what Run evaluates, and when.
type Plan struct {
	Files []File
	// From is when the server has loaded the files; To is the end of the past,
	// exclusive.
	From, To time.Time
	// Away are spans without a server, in order: nothing is evaluated. After each a new
	// process begins, which reads the state of alerts' `for` back. Nothing was scraped
	// either, so the raw series should have no samples there.
	Away []Span
	// Interval is the interval of groups that set none: the server's
	// evaluation_interval, one minute if it is 0.
	Interval time.Duration
	// ExternalLabels are the labels in the server's configuration, for templates.
	ExternalLabels labels.Labels
	// ExternalURL is the server's own URL, for templates. It may be nil.
	ExternalURL *url.URL
	// Progress is called from time to time with how many of all evaluations of rules
	// are done, by one goroutine at a time. It may be nil.
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

// Result is which alerts fired in a past, and which rules could not be evaluated.
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

// Episode is an alert from when it becomes pending to its end.
type Episode struct {
	Rule   Rule
	Labels labels.Labels // as in rules, without external labels
	// First are its annotations when it began to fire, Last those at the last
	// evaluation at which its expression was true. Without firing it has none.
	First, Last labels.Labels
	Value       float64 // of the expression when it began to fire
	// Pending is when its expression became true. Firing is when it began to fire, zero
	// if it did not. Resolved is the evaluation at which it had ended, zero if it was
	// still active at the end of the past. An alert that fired before the server went
	// away, but not at the first evaluation afterwards, is resolved at that evaluation
	// and not sent as resolved.
	Pending, Firing, Resolved time.Time
	// Sent is when the server sends the alert; the last time or times as resolved.
	// Otherwise the alert stays valid for Validity after it was sent.
	Sent     []time.Time
	Validity time.Duration
}

// RuleError is a failure of a rule. A rule records nothing at an evaluation that fails.
type RuleError struct {
	Rule        Rule
	Err         error // of the first evaluation that failed
	Count       int   // failed evaluations, or samples that the storage refused
	First, Last time.Time
}
