package sla

import (
	"slices"
	"time"
)

// Scenario is what happens to the levels of an agreement in a simulation, and what is
// expected of their alerts.
type Scenario struct {
	Name, Description string
	Agreement         string
	At                time.Time     // when its first step may begin; zero: a time within service hours is chosen
	LookFor           time.Duration // how long is looked at, from At; 0: until alerts have had time to resolve
	Levels            []ID          // that are looked at; none: those that a step or a line of Expect is about
	ScrapeInterval    time.Duration // 0: the default
	Spent             Decimal       // of the budget, in per cent, before At
	Traffic           []ScenarioTraffic
	Series            []ScenarioSeries
	Steps             []ScenarioStep
	Expect            []Expectation
	Pos               Position
}

// ScenarioTraffic is how many events levels have a second.
type ScenarioTraffic struct {
	Levels []ID // all if it is empty
	Rate   Decimal
	Shape  TrafficShape
}

// DefaultTraffic is how many events a second a level has if the scenario does not say.
var DefaultTraffic = NewDecimal(10, 1)

// TrafficShape is how traffic changes within a day.
type TrafficShape string

// The shapes.
const (
	ShapeFlat TrafficShape = "flat"
	ShapeDay  TrafficShape = "day"
)

// TrafficShapes are all shapes, the default first.
var TrafficShapes = []TrafficShape{ShapeFlat, ShapeDay}

// Doc says what the shape is, for the reference.
func (s TrafficShape) Doc() string {
	if s == ShapeDay {
		return "quiet at night, with its mean at the rate: a tenth of the peak at 4:00, the peak at 16:00 of the agreement's time zone"
	}
	return "the same all day"
}

// At is the traffic at an hour of the day, 0 to 23, as a multiple of the mean.
func (s TrafficShape) At(hour int) float64 {
	if s != ShapeDay {
		return 1
	}
	return dayShape[hour]
}

// dayShape falls to a tenth of its highest value at 4:00 and has it at 16:00; the mean is
// 1.
var dayShape = func() (shape [24]float64) {
	sum := 0.
	for h := range shape {
		distance := float64(min((h+20)%24, (28-h)%24)) / 12 // from 4:00, as a share of half a day
		smooth := distance * distance * (3 - 2*distance)
		shape[h] = 0.1 + 0.9*smooth
		sum += shape[h]
	}
	for h := range shape {
		shape[h] *= float64(len(shape)) / sum
	}
	return shape
}()

// ScenarioSeries is a series with given values, instead of simulated ones.
type ScenarioSeries struct {
	Series, Values string        // in promtool's notation
	Every          time.Duration // between values; 0: the scrape interval
	Pos, ValuesPos Position
}

// StepKind is a kind of step of a scenario.
type StepKind string

// The kinds of step.
const (
	StepOutage      StepKind = "outage"
	StepErrors      StepKind = "errors"
	StepBurn        StepKind = "burn"
	StepSlow        StepKind = "slow"
	StepFlapping    StepKind = "flapping"
	StepLowTraffic  StepKind = "lowTraffic"
	StepNight       StepKind = "night"
	StepLost        StepKind = "lost"
	StepAway        StepKind = "prometheusAway"
	StepMaintenance StepKind = "maintenance"
)

// StepFacets are what a kind of step is and needs.
type StepFacets struct {
	Kind StepKind
	Doc  string // what happens, for the reference
	// Share says what the key share refers to; "" if there is no such key.
	// DefaultShare is its default in per cent, zero if it must be given.
	Share        string
	DefaultShare Decimal
	Whole        bool // it happens to all levels: there is no key levels
}

// StepKinds are all kinds of step.
var StepKinds = []StepFacets{
	{Kind: StepOutage, Doc: "events, or probes, fail", Share: "of them fail", DefaultShare: NewDecimal(100, 1)},
	{Kind: StepErrors, Doc: "a brown-out: some events, or probes, fail", Share: "of them fail"},
	{Kind: StepBurn, Doc: "a slow burn: as many fail as spend the budget of the target so many times faster than allowed"},
	{Kind: StepSlow, Doc: "events, or probes, succeed and take longer than the threshold of latency levels", Share: "of them are slow", DefaultShare: NewDecimal(100, 1)},
	{Kind: StepFlapping, Doc: "failing and well, by turns", Share: "of the events fail while it fails", DefaultShare: NewDecimal(100, 1)},
	{Kind: StepLowTraffic, Doc: "there is less traffic", Share: "of the usual traffic is left", DefaultShare: NewDecimal(1, 1)},
	{Kind: StepNight, Doc: "there is as much traffic as at night", Share: "of the usual traffic is left", DefaultShare: NewDecimal(10, 1)},
	{Kind: StepLost, Doc: "nothing is measured: what exposes the series does not answer (`of: exporter`), or it answers without them (`of: series`)"},
	{Kind: StepAway, Doc: "Prometheus is not running: nothing is scraped and no rule is evaluated", Whole: true},
	{Kind: StepMaintenance, Doc: "a maintenance window that was announced in time, in which events fail", Share: "of the events fail", DefaultShare: NewDecimal(100, 1)},
}

// Facets returns the table's line of a kind.
func (k StepKind) Facets() StepFacets {
	i := slices.IndexFunc(StepKinds, func(f StepFacets) bool { return f.Kind == k })
	if i < 0 {
		return StepFacets{Kind: k}
	}
	return StepKinds[i]
}

// ScenarioStep is something that happens from an offset on, for some time.
type ScenarioStep struct {
	Kind        StepKind
	From        time.Duration // after the scenario's At
	For         time.Duration
	Levels      []ID          // all that are looked at if it is empty
	Share       Decimal       // in per cent, of what the kind says
	Rate        Decimal       // of a burn: multiple of the allowed rate
	Every, Down time.Duration // of flapping: the length of a turn, and how much of it fails
	Exporter    bool          // of a loss: also up is 0
	Pos         Position
}

// To is the offset at which the step ends.
func (s ScenarioStep) To() time.Duration { return s.From + s.For }

// Meets returns whether the step happens to a level.
func (s ScenarioStep) Meets(level ID) bool {
	return len(s.Levels) == 0 || slices.Contains(s.Levels, level)
}

// ExpectSubject is what a line of expectations is about.
type ExpectSubject string

// The subjects.
const (
	ExpectPage         ExpectSubject = "page"         // alerts whose urgency is page
	ExpectTicket       ExpectSubject = "ticket"       // alerts whose urgency is ticket
	ExpectAlert        ExpectSubject = "alert"        // any alert, or the one that is named
	ExpectNotification ExpectSubject = "notification" // what Alertmanager would send
	ExpectBudget       ExpectSubject = "budget"       // the share of the budget that the scenario spends
)

// Expectation is one line of what is expected.
type Expectation struct {
	Text    string
	Subject ExpectSubject
	Name    string // of the alert; "": any
	// Count is how many there must be; AnyCount is at least one.
	Count  int
	Within time.Duration // after At, by when it must fire; 0: in the time that is looked at
	Level  ID            // that it is about; zero: any
	// Of ExpectBudget: Less is "<", otherwise ">".
	Less    bool
	Percent Decimal
	Pos     Position
}

// AnyCount is the Count of an expectation of at least one.
const AnyCount = -1
