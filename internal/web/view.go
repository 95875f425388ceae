package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// overview is what the template of "/" shows.
type overview struct {
	page
	Agreements []agreementView
	Levels     int
	OK         int
	Failing    int
	NoData     int
	Firing     int
	Pages      int // firing with severity page
}

// The marks of the summary.
func (o overview) OKMark() mark      { return mark{"good", strconv.Itoa(o.OK) + " OK"} }
func (o overview) FailingMark() mark { return mark{"bad", strconv.Itoa(o.Failing) + " failing"} }
func (o overview) NoDataMark() mark  { return mark{"none", strconv.Itoa(o.NoData) + " without data"} }

// AlertMark says how many alerts fire.
func (o overview) AlertMark() mark {
	switch o.Firing {
	case 0:
		return mark{"good", "no alert firing"}
	case 1:
		return mark{"bad", "1 alert firing" + ofPages(o.Pages)}
	}
	return mark{"bad", strconv.Itoa(o.Firing) + " alerts firing" + ofPages(o.Pages)}
}

func ofPages(n int) string {
	if n == 0 {
		return ""
	}
	if n == 1 {
		return ", 1 of them a page"
	}
	return ", " + strconv.Itoa(n) + " of them pages"
}

type agreementView struct {
	Name     string
	Services []serviceView
}

type serviceView struct {
	Name   string
	Levels []levelView
}

// detail is what the template of a level's page shows.
type detail struct {
	page
	levelView
}

// levelView is one level, in words and in numbers formatted for people.
type levelView struct {
	ID          sla.ID
	Anchor      string // unique on the page
	Path        string
	Description string
	Indicator   string
	Target      string
	Objective   string // empty if it is the target
	Period      string
	Aggregation string

	Urgency string // class of the card: that of the worst thing on it
	State   mark
	periodSummary
	More           []moreView // of the level's other periods
	Burns          []burnView
	Alerts         []alertView
	WorstAlert     *alertView // the most urgent alert that is not inactive
	Failures       []failureView
	FailureCount   int          // of all failures in Failures, repeated ones too
	LastFailure    *failureView // the newest failure that counts
	Probed         bool         // by this exporter, so that single failures are known
	Strip          stripView
	Members        []memberView
	ComponentsDown []downComponent // its components that are down now
	Causes         []causeView     // its components that have spent some of its budget
	Composites     []compositeLink // those that it is a component of
	Queries        []queryView
	NoData         bool
	Grouped        bool
	Groups         []groupView   // the worst first
	Recovery       *recoveryView // nil without any
	GroupsLeftOut  int           // how many more groups there are
}

// periodSummary is how a level has done over one period.
type periodSummary struct {
	Verdict  mark // achieved against target
	Achieved string
	Measured string // how much of the period has been measured
	Counted  string // bad events of all; "" for levels by time
	Excess   string // a warning if good events exceed all events
	Excluded string // what service hours and exclusions leave out of what was bad
	Credits  string // which credit is due
	Budget   budgetView
}

type moreView struct {
	Period string
	periodSummary
}

func newPeriodSummary(s LevelStatus) periodSummary {
	l := s.Level
	v := periodSummary{Verdict: mark{"none", "No data yet"}, Budget: newBudget(s), Measured: measuredWords(s), Counted: countedWords(s), Excess: excessWords(s), Excluded: excludedWords(s), Credits: creditWords(s)}
	if s.Achieved.Known {
		v.Achieved = achievedPercent(s.Achieved.Value, l.Target)
		v.Verdict = mark{"good", "Meets the target so far"}
		if below(s.Achieved.Value, l.TargetRatio().Float64()) {
			v.Verdict = mark{"bad", "Below the target so far"}
		}
	}
	return v
}

// needsAttention reports whether the target is missed or the budget spent.
func (v periodSummary) needsAttention() bool {
	return v.Verdict.Class == "bad" || v.Budget.State.Class == "bad"
}

// NoBurn, Quiet, Up and Harmless stand where there is nothing to show.
func (page) NoBurn() mark          { return mark{"none", "No data yet"} }
func (page) NoAlert() mark         { return mark{"good", "Inactive"} }
func (page) NoComponentDown() mark { return mark{"good", "No component"} }
func (page) NothingSpent() mark    { return mark{"good", "Nothing is spent"} }

// mark is a judgement. Its class selects colour and symbol; the word is there
// because colour must never be the only sign.
type mark struct {
	Class string // good, bad, warn, none
	Word  string
}

type burnView struct{ Window, Rate string }

type alertView struct {
	Name, Tier, Severity string
	State                mark
	Since                stamp
	Tiers                []tierView // of a burning budget
	When                 string     // when an alert without tiers fires
	Active, Pending      bool
}

// Rows is how many rows the alert takes in the table.
func (a alertView) Rows() int { return max(len(a.Tiers), 1) }

type tierView struct {
	Name                  string
	Long, Short           string // windows
	Factor, Threshold     string
	LongShare, ShortShare string
}

// failureView is one or more equal failures in a row.
type failureView struct {
	At, First    stamp // of the newest and of the oldest of them
	Times        int
	Reason       string
	Detail       string
	Took         string // the longest
	Inconclusive bool

	took time.Duration
}

type queryView struct{ Title, Expr, Path string }

// stamp is a time, exact for machines and relative for people.
type stamp struct{ ISO, Clock, Ago, For string }

func newStamp(at, now time.Time) stamp {
	if at.IsZero() {
		return stamp{}
	}
	utc := at.UTC()
	clock := utc.Format("15:04:05 UTC")
	if now.Sub(at) > 20*time.Hour {
		clock = utc.Format("2006-01-02 15:04 UTC")
	}
	return stamp{ISO: utc.Format(time.RFC3339), Clock: clock, Ago: ago(at, now), For: span(max(0, now.Sub(at)).Truncate(time.Second))}
}

func newOverview(p page, statuses []LevelStatus) overview {
	o := overview{page: p, Levels: len(statuses)}
	for _, s := range statuses {
		v := newLevel(s, p.now)
		if n := len(v.Groups) - groupsInOverview; n > 0 {
			v.Groups, v.GroupsLeftOut = v.Groups[:groupsInOverview], n
		}
		switch s.State {
		case OK:
			o.OK++
		case Failing:
			o.Failing++
		default:
			o.NoData++
		}
		for _, a := range s.Alerts {
			if a.State == Firing {
				o.Firing++
				if sla.UrgencyOf([]*sla.ServiceLevel{s.Level}, a.Severity) == sla.Page {
					o.Pages++
				}
			}
		}
		o.add(v)
	}
	return o
}

// add puts a level under its agreement and service, which stay in the order in
// which they first appear.
func (o *overview) add(v levelView) {
	i := slices.IndexFunc(o.Agreements, func(a agreementView) bool { return a.Name == v.ID.SLA })
	if i < 0 {
		i = len(o.Agreements)
		o.Agreements = append(o.Agreements, agreementView{Name: v.ID.SLA})
	}
	a := &o.Agreements[i]
	j := slices.IndexFunc(a.Services, func(s serviceView) bool { return s.Name == v.ID.Service })
	if j < 0 {
		j = len(a.Services)
		a.Services = append(a.Services, serviceView{Name: v.ID.Service})
	}
	a.Services[j].Levels = append(a.Services[j].Levels, v)
}

// levelPath is the path of a level's page.
func levelPath(id sla.ID) string {
	return "/level/" + url.PathEscape(id.SLA) + "/" + url.PathEscape(id.Service) + "/" + url.PathEscape(id.SLO)
}

func newLevel(s LevelStatus, now time.Time) levelView {
	l := s.Level
	v := levelView{
		ID: l.ID, Anchor: strings.Join([]string{l.ID.SLA, l.ID.Service, l.ID.SLO}, "_"), Path: levelPath(l.ID),
		Description: l.Description, Indicator: l.Indicator.Words(),
		Target: l.Target.String() + thin + "%", Period: periodWords(l.Period),
		Aggregation: l.AggregationWords(),
		State:       stateMark(s.State), Grouped: len(l.GroupBy.Labels) > 0, periodSummary: newPeriodSummary(s), Strip: newStrip(s, now), NoData: !s.Achieved.Known,
		Probed: sla.IsProbed(l.Indicator), Members: newMembers(s.Members, now), Composites: newCompositeLinks(l),
		ComponentsDown: newDownComponents(s.Members, now), Causes: newCauses(l, s.Members, now),
	}
	v.Recovery = newRecovery(s, now)
	if l.Objective.Cmp(l.Target) != 0 {
		v.Objective = l.Objective.String() + thin + "%"
	}
	attention := v.needsAttention()
	for _, g := range s.Groups {
		group := newGroup(g, now)
		v.Groups, v.NoData = append(v.Groups, group), v.NoData && !g.Achieved.Known
		attention = attention || group.needsAttention()
	}
	for i := range s.More {
		more := moreView{periodWords(l.MorePeriods[i]), newPeriodSummary(s.overPeriod(i))}
		v.More, attention = append(v.More, more), attention || more.needsAttention()
	}
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour} {
		if share, ok := s.BadShare[w]; ok && l.TargetBudget().Sign() > 0 {
			v.Burns = append(v.Burns, burnView{sla.FormatDuration(w), times(share / l.TargetBudget().Float64())})
		}
	}
	for _, a := range s.Alerts {
		v.Alerts = append(v.Alerts, newAlert(a, s, now))
	}
	v.WorstAlert, v.FailureCount = mostUrgent(v.Alerts), len(s.Failures)
	v.Urgency = v.State.Class
	if s.State != Failing && (v.WorstAlert != nil || attention) {
		v.Urgency = "warn"
	}
	v.Failures = failures(s.Failures, now)
	if i := slices.IndexFunc(v.Failures, func(f failureView) bool { return !f.Inconclusive }); i >= 0 {
		v.LastFailure = &v.Failures[i]
	}
	for _, q := range s.Queries {
		v.Queries = append(v.Queries, queryView{q.Title, q.Expr, "/api/v1/query?query=" + url.QueryEscape(q.Expr)})
	}
	return v
}

func stateMark(s State) mark {
	switch s {
	case OK:
		return mark{"good", "OK"}
	case Failing:
		return mark{"bad", "Failing"}
	}
	return mark{"none", "No data"}
}

// failures merges equal failures in a row: an outage is one line, not one for
// each probe.
func failures(all []Failure, now time.Time) []failureView {
	var views []failureView
	for _, f := range all {
		at, reason := newStamp(f.At, now), strings.ReplaceAll(f.Reason, "_", " ")
		if n := len(views); n > 0 {
			if last := &views[n-1]; last.Reason == reason && last.Detail == f.Detail && last.Inconclusive == f.Inconclusive {
				last.First, last.Times, last.took = at, last.Times+1, max(last.took, f.Duration)
				last.Took = probeTime(last.took)
				continue
			}
		}
		views = append(views, failureView{
			At: at, First: at, Times: 1, Reason: reason, Detail: f.Detail,
			Took: probeTime(f.Duration), Inconclusive: f.Inconclusive, took: f.Duration,
		})
	}
	return views
}

// measuredWords says how much of the period has been measured.
func measuredWords(s LevelStatus) string {
	period := s.Level.Period.Nominal()
	switch {
	case !s.Coverage.Known:
		return ""
	case s.Coverage.Value >= 0.99:
		return "the whole period measured"
	}
	return span(time.Duration(s.Coverage.Value*float64(period))) + " of " + span(period) + " measured"
}

// countedWords says how many events were bad; it is empty for levels by time.
func countedWords(s LevelStatus) string {
	if s.Level.Aggregation.ByTime() || !s.Bad.Known || !s.Total.Known {
		return ""
	}
	return count(s.Bad.Value, false) + " bad of " + count(s.Total.Value, true) + " events"
}

// excessWords warns that the query for good events counts more than that for all.
func excessWords(s LevelStatus) string {
	if !s.Excess.Known {
		return ""
	}
	return percent(s.Excess.Value) + " more good events than events: the two queries do not count the same, which hides as many bad events"
}

// mostUrgent returns the first alert that fires, or else the first pending one.
func mostUrgent(alerts []alertView) *alertView {
	for i := range alerts {
		if alerts[i].Active && !alerts[i].Pending {
			return &alerts[i]
		}
	}
	for i := range alerts {
		if alerts[i].Pending {
			return &alerts[i]
		}
	}
	return nil
}

// alertWords says when an alert without tiers fires.
func alertWords(name string) string {
	for _, k := range sla.AlertKinds {
		if k.Name == name {
			return k.When
		}
	}
	return ""
}

func newAlert(a Alert, s LevelStatus, now time.Time) alertView {
	v := alertView{Name: a.Name, Tier: a.Tier, Severity: a.Severity, State: mark{"good", "Inactive"}, When: alertWords(a.Name)}
	switch a.State {
	case Firing:
		v.State, v.Active, v.Since = mark{"bad", "Firing"}, true, newStamp(a.Since, now)
	case Pending:
		v.State, v.Active, v.Pending, v.Since = mark{"warn", "Pending"}, true, true, newStamp(a.Since, now)
	}
	if a.Name != sla.AlertBudgetBurn.Name {
		return v
	}
	for _, b := range s.Level.BurnAlerts() {
		if b.Severity != a.Severity || b.Tier != a.Tier {
			continue
		}
		for _, t := range b.Tiers {
			threshold, _ := t.Threshold(s.Level.ObjectiveBudget())
			v.Tiers = append(v.Tiers, tierView{
				Name: t.Name, Long: sla.FormatDuration(t.Long), Short: sla.FormatDuration(t.Short),
				Factor: times(t.Factor.Float64()), Threshold: percent(threshold.Float64()),
				LongShare: share(s, t.Long), ShortShare: share(s, t.Short),
			})
		}
	}
	return v
}

func share(s LevelStatus, window time.Duration) string {
	if bad, ok := s.BadShare[window]; ok {
		return percent(bad)
	}
	return "no data"
}
