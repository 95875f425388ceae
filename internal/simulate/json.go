package simulate

import (
	"bytes"
	"encoding/json"
	"math"
	"time"

	"github.com/upheld-sla/upheld/internal/routing"
)

// Format names the form of results as JSON. It changes if readers have to change.
const Format = "upheld.simulation/v1"

type resultJSON struct {
	Format         string      `json:"format"`
	Scenario       string      `json:"scenario"`
	Agreement      string      `json:"agreement,omitempty"`
	Begin          time.Time   `json:"begin"`
	End            time.Time   `json:"end"`
	HistorySeconds float64     `json:"historySeconds"`
	ScrapeSeconds  float64     `json:"scrapeIntervalSeconds"`
	Levels         []levelJSON `json:"levels"`
	Others         []alertJSON `json:"otherAlerts"`
	// Notifications are left out if they are unknown.
	Notifications []notificationJSON `json:"notifications,omitempty"`
	Notes         []string           `json:"notes"`
	Expectations  []expectation      `json:"expectations"`
}

type notificationJSON struct {
	At       float64        `json:"seconds"` // after the start
	Receiver string         `json:"receiver"`
	Reason   routing.Reason `json:"reason"`
	Firing   []string       `json:"firing"`
	Resolved []string       `json:"resolved"`
}

type levelJSON struct {
	Service string            `json:"service"`
	Level   string            `json:"level"`
	Group   map[string]string `json:"group,omitempty"`
	Target  string            `json:"target"`
	Alerts  []alertJSON       `json:"alerts"`
	Budget  budgetJSON        `json:"budget"`
	Worst   []windowJSON      `json:"worst"`
	Credit  *creditJSON       `json:"credit,omitempty"`
}

type alertJSON struct {
	Service  string            `json:"service,omitempty"`
	Level    string            `json:"level,omitempty"`
	Name     string            `json:"name"`
	Severity string            `json:"severity"`
	Urgency  string            `json:"urgency"`
	Labels   map[string]string `json:"labels"`
	Summary  string            `json:"summary,omitempty"`
	Pending  float64           `json:"pendingSeconds"`
	Firing   *float64          `json:"firingSeconds,omitempty"`
	Resolved *float64          `json:"resolvedSeconds,omitempty"`
}

type budgetJSON struct {
	Period    string   `json:"period"`
	Unit      string   `json:"unit"` // of bad: "seconds" or "events"
	Spent     *float64 `json:"spent,omitempty"`
	Bad       *float64 `json:"bad,omitempty"`
	Remaining *float64 `json:"remaining,omitempty"`
	Lowest    *float64 `json:"lowest,omitempty"`
	// Verdict is "met" if the target would be met when the rest of the period is good,
	// else "missed"; left out if that is unknown.
	Verdict string `json:"verdict,omitempty"`
}

type windowJSON struct {
	Seconds float64 `json:"windowSeconds"`
	Bad     float64 `json:"bad"`
}

type creditJSON struct {
	Period  string `json:"period"`
	Percent string `json:"percent"`
	Amount  string `json:"amount,omitempty"`
	Words   string `json:"words"`
}

type expectation struct {
	Text string `json:"text"`
	Met  bool   `json:"met"`
	Seen string `json:"seen,omitempty"`
}

// JSON is results as JSON, one object for each.
func JSON(results []*Result) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	for _, r := range results {
		if err := enc.Encode(r.json()); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func (r *Result) json() resultJSON {
	out := resultJSON{
		Format: Format, Scenario: r.Scenario.Name, Agreement: r.Scenario.Agreement, Begin: r.At.UTC(), End: r.End.UTC(),
		HistorySeconds: r.At.Sub(r.From).Seconds(), ScrapeSeconds: r.Scrape.Seconds(),
		Levels: []levelJSON{}, Others: alertsJSON(r.Others), Notes: append([]string{}, r.Notes...), Expectations: []expectation{},
	}
	for _, l := range r.Levels {
		out.Levels = append(out.Levels, l.json())
	}
	for _, n := range r.Notifications {
		out.Notifications = append(out.Notifications, notificationJSON{n.At.Seconds(), n.Receiver, n.Reason, append([]string{}, n.Firing...), append([]string{}, n.Resolved...)})
	}
	for _, e := range r.Scenario.Expect {
		seen := r.seenInstead(e)
		out.Expectations = append(out.Expectations, expectation{e.Text, seen == "", seen})
	}
	return out
}

func (l *LevelResult) json() levelJSON {
	out := levelJSON{
		Service: l.Level.ID.Service, Level: l.Level.ID.SLO, Group: l.Group, Target: l.Target.String(), Alerts: alertsJSON(l.Alerts),
		Budget: budgetJSON{Period: l.Budget.Period, Unit: "events", Spent: known(l.Budget.Spent), Bad: known(l.Budget.Bad), Remaining: known(l.Budget.Remaining), Lowest: known(l.Budget.Lowest)},
		Worst:  []windowJSON{},
	}
	if l.Budget.ByTime {
		out.Budget.Unit = "seconds"
	}
	if l.Budget.Known {
		out.Budget.Verdict = map[bool]string{true: "met", false: "missed"}[l.Budget.met()]
	}
	for _, w := range l.Worst {
		out.Worst = append(out.Worst, windowJSON{w.Length.Seconds(), w.Bad})
	}
	if c := l.Credit; c != nil {
		out.Credit = &creditJSON{c.Period, c.Percent, c.Amount, c.Words}
	}
	return out
}

func alertsJSON(alerts []Alert) []alertJSON {
	all := []alertJSON{}
	for _, a := range alerts {
		out := alertJSON{
			Service: a.Level.Service, Level: a.Level.SLO, Name: a.Name, Severity: a.Severity, Urgency: a.Urgency.String(),
			Labels: a.Labels, Summary: a.Summary, Pending: a.Pending.Seconds(),
		}
		if a.Fired {
			out.Firing = known(a.Firing.Seconds())
		}
		if a.Ended {
			out.Resolved = known(a.Resolved.Seconds())
		}
		all = append(all, out)
	}
	return all
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
