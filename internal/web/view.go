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

// What the summary says, each with its own sign.
func (o overview) OKMark() mark      { return mark{"good", strconv.Itoa(o.OK) + " OK"} }
func (o overview) FailingMark() mark { return mark{"bad", strconv.Itoa(o.Failing) + " failing"} }
func (o overview) NoDataMark() mark  { return mark{"none", strconv.Itoa(o.NoData) + " without data"} }

// AlertMark counts the alerts that fire.
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

// levelView is one level in words and in numbers made for people.
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

	Urgency string // class of the whole card: the worst of all that it shows
	State   mark
	standing
	More     []moreView // of the level's other periods
	Burns    []burnView
	Alerts   []alertView
	Worst    *alertView // the most urgent alert that is not inactive
	Failures []failureView
	Seen     int          // single failures in Failures
	Last     *failureView // the newest failure that counts
	Probed   bool         // single measurements are seen, so failures are known
	Strip    stripView
	Members  []memberView
	Downs    []downView  // components of it that are down
	Causes   []causeView // components by what they have spent of its budget
	Wholes   []wholeView // composites that it is a part of
	Queries  []queryView
	NoData   bool
	Grouped  bool
	Groups   []groupView // the worst first
	MoreOf   int         // groups that Groups leaves out
}

// standing is how a level does over one period.
type standing struct {
	Verdict  mark // achieved against target
	Achieved string
	Measured string // how much of the period has been measured
	Counted  string // events, where they are counted
	Excess   string // that good events exceed them
	LeftOut  string // what hours and exclusions took out of what was bad
	Owed     string // credits
	Budget   budgetView
}

type moreView struct {
	Period string
	standing
}

func newStanding(s LevelStatus) standing {
	l := s.Level
	v := standing{Verdict: mark{"none", "No data yet"}, Budget: newBudget(s), Measured: measured(s), Counted: counted(s), Excess: excess(s), LeftOut: leftOut(s), Owed: owed(s)}
	if s.Achieved.Known {
		v.Achieved = achieved(s.Achieved.Value, l.Target)
		v.Verdict = mark{"good", "Meets the target so far"}
		if below(s.Achieved.Value, l.TargetRatio().Float64()) {
			v.Verdict = mark{"bad", "Below the target so far"}
		}
	}
	return v
}

// worry tells whether the period calls for attention.
func (v standing) worry() bool { return v.Verdict.Class == "bad" || v.Budget.State.Class == "bad" }

// NoBurn, Quiet, Up and Harmless stand where there is nothing to show.
func (page) NoBurn() mark   { return mark{"none", "No data yet"} }
func (page) Quiet() mark    { return mark{"good", "Inactive"} }
func (page) Up() mark       { return mark{"good", "No component"} }
func (page) Harmless() mark { return mark{"good", "Nothing is spent"} }

// mark is a judgement: a class for the colour, and a word, because colour is
// never the only sign. The class also picks the symbol.
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
	When                 string     // it fires, of one without tiers
	Active, Pending      bool
}

// Rows is how many rows of a table the alert takes.
func (a alertView) Rows() int { return max(len(a.Tiers), 1) }

type tierView struct {
	Name                  string
	Long, Short           string // windows
	Factor, Threshold     string
	LongShare, ShortShare string
}

// failureView is a run of failures alike, told once.
type failureView struct {
	At, First    stamp // of the newest and of the oldest
	Times        int
	Reason       string
	Detail       string
	Took         string // the longest
	Inconclusive bool

	took time.Duration
}

type queryView struct{ Title, Expr, Path string }

// stamp is a moment: exact for machines, relative for people.
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
			v.Groups, v.MoreOf = v.Groups[:groupsInOverview], n
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

// levelPath is where the page of a level is.
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
		State:       stateMark(s.State), Grouped: len(l.GroupBy.Labels) > 0, standing: newStanding(s), Strip: newStrip(s, now), NoData: !s.Achieved.Known,
		Probed: sla.IsProbed(l.Indicator), Members: newMembers(s.Members, now), Wholes: newWholes(l),
		Downs: newDowns(s.Members, now), Causes: newCauses(l, s.Members, now),
	}
	if l.Objective.Cmp(l.Target) != 0 {
		v.Objective = l.Objective.String() + thin + "%"
	}
	worry := v.worry()
	for _, g := range s.Groups {
		group := newGroup(g, now)
		v.Groups, v.NoData = append(v.Groups, group), v.NoData && !g.Achieved.Known
		worry = worry || group.worry()
	}
	for i := range s.More {
		more := moreView{periodWords(l.MorePeriods[i]), newStanding(s.over(i))}
		v.More, worry = append(v.More, more), worry || more.worry()
	}
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour} {
		if share, ok := s.BadShare[w]; ok && l.TargetBudget().Sign() > 0 {
			v.Burns = append(v.Burns, burnView{sla.FormatDuration(w), times(share / l.TargetBudget().Float64())})
		}
	}
	for _, a := range s.Alerts {
		v.Alerts = append(v.Alerts, newAlert(a, s, now))
	}
	v.Worst, v.Seen = worst(v.Alerts), len(s.Failures)
	v.Urgency = v.State.Class
	if s.State != Failing && (v.Worst != nil || worry) {
		v.Urgency = "warn"
	}
	v.Failures = failures(s.Failures, now)
	if i := slices.IndexFunc(v.Failures, func(f failureView) bool { return !f.Inconclusive }); i >= 0 {
		v.Last = &v.Failures[i]
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

// failures puts neighbours that fail alike into one: an outage is one line, not
// one for each probe.
func failures(all []Failure, now time.Time) []failureView {
	var views []failureView
	for _, f := range all {
		at, reason := newStamp(f.At, now), strings.ReplaceAll(f.Reason, "_", " ")
		if n := len(views); n > 0 {
			if last := &views[n-1]; last.Reason == reason && last.Detail == f.Detail && last.Inconclusive == f.Inconclusive {
				last.First, last.Times, last.took = at, last.Times+1, max(last.took, f.Duration)
				last.Took = took(last.took)
				continue
			}
		}
		views = append(views, failureView{
			At: at, First: at, Times: 1, Reason: reason, Detail: f.Detail,
			Took: took(f.Duration), Inconclusive: f.Inconclusive, took: f.Duration,
		})
	}
	return views
}

// measured says how much of the period the figures stand on.
func measured(s LevelStatus) string {
	period := s.Level.Period.Nominal()
	switch {
	case !s.Coverage.Known:
		return ""
	case s.Coverage.Value >= 0.99:
		return "the whole period measured"
	}
	return span(time.Duration(s.Coverage.Value*float64(period))) + " of " + span(period) + " measured"
}

// counted are the events behind the figures; time needs no such words.
func counted(s LevelStatus) string {
	if s.Level.Aggregation.ByTime() || !s.Bad.Known || !s.Total.Known {
		return ""
	}
	return count(s.Bad.Value, false) + " bad of " + count(s.Total.Value, true) + " events"
}

// excess says that more good events are counted than events.
func excess(s LevelStatus) string {
	if !s.Excess.Known {
		return ""
	}
	return percent(s.Excess.Value) + " more good events are counted than events: the two do not count the same, and as many bad events are hidden"
}

// worst is the first alert that fires, else the first that is pending.
func worst(alerts []alertView) *alertView {
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

// alertWords say when alerts without tiers fire.
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
