package routing

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

// Received is an alert as an Alertmanager receives it.
type Received struct {
	At       time.Time // when it is received
	Labels   map[string]string
	StartsAt time.Time
	EndsAt   time.Time // it fires until then unless it is sent again; in the past if it has resolved
}

// Notification is one that an Alertmanager sends.
type Notification struct {
	At       time.Time
	Receiver string
	Kind     string // of the integration, "webhook"; "" for a receiver without any yet
	Group    map[string]string
	Firing   []map[string]string // labels of its alerts, in order
	Resolved []map[string]string // labels of alerts whose end it reports
	Reason   Reason
}

// Reason is why a notification is sent.
type Reason string

// The reasons, as in Alertmanager's deduplication.
const (
	First    Reason = "first"    // of its group, or the first after everything had resolved
	More     Reason = "more"     // alerts that had not been reported
	Ended    Reason = "ended"    // everything has resolved
	SomeEnd  Reason = "some end" // some have
	Repeated Reason = "repeated" // nothing changed for the repeat interval
)

// alert is the state of an alert.
type alert struct {
	labels           model.LabelSet
	startsAt, endsAt time.Time
}

func (a alert) resolved(now time.Time) bool { return !a.endsAt.After(now) }

// group has the alerts of a route that are notified together.
type group struct {
	route  *route
	labels model.LabelSet
	alerts map[model.Fingerprint]alert
	next   time.Time // the time of its next flush
}

// entry is the content of the last notification.
type entry struct {
	at               time.Time
	firing, resolved map[model.Fingerprint]bool
}

// timeline is one simulation over a time.
type timeline struct {
	config *Config
	known  map[model.Fingerprint]alert
	groups []*group
	log    map[logKey]entry
	sent   []Notification
}

// retention is how long Alertmanager remembers a notification by default
// (--data.retention), or two repeat intervals if that is less.
const retention = 120 * time.Hour

// logKey is the key under which Alertmanager remembers notifications: routes with the
// same matchers share it.
type logKey struct {
	group, receiver string
	nth             int // integration of the receiver
}

// Notifications returns those that the received alerts cause until a time, in order. An
// alert that arrives at the moment of its group's flush is included. Notifications are
// sent at once, and none fails.
func (c *Config) Notifications(received []Received, until time.Time) []Notification {
	t := &timeline{config: c, known: map[model.Fingerprint]alert{}, log: map[logKey]entry{}}
	ordered := slices.SortedStableFunc(slices.Values(received), func(a, b Received) int { return a.At.Compare(b.At) })
	for _, r := range ordered {
		if r.At.After(until) {
			break
		}
		t.advance(r.At, false)
		t.receive(r)
	}
	t.advance(until, true)
	return t.sent
}

// advance flushes the groups that are due before a time; with too also those due at it.
func (t *timeline) advance(to time.Time, too bool) {
	for {
		var due *group
		for _, g := range t.groups {
			if due == nil || g.next.Before(due.next) {
				due = g
			}
		}
		if due == nil || due.next.After(to) || due.next.Equal(to) && !too {
			return
		}
		t.flush(due)
	}
}

func (t *timeline) receive(r Received) {
	l := model.LabelSet{}
	for name, value := range r.Labels {
		l[model.LabelName(name)] = model.LabelValue(value)
	}
	a := alert{l, r.StartsAt, r.EndsAt}
	id := l.Fingerprint()
	// A continuing alert began when it was first received, as in Alertmanager's
	// provider/mem.
	if old, ok := t.known[id]; ok && old.startsAt.Before(a.startsAt) && a.startsAt.Before(old.endsAt) {
		a.startsAt = old.startsAt
	}
	t.known[id] = a
	for _, route := range t.config.route.matching(l) {
		g := t.group(route, route.groupOf(l))
		if g == nil {
			g = &group{route: route, labels: route.groupOf(l), alerts: map[model.Fingerprint]alert{}, next: r.At.Add(route.wait)}
			if a.startsAt.Add(route.wait).Before(r.At) {
				g.next = r.At
			}
			t.groups = append(t.groups, g)
		}
		g.alerts[id] = a
	}
}

func (t *timeline) group(r *route, labels model.LabelSet) *group {
	for _, g := range t.groups {
		if g.route == r && g.labels.Equal(labels) {
			return g
		}
	}
	return nil
}

// flush sends a group's due notifications, and drops alerts that have resolved. An
// empty group ends: its next alert waits for group_wait again.
func (t *timeline) flush(g *group) {
	now := g.next
	g.next = now.Add(g.route.every)
	heard := map[model.Fingerprint]alert{}
	for id, a := range g.alerts {
		if !t.inhibited(a.labels, now) {
			heard[id] = a
		}
	}
	if len(heard) > 0 && t.hears(g.route, now) {
		t.notify(g, heard, now)
	}
	maps.DeleteFunc(g.alerts, func(_ model.Fingerprint, a alert) bool { return a.resolved(now) })
	if len(g.alerts) == 0 {
		t.groups = slices.DeleteFunc(t.groups, func(other *group) bool { return other == g })
	}
}

func (t *timeline) inhibited(l model.LabelSet, now time.Time) bool {
	for _, rule := range t.config.inhibit {
		if !rule.target.Matches(l) {
			continue
		}
		for _, source := range t.known {
			if !source.resolved(now) && rule.inhibits(source.labels, l) {
				return true
			}
		}
	}
	return false
}

// hears returns whether the time intervals of a route let a notification through. Read
// has checked that all names exist.
func (t *timeline) hears(r *route, now time.Time) bool {
	if len(r.active) > 0 {
		if active, _, _ := t.config.times.Mutes(r.active, now); !active {
			return false
		}
	}
	muted, _, _ := t.config.times.Mutes(r.mute, now)
	return !muted
}

// notify sends to each integration of the receiver what is new for it.
func (t *timeline) notify(g *group, heard map[model.Fingerprint]alert, now time.Time) {
	integrations := t.config.receivers[g.route.receiver]
	if len(integrations) == 0 {
		integrations = []Integration{{SendResolved: true}}
	}
	firing, resolved := map[model.Fingerprint]bool{}, map[model.Fingerprint]bool{}
	for id, a := range heard {
		if a.resolved(now) {
			resolved[id] = true
		} else {
			firing[id] = true
		}
	}
	for i, integration := range integrations {
		at := logKey{g.route.key + ":" + g.labels.String(), g.route.receiver, i}
		last, known := t.log[at]
		known = known && last.at.Add(min(2*g.route.repeat, retention)).After(now)
		reason := last.reason(known, firing, resolved, integration.SendResolved, g.route.repeat, now)
		if reason == "" {
			continue
		}
		t.log[at] = entry{now, firing, resolved}
		n := Notification{
			At: now, Receiver: g.route.receiver, Kind: integration.Kind, Group: plain(g.labels), Reason: reason,
			Firing: labelsOf(heard, firing),
		}
		if integration.SendResolved {
			n.Resolved = labelsOf(heard, resolved)
		}
		if len(n.Firing)+len(n.Resolved) > 0 {
			t.sent = append(t.sent, n)
		}
	}
}

// reason is why a notification is due after the last one, "" if none is. It follows
// needsUpdate in Alertmanager's notify/dedup_stage.go.
func (e entry) reason(known bool, firing, resolved map[model.Fingerprint]bool, sendResolved bool, repeat time.Duration, now time.Time) Reason {
	switch {
	case !known:
		if len(firing) > 0 {
			return First
		}
		return ""
	case !subset(firing, e.firing):
		if len(e.firing) == 0 {
			return First
		}
		return More
	case len(firing) == 0:
		if len(e.firing) > 0 {
			return Ended
		}
		return ""
	case sendResolved && !subset(resolved, e.resolved):
		return SomeEnd
	case e.at.Before(now.Add(-repeat)):
		return Repeated
	}
	return ""
}

func subset(a, of map[model.Fingerprint]bool) bool {
	for id := range a {
		if !of[id] {
			return false
		}
	}
	return true
}

func labelsOf(alerts map[model.Fingerprint]alert, which map[model.Fingerprint]bool) []map[string]string {
	var found []alert
	for id := range which {
		found = append(found, alerts[id])
	}
	slices.SortFunc(found, func(a, b alert) int {
		return cmp.Or(a.startsAt.Compare(b.startsAt), cmp.Compare(a.labels.String(), b.labels.String()))
	})
	var all []map[string]string
	for _, a := range found {
		all = append(all, plain(a.labels))
	}
	return all
}

func plain(l model.LabelSet) map[string]string {
	all := make(map[string]string, len(l))
	for name, value := range l {
		all[string(name)] = string(value)
	}
	return all
}
