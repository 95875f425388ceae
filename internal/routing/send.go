package routing

import "time"

// Alert is an alert that a Prometheus sends.
type Alert struct {
	Labels   map[string]string
	Firing   time.Time     // when it began to fire; zero if it did not
	Resolved time.Time     // zero if it is still firing
	Sent     []time.Time   // when the server sends it, also as resolved
	Validity time.Duration // how long after it was sent it counts as firing
}

// Received returns what an Alertmanager receives for an alert.
func (a Alert) Received() []Received {
	if a.Firing.IsZero() {
		return nil
	}
	var all []Received
	for _, at := range a.Sent {
		ends := at.Add(a.Validity)
		if !a.Resolved.IsZero() && !at.Before(a.Resolved) {
			ends = a.Resolved
		}
		all = append(all, Received{At: at, Labels: a.Labels, StartsAt: a.Firing, EndsAt: ends})
	}
	return all
}
