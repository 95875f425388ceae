package sla

import "time"

// Agreement is one service level agreement: a named set of service levels.
type Agreement struct {
	Name        string
	Description string
	Labels      map[string]string // of the info series and of alerts
	Levels      []*ServiceLevel   // in the order of the source; all without errors, even if Broken is not empty
	// Broken are the levels with errors, and those that depend on one. Use them only to
	// find more errors. What could not be read of them counts as left out.
	Broken []*ServiceLevel
	// Contacts are who can be notified of alerts, Escalation is who is notified when.
	// Levels without an own Escalation have this one.
	Contacts      []Contact
	Escalation    []EscalationStep
	Severities    SeverityNames // the names of its alerts' severities
	Alerting      Alerting      // of its own alerts, which are not those of its levels
	Notifications Notifications
	Calendars     []*Calendar  // of service hours, in the order of the source
	Exclusions    []*Exclusion // maintenance first
	Declared      []Declared   // promises without a number
	VerdictOnly   []VerdictKey // keys that were given and that only verdicts follow
	Zone          string       // its time zone, an IANA name; "" is UTC
	Terms         Terms
	OnClaim       []*Exclusion  // exclusions of time that adjustments name
	Recovery      *Recovery     // of the agreement; nil if it says nothing
	Adjustments   []*Adjustment // in the order of the source
	Scenarios     []*Scenario   // for simulations, in the order of the source
	// Revisions are all revisions of the agreement that were loaded, in the order in which
	// they take effect, if there are several.
	Revisions []*Agreement
	// Inherited is what the agreement took from others, those that it names first.
	Inherited    []Inherited
	CreditPolicy CreditPolicy
	Termination  *TerminationRight // nil: credits give no right to end the agreement
	StatusPage   *StatusPage       // nil: nothing of it is public
	Digest       string            // SHA-256 of the file that it was read from, in hex
	Format       string            // the tool whose format its specification has, "" for our own
	Pos          Position
}

// Location is the agreement's time zone.
func (a *Agreement) Location() *time.Location { return location(a.Zone) }

// ID identifies a service level: the three labels of every recorded series and every
// exporter metric.
type ID struct {
	SLA     string // the agreement
	Service string
	SLO     string // the service level; unique within its service
}

// String is "sla:service/slo".
func (id ID) String() string { return id.SLA + ":" + id.Service + "/" + id.SLO }

// ServiceLevel is one promise: an indicator, how it becomes a number, the target and the
// period.
type ServiceLevel struct {
	ID          ID
	Description string
	Impact      string // what it means to people while it is down: "Nobody can pay"
	Indicator   Indicator
	Aggregation Aggregation
	Slots       Slots      // for the aggregations over slots
	Settlement  Settlement // what only verdicts follow
	Target      Decimal    // percent, as in the contract: 99.9
	Objective   Decimal    // percent; a stricter internal goal that alerts use, the target if there is none
	Period      Period     // the first one, which alert tiers use
	MorePeriods []Period   // further periods of the target
	Credits     Credits
	Alerting    Alerting
	Escalation  []EscalationStep  // who is notified of alerts and when, in order of time
	GroupBy     GroupBy           // one budget for each value of labels
	Labels      map[string]string // the agreement's labels and the level's own, which win
	PartOf      []PartOf          // composites that the level is a component of

	RollupLabels []string  // labels of the agreement's rollups
	RollupWeight Decimal   // the level's weight in rollups
	Defaults     []Default // what the specification left out, in order of the keys
	Pos          Position
	TargetPos    Position
	PeriodPos    Position

	// ServiceHours are when the service is promised; nil is all the time. Exclusions are
	// times for which the provider does not answer.
	ServiceHours *Calendar
	MissingData  MissingData
	Exclusions   []*Exclusion
	OnClaim      []*Exclusion // exclusions of time that adjustments name
	Recovery     *Recovery    // its own, or the agreement's; nil if there is none
}

// Periods returns all periods of the target, Period first. Their names differ.
func (l *ServiceLevel) Periods() []Period { return append([]Period{l.Period}, l.MorePeriods...) }

var hundred = NewDecimal(100, 1)

// TargetRatio is the target as a ratio: 0.999.
func (l *ServiceLevel) TargetRatio() Decimal { return l.Target.Quo(hundred) }

// ObjectiveRatio is the objective as a ratio.
func (l *ServiceLevel) ObjectiveRatio() Decimal { return l.Objective.Quo(hundred) }

// TargetBudget is the share of bad that the target allows: 1 - target.
func (l *ServiceLevel) TargetBudget() Decimal { return budgetOf(l.Target) }

// ObjectiveBudget is the share of bad that the objective allows: 1 - objective.
func (l *ServiceLevel) ObjectiveBudget() Decimal { return budgetOf(l.Objective) }
