package routing

import "time"

// Episode is an alert from when it fires to when it has resolved.
type Episode struct {
	Labels   map[string]string
	Firing   time.Time // the evaluation at which it begins to fire
	Resolved time.Time // the evaluation at which it fires no more; zero if it fires on
	Interval time.Duration
}

// Resend is how long a Prometheus waits before it sends a firing alert again, unless
// --rules.alert.resend-delay says otherwise.
const Resend = time.Minute

// Sent is how a Prometheus sends an alert until a time: at its first evaluation, then
// at each that is more than resend after the last that it was sent at, and once when it
// has resolved. Each says that it ends after four of these intervals unless it is sent
// again (rules/alerting.go of Prometheus). away are times at which the server is away,
// in order: it evaluates nothing then.
func (e Episode) Sent(until time.Time, resend time.Duration, away func(time.Time) bool) []Received {
	var all []Received
	valid := 4 * max(resend, e.Interval)
	var last time.Time
	end := e.Resolved
	if end.IsZero() || end.After(until) {
		end = until.Add(1)
	}
	for at := e.Firing; at.Before(end); at = at.Add(e.Interval) {
		if away(at) || !last.IsZero() && !last.Add(resend).Before(at) {
			continue
		}
		all = append(all, Received{at, e.Labels, e.Firing, at.Add(valid)})
		last = at
	}
	if !e.Resolved.IsZero() && !e.Resolved.After(until) {
		all = append(all, Received{e.Resolved, e.Labels, e.Firing, e.Resolved})
	}
	return all
}
