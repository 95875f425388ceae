package simulate

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
)

// Notification is one message that Alertmanager sends.
type Notification struct {
	At       time.Duration // after the scenario's start
	Receiver string
	Reason   routing.Reason
	Firing   []string // the alerts in words
	Resolved []string
}

// Begins returns whether it reports a new alert. Other notifications report an end, or
// that nothing has changed.
func (n Notification) Begins() bool { return n.Reason == routing.First || n.Reason == routing.More }

// sentOf returns what Alertmanager receives for an episode.
func sentOf(e replay.Episode) []routing.Received {
	return routing.Alert{Labels: e.Labels.Map(), Firing: e.Firing, Resolved: e.Resolved, Sent: e.Sent, Validity: e.Validity}.Received()
}

// notify finds which notifications are sent during the simulation.
func (r *Result) notify(s *stage, routes *routing.Config) {
	r.Notifications = []Notification{}
	for _, n := range routes.Notifications(r.received, s.end) {
		if n.At.Before(s.at) {
			continue
		}
		r.Notifications = append(r.Notifications, Notification{
			At: n.At.Sub(s.at), Receiver: n.Receiver, Reason: n.Reason, Firing: alertNames(n.Firing), Resolved: alertNames(n.Resolved),
		})
	}
}

func alertNames(all []map[string]string) []string {
	var names []string
	for _, l := range all {
		name := l["alertname"]
		if of := l[metricnames.SLO]; of != "" {
			name += " of " + l[metricnames.Service] + "/" + of
		}
		names = append(names, name)
	}
	return names
}

// begins counts the notifications that report something new.
func (r *Result) begins() int {
	n := 0
	for _, sent := range r.Notifications {
		if sent.Begins() {
			n++
		}
	}
	return n
}

// mostShown is how many notifications text lists.
const mostShown = 12

// notificationText lists when which receiver is notified.
func (r *Result) notificationText(b *bytes.Buffer) {
	if len(r.Notifications) == 0 {
		if r.Notifications != nil {
			b.WriteString("\nNobody is notified.\n")
		}
		return
	}
	fmt.Fprintf(b, "\nNotifications by the routes: %d, of which %d report something new\n", len(r.Notifications), r.begins())
	for i, n := range r.Notifications {
		if i == mostShown {
			fmt.Fprintf(b, "  and %d more\n", len(r.Notifications)-mostShown)
			break
		}
		var words []string
		if len(n.Firing) > 0 {
			words = append(words, counted(n.Firing))
		}
		if len(n.Resolved) > 0 {
			words = append(words, "over: "+counted(n.Resolved))
		}
		again := ""
		if n.Reason == routing.Repeated {
			again = "again: "
		}
		wrapped(b, "  ", fmt.Sprintf("%s after the begin to %s: %s%s", Span(n.At), n.Receiver, again, strings.Join(words, "; ")))
	}
}

// counted lists names, each once with its count.
func counted(names []string) string {
	var order []string
	times := map[string]int{}
	for _, n := range names {
		if times[n]++; times[n] == 1 {
			order = append(order, n)
		}
	}
	for i, n := range order {
		if times[n] > 1 {
			order[i] = fmt.Sprintf("%s (%d)", n, times[n])
		}
	}
	return strings.Join(order, ", ")
}
