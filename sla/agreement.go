package sla

// Agreement is one service level agreement: a named set of service levels.
type Agreement struct {
	Name        string
	Description string
	Labels      map[string]string // carried by the info series and by alerts
	Levels      []*ServiceLevel   // in the order of the source; each is whole, also where there are mistakes elsewhere
	// Broken are the levels with mistakes, and those that depend on one. They are
	// there to find more mistakes in, and for nothing else: what could not be read
	// of them counts as left out.
	Broken []*ServiceLevel
	// Contacts are who can be told of alerts, Escalation is who is told when;
	// levels have their own Escalation, which is this one if they gave none.
	Contacts      []Contact
	Escalation    []EscalationStep
	Severities    SeverityNames // what its alerts' severities are called
	Notifications Notifications
	Calendars     []*Calendar  // of service hours, in the order of the source
	Exclusions    []*Exclusion // maintenance first, if there is any
	Digest        string       // SHA-256 of the file that it was read from, in hex
	Pos           Position
}

// ID names a service level everywhere: the three labels that every recorded
// series and every exporter metric carries.
type ID struct {
	SLA     string // the agreement
	Service string
	SLO     string // the service level; unique within its service
}

// String is "sla:service/slo".
func (id ID) String() string { return id.SLA + ":" + id.Service + "/" + id.SLO }

// ServiceLevel is one promise: an indicator, how it becomes a number, the
// target it is held to and over which period.
type ServiceLevel struct {
	ID          ID
	Description string
	Indicator   Indicator
	Aggregation Aggregation
	Slots       Slots    // for the aggregations over slots
	Target      Decimal  // percent, as the contract says it: 99.9
	Objective   Decimal  // percent; the stricter internal goal that alerts hang on, the target if none was given
	Period      Period   // the first, which alert tiers follow
	MorePeriods []Period // over which the target is judged too
	Credits     Credits
	Alerting    Alerting
	Escalation  []EscalationStep  // who is told of alerts, and when; in the order of time
	GroupBy     GroupBy           // one budget for each value of labels
	Labels      map[string]string // the agreement's labels with the level's own over them
	PartOf      []PartOf          // the composites that the level is a component of

	RollupLabels []string  // by which the agreement puts levels together
	RollupWeight Decimal   // what the level weighs in that
	Defaults     []Default // what the specification left out, in the order of the keys
	Pos          Position
	TargetPos    Position
	PeriodPos    Position

	// ServiceHours are when the service is promised, all the time if nil;
	// Exclusions are what the level is not answerable for.
	ServiceHours *Calendar
	MissingData  MissingData
	Exclusions   []*Exclusion
}

// Periods are all over which the target is judged, the first one first. Each has
// another name.
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
