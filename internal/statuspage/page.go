package statuspage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Page is what the public may see of an agreement. Its JSON is documented in
// docs/status-page.md.
type Page struct {
	Title       string        `json:"title"`
	Description string        `json:"description,omitempty"`
	GeneratedAt time.Time     `json:"generatedAt"`
	TimeZone    string        `json:"timeZone"`
	State       string        `json:"state"` // the worst of the components'
	Sentence    string        `json:"sentence"`
	Components  []Component   `json:"components"`
	Outages     []Outage      `json:"outages"` // the latest first
	Maintenance []Maintenance `json:"maintenance"`

	zone  *time.Location
	state sla.State
}

// Component is a level as customers know it.
type Component struct {
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	State       string     `json:"state"`
	Since       *time.Time `json:"since"`     // of the ongoing outage
	GoodShare   *float64   `json:"goodShare"` // of all days; nil if nothing was measured
	Days        []Day      `json:"days"`      // the oldest first

	state sla.State
}

// Day is a day of the agreement's time zone.
type Day struct {
	Date     string   `json:"date"`     // 2026-11-30
	BadShare *float64 `json:"badShare"` // nil if nothing was measured, or nothing was agreed
}

// Outage is a time in which a component was down or degraded.
type Outage struct {
	Component string     `json:"component"`
	State     string     `json:"state"` // the worst state in it: down or degraded
	Start     time.Time  `json:"start"`
	End       *time.Time `json:"end"` // nil while it lasts
	Seconds   float64    `json:"seconds"`

	state sla.State
}

// Maintenance is a current or planned window.
type Maintenance struct {
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Components []string  `json:"components"`
}

// known is a pointer to a value, for JSON where null means unknown.
func known[T any](v T) *T { return &v }

// page makes the page of an agreement from what is known at a time.
func page(a *sla.Agreement, past *past, states map[sla.ID]sla.State, now time.Time) Page {
	zone := a.Location()
	p := Page{
		Title: a.StatusPage.Title, Description: a.StatusPage.Description, GeneratedAt: now.UTC(), TimeZone: zone.String(), zone: zone,
		Components: []Component{}, Outages: []Outage{}, Maintenance: maintenance(a, now),
	}
	for _, public := range a.StatusPage.Levels {
		l := levelOf(a, public.Level)
		if l == nil {
			continue // of another revision
		}
		c := Component{Name: public.Name, Description: public.Description, state: presentState(l, states, now)}
		c.State = c.state.String()
		outages := outagesOf(public.Name, past.outages[l.ID], now)
		for _, o := range outages {
			if o.End == nil {
				c.Since = known(o.Start)
			}
		}
		c.Days, c.GoodShare = days(past.tallies[l.ID], zone, now)
		p.Components = append(p.Components, c)
		p.Outages = append(p.Outages, outages...)
	}
	slices.SortStableFunc(p.Outages, func(a, b Outage) int { return b.Start.Compare(a.Start) })
	p.Outages = p.Outages[:min(len(p.Outages), maxOutages)]
	for _, c := range p.Components {
		p.state = max(p.state, c.state)
	}
	p.State, p.Sentence = p.state.String(), p.sentence()
	return p
}

func levelOf(a *sla.Agreement, id sla.ID) *sla.ServiceLevel {
	i := slices.IndexFunc(a.Levels, func(l *sla.ServiceLevel) bool { return l.ID == id })
	if i < 0 {
		return nil
	}
	return a.Levels[i]
}

// presentState is the current state of a level. Hours and windows are known without a
// measurement.
func presentState(l *sla.ServiceLevel, states map[sla.ID]sla.State, now time.Time) sla.State {
	if s, ok := states[l.ID]; ok && s != sla.StateUnknown {
		return s
	}
	const moment = time.Second
	if len(l.Service(now, now.Add(moment))) == 0 {
		return sla.StateOutOfHours
	}
	for _, e := range l.Exclusions {
		if e.Name == sla.MaintenanceName && len(e.Spans(now, now.Add(moment))) > 0 {
			return sla.StateMaintenance
		}
	}
	return sla.StateUnknown
}

// clauses are the parts of the sentence on top about what is not well, the worst first:
// for one component and for several, without a time and with one.
var clauses = []struct {
	state               sla.State
	one, many           string
	oneSince, manySince string
}{
	{sla.StateDown, "%s is down", "%s are down", "%s has been down since ", "%s have been down since "},
	{sla.StateDegraded, "%s works only in part", "%s work only in part", "%s has worked only in part since ", "%s have worked only in part since "},
	{sla.StateUnknown, "how %s is doing is not known", "how %s are doing is not known", "", ""},
	{sla.StateMaintenance, "%s is under maintenance", "%s are under maintenance", "", ""},
}

// sentence says in one sentence how everything is.
func (p *Page) sentence() string {
	var parts []string
	for _, c := range clauses {
		var names []string
		var since *time.Time
		for _, of := range p.Components {
			if of.state != c.state {
				continue
			}
			names = append(names, of.Name)
			if of.Since != nil && (since == nil || of.Since.Before(*since)) {
				since = of.Since
			}
		}
		if len(names) == 0 {
			continue
		}
		form, after := c.one, ""
		if len(names) > 1 {
			form = c.many
		}
		if since != nil && c.oneSince != "" {
			form, after = c.oneSince, p.moment(*since)
			if len(names) > 1 {
				form = c.manySince
			}
		}
		part := fmt.Sprintf(form, enumerate(names)) + after
		parts = append(parts, part)
	}
	switch {
	case len(parts) > 0:
		return capitalized(strings.Join(parts, "; ")) + "."
	case p.state == sla.StateOutOfHours && !slices.ContainsFunc(p.Components, func(c Component) bool { return c.state != sla.StateOutOfHours }):
		return "It is outside of the service hours."
	}
	return "Everything works."
}

// moment is a time in the agreement's zone, with its date unless it is today.
func (p *Page) moment(t time.Time) string {
	local := t.In(p.zone)
	if local.Format(time.DateOnly) == p.GeneratedAt.In(p.zone).Format(time.DateOnly) {
		return local.Format("15:04 MST")
	}
	return local.Format("2 January 15:04 MST")
}

// enumerate prints "a", "a and b", "a, b and c".
func enumerate(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// capitalized begins a sentence: "how" is our own word, and component names stay as
// written.
func capitalized(s string) string {
	if strings.HasPrefix(s, "how ") {
		return "H" + s[1:]
	}
	return s
}
