package web

import (
	"context"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// noon is when the tests look.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// atNoon is their clock.
var atNoon = clock{noon, time.UTC}

// fixed is a Source of prepared states.
type fixed struct {
	levels []LevelStatus
	groups []RuleGroup
	err    error
}

// Agreements are those of the levels.
func (f fixed) Agreements() []*sla.Agreement {
	var all []*sla.Agreement
	for _, s := range f.levels {
		if s.Agreement != nil && !slices.Contains(all, s.Agreement) {
			all = append(all, s.Agreement)
		}
	}
	return all
}

// Months are two: one that runs, and one that is over, of which some was not measured.
func (f fixed) Months(_ context.Context, a *sla.Agreement) ([]Month, error) {
	now, before := Month{Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}, Month{Start: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	for _, l := range a.Levels {
		now.Levels = append(now.Levels, MonthLevel{Level: l, Bad: Known(12), Total: Known(13 * 86400)})
		before.Levels = append(before.Levels, MonthLevel{Level: l, Bad: Known(28 * 864), Total: Known(28 * 86400)})
	}
	if len(before.Levels) > 1 {
		before.Levels[1].Bad, before.Levels[1].Total = Figure{}, Figure{}
	}
	return []Month{now, before}, f.err
}

func (f fixed) Rules(context.Context) ([]RuleGroup, error) { return f.groups, f.err }

func (f fixed) Levels(context.Context) ([]LevelStatus, error) { return f.levels, f.err }

func (f fixed) Level(_ context.Context, id sla.ID) (LevelStatus, bool, error) {
	i := slices.IndexFunc(f.levels, func(s LevelStatus) bool { return s.Level.ID == id })
	if i < 0 {
		return LevelStatus{}, false, f.err
	}
	return f.levels[i], true, f.err
}

func level(service, slo, target string, indicator sla.Indicator) *sla.ServiceLevel {
	period := sla.Period{Rolling: 30 * 24 * time.Hour}
	return &sla.ServiceLevel{
		ID: sla.ID{SLA: "shop", Service: service, SLO: slo}, Indicator: indicator,
		Aggregation: indicator.Aggregations()[0], Target: sla.MustDecimal(target), Objective: sla.MustDecimal(target),
		Period: period, Alerting: sla.Alerting{Tiers: sla.DefaultTiers(period)},
	}
}

func httpProbe() *sla.Probe {
	return &sla.Probe{
		Check:    &sla.HTTPCheck{URL: "https://shop.example/health", Method: "GET"},
		Interval: 15 * time.Second, Timeout: 5 * time.Second,
	}
}

func tierAlerts(firing ...string) []Alert {
	var alerts []Alert
	for _, severity := range []string{"page", "ticket"} {
		a := Alert{Name: "SLABudgetBurn", Severity: severity, State: Inactive}
		if slices.Contains(firing, severity) {
			a.State, a.Since = Firing, noon.Add(-95*time.Second)
		}
		alerts = append(alerts, a)
	}
	return append(alerts, Alert{Name: "SLAMeasurementLost", Severity: "page", State: Inactive})
}

// outage is a history in which the minutes from..to before noon were bad.
func outage(from, to int) []Point {
	var points []Point
	for m := 59; m >= 0; m-- {
		good := Known(1)
		if m <= from && m >= to {
			good = Known(0.2)
		}
		if m == 30 {
			good = Figure{}
		}
		points = append(points, Point{At: noon.Add(-time.Duration(m) * time.Minute), Good: good})
	}
	return points
}

// sample is one level in each state that the pages must be able to show.
func sample() []LevelStatus {
	failing := LevelStatus{
		Level: level("storefront", "availability", "99.9", httpProbe()), State: sla.StateDown,
		Achieved: Known(0.998996), Coverage: Known(0.5), Bad: Known(1301), Total: Known(15 * 24 * 3600), BudgetRemaining: Known(0.498),
		BadShare: map[time.Duration]float64{5 * time.Minute: 1, 30 * time.Minute: 0.4, time.Hour: 0.22, 6 * time.Hour: 0.037, 24 * time.Hour: 0.012},
		Alerts:   tierAlerts("page", "ticket"), History: outage(20, 1),
		Failures: []Failure{
			{At: noon.Add(-4 * time.Second), Reason: "status", Detail: "HTTP 503", Duration: 12 * time.Millisecond},
			{At: noon.Add(-19 * time.Second), Reason: "status", Detail: "HTTP 503", Duration: 31 * time.Millisecond},
			{At: noon.Add(-34 * time.Second), Reason: "connect_timeout", Detail: "192.0.2.7:443", Duration: 5 * time.Second},
			{At: noon.Add(-3 * time.Hour), Reason: "dns", Detail: "resolver did not answer", Duration: time.Second, Inconclusive: true},
			{At: noon.Add(-49 * time.Hour), Reason: "body", Detail: `body does not match "ok"`, Duration: 40 * time.Microsecond},
		},
		Queries: []Query{{"Achieved over 30d", `1 - sla:error:ratio_period{sla="shop",service="storefront",slo="availability",period="30d"}`}},
	}
	failing.Level.Description = "The shop answers its customers"
	failing.Level.Objective = sla.MustDecimal("99.95")
	failing.Level.Recovery = &sla.Recovery{
		Objectives: []sla.RecoveryObjective{
			{Metric: sla.TimeToRestore, Statistic: sla.EachOutage, Limit: time.Hour},
			{Metric: sla.OutageCount, Count: 3},
			{Metric: sla.RecoveryPoint, Limit: time.Hour},
			{Metric: sla.RestoredBackupAge, Limit: 30 * 24 * time.Hour},
		},
		Methods: []sla.RecoveryMethod{
			{Scenario: "node_loss", Method: "failover", RTO: 15 * time.Minute, HasRPO: true},
			{Scenario: "site_loss", Method: "restore_from_backup", RTO: 4 * time.Hour, RPO: time.Hour, HasRPO: true, LastExercised: sla.Date{Year: 2025, Month: 8, Day: 20}, ExerciseEvery: 180},
			{Scenario: "disk_loss", Method: "rebuild", LastExercised: sla.Date{Year: 2026, Month: 2, Day: 1}, ExerciseEvery: 90},
		},
	}
	failing.Level.Alerting.Notices = map[*sla.AlertKind]*sla.Notice{sla.AlertRestoreTimeNear: {Share: sla.MustDecimal("75")}}
	failing.Agreement = &sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{failing.Level}}
	failing.Recovery = Recovery{Age: Known(45 * 60), Outages: Known(2), Longest: Known(1260), Mean: Known(750), Ages: []Figure{Known(4500), {}}}

	failing.Since, failing.AsOf = noon.Add(-20*time.Minute), noon
	failing.Outages = []Outage{
		{Start: failing.Since, Worst: sla.StateDown, Causes: []Cause{{Reason: "status", Times: 78}, {Reason: "connect_timeout", Times: 2}}},
		{Start: noon.Add(-50 * time.Hour), End: noon.Add(-49 * time.Hour), Worst: sla.StateDegraded},
	}
	for day := range 31 {
		d := Day{Start: noon.Truncate(24*time.Hour).AddDate(0, 0, day-30), Bad: Known(0), Total: Known(86400)}
		switch day {
		case 3:
			d = Day{Start: d.Start}
		case 9:
			d.Bad = Known(40)
		case 20:
			d.Bad = Known(100)
		case 28:
			d.Bad = Known(1161)
		}
		failing.Days = append(failing.Days, d)
		failing.Left = append(failing.Left, Point{At: d.Start, Good: Known(1 - 0.016*float64(day))})
	}
	failing.Probes = []Probe{
		{At: noon.Add(-4 * time.Second), Outcome: "bad", Reason: "status", Duration: 12 * time.Millisecond, Phases: []Phase{{"connect", 2 * time.Millisecond}, {"tls", 4 * time.Millisecond}, {"processing", 6 * time.Millisecond}}},
		{At: noon.Add(-19 * time.Second), Outcome: "missed", Reason: "overload"},
		{At: noon.Add(-34 * time.Second), Outcome: "good", Duration: 40 * time.Millisecond, Phases: []Phase{{"connect", 10 * time.Millisecond}, {"processing", 30 * time.Millisecond}}},
	}

	healthy := LevelStatus{
		Level: level("storefront", "response-time", "99.5", &sla.ProbeLatency{Of: failing.Level.ID, Threshold: 300 * time.Millisecond}),
		State: sla.StateUp, Achieved: Known(0.99931), Coverage: Known(1), Bad: Known(1788), Total: Known(30 * 24 * 3600), BudgetRemaining: Known(0.862),
		BadShare: map[time.Duration]float64{5 * time.Minute: 0, time.Hour: 0, 6 * time.Hour: 0.00002},
		Alerts:   tierAlerts(), History: outage(-1, -1),
	}
	healthy.Level.Objective = healthy.Level.Target

	spent := LevelStatus{
		Level: level("payments", "errors", "99.95", &sla.Events{
			Bad: sla.Query{Text: `http_requests_total{job="payments",code=~"5.."}`}, Total: sla.Query{Text: `http_requests_total{job="payments"}`},
		}),
		State: sla.StateUp, Achieved: Known(0.99912), Coverage: Known(0.999), Bad: Known(1204.2), Total: Known(1368421), BudgetRemaining: Known(-0.76),
		BadShare: map[time.Duration]float64{5 * time.Minute: 0.0002, time.Hour: 0.0007, 6 * time.Hour: 0.0011},
		Alerts:   tierAlerts(), History: outage(50, 45),
	}
	spent.Alerts[1].State, spent.Alerts[1].Since = Pending, noon.Add(-40*time.Minute)

	unborn := LevelStatus{
		Level: level("orders", "queue", "99", &sla.Probe{Check: &sla.TCPCheck{Address: "orders.example:5672"}, Interval: 15 * time.Second}),
		State: sla.StateUnknown,
	}
	return []LevelStatus{failing, healthy, spent, unborn}
}
