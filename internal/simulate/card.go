package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/upheld-sla/upheld/internal/figures"
	"github.com/upheld-sla/upheld/sla"
)

// Card says how long the alerts of a level take to report outages of several sizes.
type Card struct {
	Level  *sla.ServiceLevel
	Rows   []CardRow
	Random *Random // nil if unknown
	Notes  []string
}

// CardRow is one size of outage.
type CardRow struct {
	Burn  float64       // times faster than allowed; 0 for a total outage
	Bad   float64       // share
	Lasts time.Duration // as it was simulated
	// Detected is how long the first alert of each urgency takes to fire, and Formula
	// how long it would by the SRE workbook; nil for never.
	Detected, Formula map[sla.Urgency]time.Duration
	Reset             time.Duration // from the end of the outage to the end of the last burn alert; negative: later than the simulation looked
	Alerts            int           // that fired in all
	Spent             float64       // share of the budget, until the first burn alert fired
}

// CardBurns are the usual sizes of outage on a card; 0 is a total one.
func CardBurns() []float64 { return []float64{0, 100, 10, 5, 2, 1.2} }

// NewCard simulates outages of several sizes of a level. The input's scenario says
// everything except what happens. Sizes above a total outage are left out.
func NewCard(ctx context.Context, in Input, l *sla.ServiceLevel, sizes ...float64) (*Card, error) {
	c := &Card{Level: l}
	budget := l.TargetBudget().Float64()
	var burns []float64
	for _, burn := range sizes {
		if burn*budget < 1 {
			burns = append(burns, burn)
		}
	}
	for i, burn := range burns {
		row := CardRow{Burn: burn, Bad: burn * budget}
		if burn == 0 {
			row.Bad = 1
		}
		row.Formula = workbook(l, row.Bad)
		row.Lasts = c.lasts(row)
		s := *in.Scenario
		s.Levels = []sla.ID{l.ID}
		step := sla.ScenarioStep{Kind: sla.StepOutage, Share: sla.NewDecimal(100, 1), For: row.Lasts, Levels: s.Levels}
		if burn > 0 {
			step.Kind, step.Rate = sla.StepBurn, sla.NewDecimal(int64(burn*10), 10)
		}
		s.Steps, s.LookFor = []sla.ScenarioStep{step}, row.Lasts+c.resets()
		run := in
		run.Scenario = &s
		if in.Progress != nil {
			run.Progress = func(share float64) { in.Progress((float64(i) + share) / float64(len(burns))) }
		}
		result, err := Run(ctx, run)
		if err != nil {
			return nil, err
		}
		row.read(result)
		c.Rows = append(c.Rows, row)
	}
	c.Notes = c.notes(in)
	var err error
	c.Random, err = c.random(ctx, in)
	return c, err
}

// workbook is the time to detect by the SRE workbook, for the fastest tier of each
// urgency: (1 - SLO) / error ratio × window × burn threshold.
func workbook(l *sla.ServiceLevel, bad float64) map[sla.Urgency]time.Duration {
	found := map[sla.Urgency]time.Duration{}
	for _, t := range l.Alerting.Tiers {
		threshold, _ := t.Threshold(l.ObjectiveBudget())
		if bad < threshold.Float64() {
			continue // never
		}
		d := time.Duration(threshold.Float64() / bad * float64(t.Long))
		if had, ok := found[t.Urgency]; !ok || d < had {
			found[t.Urgency] = d
		}
	}
	return found
}

// lasts is how long an outage must last so that all its alerts fire, with half an hour
// for what the formula ignores.
func (c *Card) lasts(row CardRow) time.Duration {
	const least, more = 30 * time.Minute, 30 * time.Minute
	longest, hold := least, time.Duration(0)
	for _, d := range row.Formula {
		longest = max(longest, d)
	}
	for _, t := range c.Level.Alerting.Tiers {
		hold = max(hold, t.For)
	}
	return (longest + longest/5 + hold + more).Truncate(time.Minute)
}

// resets is how long after an outage all burn alerts have resolved.
func (c *Card) resets() time.Duration {
	longest := time.Hour
	for _, a := range c.Level.BurnAlerts() {
		longest = max(longest, a.TimeToResolve())
	}
	return longest + settled
}

// read takes the figures of a row from a result.
func (row *CardRow) read(r *Result) {
	row.Detected = map[sla.Urgency]time.Duration{}
	first := time.Duration(math.MaxInt64)
	for _, a := range r.Levels[0].Alerts {
		if !a.Fired || a.Before {
			continue
		}
		row.Alerts++
		if a.Name != sla.AlertBudgetBurn.Name {
			continue
		}
		if had, ok := row.Detected[a.Urgency]; !ok || a.Firing < had {
			row.Detected[a.Urgency] = a.Firing
		}
		first = min(first, a.Firing)
		if row.Reset = max(row.Reset, a.Resolved-row.Lasts); !a.Ended {
			row.Reset = -1
		}
	}
	if b := r.Levels[0].Budget; len(row.Detected) > 0 && b.Known {
		row.Spent = b.Spent * float64(first) / float64(row.Lasts)
	}
}

// notes say why the simulated times differ from those of the formula.
func (c *Card) notes(in Input) []string {
	l := c.Level
	scrape := in.Scenario.ScrapeInterval
	if scrape == 0 {
		scrape = DefaultScrape
	}
	notes := []string{fmt.Sprintf("The formula is (1 - target) / bad share x window x burn rate threshold. Rules add: an outage enters windows through five-minute rates, which takes about %s; "+
		"a scrape comes every %s, an evaluation every %s, and of windows above 6h every five.", Span(sla.BaseWindow/2), sla.FormatDuration(scrape), "1m")}
	var holds []string
	for _, t := range l.Alerting.Tiers {
		if t.For > 0 {
			holds = append(holds, t.Name+" "+sla.FormatDuration(t.For))
		}
	}
	if len(holds) > 0 {
		notes = append(notes, "The formula does not know how long alerts wait (for): "+strings.Join(holds, ", ")+".")
	}
	if l.Objective.Cmp(l.Target) != 0 {
		notes = append(notes, fmt.Sprintf("Alerts follow the objective, %s %%; multiples are of the target's budget.", l.Objective))
	}
	if turn(l) > 0 {
		notes = append(notes, fmt.Sprintf("The level judges whole minutes or slots, so multiples are simulated as total outages of %s by turns. An alert may end and fire again between them.", sla.FormatDuration(turn(l))))
	}
	if slices.ContainsFunc(l.BurnAlerts(), func(a sla.BurnAlert) bool { return !a.Pages() && slices.ContainsFunc(l.BurnAlerts(), a.WithheldBy) }) {
		notes = append(notes, "A ticket does not begin while a page reports the same outage.")
	}
	if l.Alerting.MinimumEvents > 0 || l.Alerting.MinimumBadEvents > 0 {
		notes = append(notes, "Alerts wait for a minimum of events: with less traffic they fire later, or never.")
	}
	return notes
}

// CardText is cards for a terminal.
func CardText(cards []*Card) []byte {
	var b bytes.Buffer
	for i, c := range cards {
		if i > 0 {
			b.WriteString("\n")
		}
		wrapped(&b, "", fmt.Sprintf("Report card of %s/%s, target %s %% of %s", c.Level.ID.Service, c.Level.ID.SLO, c.Level.Target, c.Level.Period))
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprint(w, "  burn\tbad\tpage\tformula\tticket\tformula\tspent\tends after\talerts\n")
		for _, r := range c.Rows {
			burn := "outage"
			if r.Burn > 0 {
				burn = fmt.Sprintf("%gx", r.Burn)
			}
			spent, reset := "-", "-"
			if len(r.Detected) > 0 {
				spent, reset = figures.Percent(r.Spent), Span(r.Reset)
				if r.Reset < 0 {
					reset = "longer"
				}
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", burn, figures.Percent(r.Bad), when(r.Detected, sla.Page), when(r.Formula, sla.Page),
				when(r.Detected, sla.Ticket), when(r.Formula, sla.Ticket), spent, reset, r.Alerts)
		}
		_ = w.Flush() // a buffer never fails
		if c.Random != nil {
			wrapped(&b, "  ", c.Random.words())
		}
		for _, n := range c.Notes {
			wrapped(&b, "  ", n)
		}
	}
	return b.Bytes()
}

func when(of map[sla.Urgency]time.Duration, u sla.Urgency) string {
	if d, ok := of[u]; ok {
		return Span(d)
	}
	return "never"
}

type cardJSON struct {
	Format    string        `json:"format"`
	Agreement string        `json:"agreement"`
	Service   string        `json:"service"`
	Level     string        `json:"level"`
	Target    string        `json:"target"`
	Rows      []cardRowJSON `json:"rows"`
	Random    *randomJSON   `json:"randomErrors,omitempty"`
	Notes     []string      `json:"notes"`
}

type cardRowJSON struct {
	Burn     float64            `json:"burn,omitempty"` // left out for a total outage
	Bad      float64            `json:"bad"`
	Lasts    float64            `json:"outageSeconds"`
	Detected map[string]float64 `json:"detectedSeconds"`
	Formula  map[string]float64 `json:"formulaSeconds"`
	Reset    *float64           `json:"resetSeconds,omitempty"`
	Spent    float64            `json:"spentAtFirstAlert"`
	Alerts   int                `json:"alerts"`
}

// randomJSON is Random as JSON.
type randomJSON struct {
	Days    int `json:"days"`
	Pages   int `json:"pages"`
	Tickets int `json:"tickets"`
}

// CardFormat names the form of cards as JSON.
const CardFormat = "upheld.reportcard/v1"

// CardJSON is cards as JSON, one object for each.
func CardJSON(cards []*Card) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	for _, c := range cards {
		id := c.Level.ID
		out := cardJSON{Format: CardFormat, Agreement: id.SLA, Service: id.Service, Level: id.SLO, Target: c.Level.Target.String(), Notes: append([]string{}, c.Notes...)}
		if c.Random != nil {
			random := randomJSON(*c.Random)
			out.Random = &random
		}
		for _, r := range c.Rows {
			row := cardRowJSON{Burn: r.Burn, Bad: r.Bad, Lasts: r.Lasts.Seconds(), Detected: inSeconds(r.Detected), Formula: inSeconds(r.Formula), Spent: r.Spent, Alerts: r.Alerts}
			if len(r.Detected) > 0 && r.Reset >= 0 {
				row.Reset = known(r.Reset.Seconds())
			}
			out.Rows = append(out.Rows, row)
		}
		if err := enc.Encode(out); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func inSeconds(of map[sla.Urgency]time.Duration) map[string]float64 {
	out := map[string]float64{}
	for u, d := range of {
		out[u.String()] = d.Seconds()
	}
	return out
}
