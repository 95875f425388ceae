package backtest

import (
	"encoding/json"
	"math"
	"time"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// resultJSON is a result for machines. Times are RFC 3339 in UTC, shares are 0 to 1.
type resultJSON struct {
	Spec          string             `json:"spec,omitempty"`
	From          time.Time          `json:"from"`
	To            time.Time          `json:"to"`
	Series        int                `json:"rawSeries"`
	Samples       int                `json:"rawSamples"`
	Holes         []spanJSON         `json:"holes"`
	Alerts        []alertJSON        `json:"alerts"`
	Notifications []notificationJSON `json:"notifications"`
	Budgets       []budgetJSON       `json:"budgets"`
	Verdicts      []verdictJSON      `json:"verdicts"`
	Errors        []errorJSON        `json:"ruleErrors"`
}

type spanJSON struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

type alertJSON struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels"`
	Firing      time.Time         `json:"firing"`
	Resolved    *time.Time        `json:"resolved,omitempty"` // none if it was still firing at the end
	Summary     string            `json:"summary,omitempty"`
	Description string            `json:"description,omitempty"`
}

type notificationJSON struct {
	At       time.Time           `json:"at"`
	Receiver string              `json:"receiver"`
	Kind     string              `json:"kind,omitempty"`
	Reason   routing.Reason      `json:"reason"`
	Firing   []map[string]string `json:"firing"`
	Resolved []map[string]string `json:"resolved"`
}

type budgetJSON struct {
	Agreement string            `json:"agreement"`
	Service   string            `json:"service"`
	Level     string            `json:"level"`
	Group     map[string]string `json:"group,omitempty"`
	Period    string            `json:"period"`
	End       float64           `json:"left"`
	Lowest    Point             `json:"lowest"`
	Days      []Point           `json:"days"`
	Worst     *float64          `json:"worstBadShare,omitempty"`
	Suggested string            `json:"suggestedTarget,omitempty"`
}

type verdictJSON struct {
	Agreement string          `json:"agreement"`
	Period    string          `json:"period"`
	Verdict   verdict.Verdict `json:"verdict"`
	Levels    []levelJSON     `json:"levels"`
}

type levelJSON struct {
	Service  string            `json:"service"`
	Level    string            `json:"level"`
	Group    map[string]string `json:"group,omitempty"`
	Verdict  verdict.Verdict   `json:"verdict"`
	Target   string            `json:"target"`
	Achieved string            `json:"achieved"`
}

type errorJSON struct {
	Rule  replay.Rule `json:"rule"`
	Count int         `json:"count"`
	First time.Time   `json:"first"`
	Error string      `json:"error"`
}

// JSON is the results as JSON, each with the name of its specification.
func JSON(names []string, results []*Result) ([]byte, error) {
	all := make([]resultJSON, len(results))
	for i, r := range results {
		all[i] = r.json()
		all[i].Spec = names[i]
	}
	text, err := json.MarshalIndent(map[string]any{"format": "upheld-backtest/1", "results": all}, "", "  ")
	return append(text, '\n'), err
}

// instant is a time with the precision of samples: in UTC, to a millisecond.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func (r *Result) json() resultJSON {
	j := resultJSON{
		From: r.From.UTC(), To: r.To.UTC(), Series: r.Series, Samples: r.Samples,
		Holes: []spanJSON{}, Alerts: []alertJSON{}, Notifications: []notificationJSON{}, Budgets: []budgetJSON{}, Verdicts: []verdictJSON{}, Errors: []errorJSON{},
	}
	for _, h := range r.Holes {
		j.Holes = append(j.Holes, spanJSON(h))
	}
	for _, a := range r.Alerts {
		out := alertJSON{Name: a.Name, Labels: a.Labels, Firing: instant(a.Firing), Summary: a.Title, Description: a.Details}
		if !a.Resolved.IsZero() {
			at := instant(a.Resolved)
			out.Resolved = &at
		}
		j.Alerts = append(j.Alerts, out)
	}
	for _, n := range r.Notifications {
		j.Notifications = append(j.Notifications, notificationJSON{instant(n.At), n.Receiver, n.Kind, n.Reason, append([]map[string]string{}, n.Firing...), append([]map[string]string{}, n.Resolved...)})
	}
	for _, b := range r.Budgets {
		out := budgetJSON{Agreement: b.Level.SLA, Service: b.Level.Service, Level: b.Level.SLO, Group: b.Group, Period: b.Period, End: b.End, Lowest: b.Lowest, Days: b.Days}
		if !math.IsNaN(b.WorstBad) {
			out.Worst, out.Suggested = &b.WorstBad, Suggested(b.WorstBad)
		}
		j.Budgets = append(j.Budgets, out)
	}
	for _, v := range r.Verdicts {
		out := verdictJSON{Agreement: v.Agreement, Period: v.Period, Verdict: v.Verdict, Levels: []levelJSON{}}
		for _, l := range v.Levels {
			out.Levels = append(out.Levels, levelJSON{l.Service, l.SLO, l.Group, l.Verdict, l.Target, l.Achieved})
		}
		j.Verdicts = append(j.Verdicts, out)
	}
	for _, e := range r.Errors {
		j.Errors = append(j.Errors, errorJSON{e.Rule, e.Count, instant(e.First), e.Err.Error()})
	}
	return j
}
