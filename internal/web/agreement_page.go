package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// agreementPage is an agreement in its customers' words.
type agreementPage struct {
	page
	Name, Description string
	MonthsPath        string
	StatusPage        string // the path of its public page, "" without one
	Facts             []factView
	Promises          []promiseView
	Closed            []ClosedPeriod // the newest first, a year of months at most
	NotIncluded       []string
}

type factView struct{ Name, Value string }

// promiseView is one promise in the customer's words.
type promiseView struct {
	Name, Path  string
	Description string
	Promise     string // "99.9 % over a calendar month"
	Allows      string // "43 min 12 s a period"
	State       mark
	periodSummary
	When     string   // the service hours
	Excluded []string // what does not count
	Credits  []string
}

func (h *pages) agreement(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("sla")
	all := h.opts.Source.Agreements()
	i := slices.IndexFunc(all, func(a *sla.Agreement) bool { return a.Name == name })
	if i < 0 {
		h.noAgreement(w, name)
		return
	}
	levels, err := h.statuses(r.Context())
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	p := h.pageIn(name, zoneOf(all[i]))
	v := newAgreementPage(p, all[i], levels)
	closed, err := h.closedPeriods(r, name)
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	v.Closed = closed[:min(len(closed), 12)]
	h.render(w, http.StatusOK, "agreement", v)
}

func (h *pages) noAgreement(w http.ResponseWriter, name string) {
	h.render(w, http.StatusNotFound, "error", failure{page: h.page("No such agreement"), Words: "There is no agreement " + name + ".", Remedy: "It may have been renamed or removed from the specification."})
}

// closedPeriods returns the closed periods of an agreement, none without reports.
func (h *pages) closedPeriods(r *http.Request, name string) ([]ClosedPeriod, error) {
	if h.opts.Reports == nil {
		return nil, nil
	}
	reports, err := h.opts.Reports.Reports(r.Context())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(reports.Agreements, func(a AgreementReports) bool { return a.Name == name })
	if i < 0 {
		return nil, nil
	}
	return reports.Agreements[i].Closed, nil
}

// Date is the date when a report was made.
func (p agreementPage) Date(c ClosedPeriod) stamp { return p.clock.date(c.Made) }

func newAgreementPage(p page, a *sla.Agreement, levels []LevelStatus) agreementPage {
	v := agreementPage{page: p, Name: a.Name, MonthsPath: agreementPath(a.Name) + "/months", Description: a.Description, Facts: factsOf(a), NotIncluded: a.Terms.NotIncluded}
	if a.StatusPage != nil {
		v.StatusPage = "/status/" + url.PathEscape(a.Name)
	}
	for _, s := range levels {
		if s.Level.ID.SLA != a.Name {
			continue
		}
		if s.State == sla.StateDown {
			v.Down++
		}
		v.Promises = append(v.Promises, newPromise(s, p.clock))
	}
	return v
}

// factsOf says who the parties are, since when the agreement holds, and its time zone.
func factsOf(a *sla.Agreement) []factView {
	var facts []factView
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, factView{name, value})
		}
	}
	t := a.Terms
	customers := and(t.Customers, 10)
	if customers == sla.AllCustomers {
		customers = "every customer, each measured by itself"
	}
	add("Provider", t.Provider.Name)
	add("Customers", customers)
	add("Questions to", t.Provider.Contact)
	if !t.EffectiveFrom.IsZero() {
		add("In effect since", t.EffectiveFrom.String())
	}
	if !t.ReviewOn.IsZero() {
		add("To be reviewed on", t.ReviewOn.String())
	}
	add("Time zone", a.Location().String())
	return facts
}

func newPromise(s LevelStatus, c clock) promiseView {
	l := s.Level
	v := promiseView{
		Name: l.ID.Service + " / " + l.ID.SLO, Path: levelPath(l.ID), Description: l.Description,
		Promise: l.Target.String() + thin + "% over " + overWords(l.Period), State: stateMark(s.State), periodSummary: newPeriodSummary(s, c),
		When: "at all times",
	}
	if l.Aggregation.ByTime() {
		v.Allows = span(l.BudgetTime(l.TargetBudget(), l.Period, c.now))
	}
	if l.ServiceHours != nil {
		v.When = l.ServiceHours.Words()
	}
	for _, e := range l.Exclusions {
		v.Excluded = append(v.Excluded, e.Name)
	}
	for _, t := range l.Credits.Tiers {
		v.Credits = append(v.Credits, t.Percent.String()+thin+"% credit if it is "+t.Words())
	}
	return v
}
