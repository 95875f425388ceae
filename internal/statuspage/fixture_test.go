package statuspage_test

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// noon is when the tests look: a Saturday.
var noon = time.Date(2026, 11, 28, 11, 30, 20, 0, time.UTC)

// contract has two public levels, one that is not public, and all kinds of things that
// are nobody's business.
const contract = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: acme, description: INTERNAL agreement, labels: {team: internal-team}}
spec:
  timeZone: Europe/Berlin
  parties: {provider: {name: INTERNAL provider}, customers: [INTERNAL customer]}
  statusPage:
    title: "Acme <script>alert(1)</script> & \"friends\""
    description: "How it is doing {{.}} ]]> <b>"
    levels:
      - {level: web/internal-availability, name: "Shop <img src=x onerror=alert(2)>", description: "Looking & buying"}
      - {level: pay/internal-payment, name: "Payment ' onload='alert(3)"}
  maintenance:
    effect: remove_from_agreed_time
    windows:
      - {from: "2026-11-28T12:00", to: "2026-11-28T13:00"}
      - {from: "2026-12-06T02:00", to: "2026-12-06T04:00", reason: internal upgrade, approvedBy: INTERNAL person}
      - {from: "2027-06-06T02:00", to: "2027-06-06T04:00"}
  exclusions: [{name: internal-exclusion, effect: treat_as_up, condition: internal_tests_running == 1}]
  serviceLevels:
    - {name: internal-availability, service: web, description: INTERNAL level, target: "99.87", exclusions: [], indicator: {probe: {http: "https://internal.example/health"}}, credits: {tiers: [{below: "99.87", percent: "13.57"}]}, alerting: {runbook: "https://internal.example/runbook"}}
    - {name: internal-payment, service: pay, target: "99", exclusions: [maintenance], indicator: {events: {bad: 'internal_total{code="500"}', total: internal_total}}}
    - {name: internal-database, service: internal-db, target: "99", indicator: {condition: {expr: internal_db_up == 1}}}
`

// agreementOf is the agreement of a text.
func agreementOf(t testing.TB, text string) *sla.Agreement {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	return agreements[0]
}

// fake is a Source of what happened by the clock, which counts how often it is asked.
type fake struct {
	agreements []*sla.Agreement
	states     map[string]sla.State // by level
	// bad is the bad share of a level at a time, NaN while it is not measured.
	bad   func(slo string, at time.Time) float64
	err   error
	calls int
}

func (f *fake) Agreements() []*sla.Agreement { return f.agreements }

func (f *fake) States(_ context.Context, a *sla.Agreement) (map[sla.ID]sla.State, error) {
	f.calls++
	states := map[sla.ID]sla.State{}
	for _, l := range a.Levels {
		if s, ok := f.states[l.ID.SLO]; ok {
			states[l.ID] = s
		}
	}
	return states, f.err
}

func (f *fake) Tallies(_ context.Context, a *sla.Agreement, from, to time.Time, step time.Duration) (map[sla.ID][]statuspage.Tally, error) {
	f.calls++
	tallies := map[sla.ID][]statuspage.Tally{}
	for _, l := range a.Levels { // also of those that are not public
		for at := from.Add(step); !at.After(to); at = at.Add(step) {
			t := statuspage.Tally{Start: at.Add(-step), End: at}
			for m := t.Start; m.Before(at); m = m.Add(5 * time.Minute) {
				if bad := f.bad(l.ID.SLO, m); !math.IsNaN(bad) {
					t.Total, t.Bad = t.Total+300, t.Bad+300*bad
				}
			}
			tallies[l.ID] = append(tallies[l.ID], t)
		}
	}
	return tallies, f.err
}

func (f *fake) Outages(_ context.Context, a *sla.Agreement, from time.Time) (map[sla.ID][]statuspage.Span, error) {
	f.calls++
	outages := map[sla.ID][]statuspage.Span{}
	for _, l := range a.Levels {
		allowed, open := l.ObjectiveBudget().Float64(), false
		for at := from; at.Before(noon.Truncate(time.Minute)); at = at.Add(time.Minute) {
			all := outages[l.ID]
			bad := f.bad(l.ID.SLO, at)
			switch {
			case bad > allowed && !open:
				outages[l.ID], open = append(all, statuspage.Span{Start: at, Worst: sla.StateDegraded}), true
			case !(bad > allowed) && open:
				all[len(all)-1].End, open = at, false
			}
			if all := outages[l.ID]; bad >= 0.5 {
				all[len(all)-1].Worst = sla.StateDown
			}
		}
	}
	return outages, f.err
}

// eventful are 36 days of which some were not perfect, and a shop that is down since 40
// minutes ago. The database, which is not public, is always down.
func eventful(slo string, at time.Time) float64 {
	ago := noon.Truncate(time.Minute).Sub(at)
	within := func(from, length time.Duration) bool { return ago <= from && ago > from-length }
	const day = 24 * time.Hour
	switch {
	case slo == "internal-database":
		return 1
	case ago > 36*day:
		return math.NaN()
	case slo == "internal-availability" && (within(40*time.Minute, time.Hour) || within(3*day, 17*time.Minute) || within(9*day, 2*time.Hour+5*time.Minute)):
		return 1
	case slo == "internal-payment" && within(20*day, 30*time.Minute):
		return 0.2
	case slo == "internal-payment" && within(6*day, 3*time.Minute):
		return 0.1
	}
	return 0
}

// sample is a Source of contract.
func sample(t testing.TB) *fake {
	return &fake{
		agreements: []*sla.Agreement{agreementOf(t, contract)}, bad: eventful,
		states: map[string]sla.State{"internal-availability": sla.StateDown, "internal-payment": sla.StateMaintenance, "internal-database": sla.StateDown},
	}
}

// rendered are the pages of a source, rendered once.
func rendered(t testing.TB, source *fake, now func() time.Time) *statuspage.Pages {
	t.Helper()
	pages, err := statuspage.New(statuspage.Options{Source: source, Now: now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	pages.Render(context.Background())
	return pages
}
