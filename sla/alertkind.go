package sla

import (
	"slices"
	"time"
)

// AlertKind is a kind of alert with everything that needs no PromQL. The reader
// and its schema, explain, dashboards, pages and routes range over AlertKinds;
// rulegen has the rule of each kind and internal/ruletest its test, and tests
// demand both of every kind.
type AlertKind struct {
	Name string // the label alertname: "SLABudgetExhausted"
	Key  string // where a specification configures it: "alerting.budgetExhausted"; "" if it cannot
	Doc  string // where it is explained, below docs/: "alerts.md#measurement-lost-is-not-down"
	When string // when it fires, in a few words for pages; "" of burn alerts, whose tiers say so

	// WholeLevel is set if the alert is about all groups of a level together.
	WholeLevel bool
	// PerPeriod is set if there is one for each period that it watches, which is
	// then its label period.
	PerPeriod bool
	// Withheld is set if a composite can keep the alert of a component from
	// beginning, because people know of the outage already.
	Withheld bool
	// Upkeep is set if the alert is about how the level is measured, and not about
	// how good the service is.
	Upkeep bool
	// Options are what a key of `alerting` says; nil of kinds that are configured
	// elsewhere.
	Options *AlertOptions

	of    func(*ServiceLevel) []Alert         // where it is not under `alerting`, and levels have it
	words func(*ServiceLevel, Alert) []string // see Alert.Words
}

// AlertOptions are a key of `alerting` that configures a kind of alert.
type AlertOptions struct {
	Doc          string // of the key: what the alert is; Markdown
	DefaultWords string // what the alert is if nothing is said: "a ticket"
	Section      string // the name of what stands below the key: "the budget exhausted alert"
	Text         string // what the alert is, at length; Markdown

	// Synonyms are what other formats and people call the key.
	Synonyms []string
	// FollowsTiers is set if the severity is that of the most urgent tier unless
	// one is given.
	FollowsTiers bool
	// LookAhead are the options of a kind that extrapolates; nil of others.
	LookAhead *LookAhead
	// Needs is what a level must have to have the alert; nil if every level can.
	Needs *AlertNeed
	// Default is the alert of a level if nothing is said about it.
	Default func(*ServiceLevel) *Notice
}

// LookAhead documents the options `within` and `over`.
type LookAhead struct{ WithinDefault, Within, Over string }

// AlertNeed is what a level must have to have an alert.
type AlertNeed struct {
	What   string // "groups"
	Remedy string
	Met    func(*ServiceLevel) bool
}

// Notice is how an alert is sent: what the specification says about it.
type Notice struct {
	Severity      string
	Urgency       Urgency
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        map[string]string // added to this alert
	Periods       []string          // of a level with several: the names of those that the alert is for; all if nil

	// Over and Within are those of an alert that extrapolates: it fires if what
	// was bad over Over, going on like that, uses the rest up within Within.
	Over, Within time.Duration
	SameWithin   bool // Within holds for every period of the level; else only for the first
}

// Watches tells whether an alert about a budget is for that of a period.
func (n Notice) Watches(p Period) bool {
	return n.Periods == nil || slices.Contains(n.Periods, p.String())
}

// Alert is an alert that a level has.
type Alert struct {
	Kind *AlertKind
	*Notice
	Exclusion *Exclusion // of AlertExclusionCap: whose cap
}

// Alerts are all alerts of the level, in the order of AlertKinds. Tiers that are
// one alert are one here.
func (l *ServiceLevel) Alerts() []Alert {
	var all []Alert
	for _, k := range AlertKinds {
		all = append(all, k.Of(l)...)
	}
	return all
}

// Of are the level's alerts of the kind.
func (k *AlertKind) Of(l *ServiceLevel) []Alert {
	switch {
	case l.Alerting.Disabled:
		return nil
	case k.Options != nil:
		if n := l.Alerting.Notices[k]; n != nil && k.Fits(l) {
			return []Alert{{Kind: k, Notice: n}}
		}
	case k.of != nil:
		all := k.of(l)
		for i := range all {
			all[i].Kind = k
		}
		return all
	}
	return nil
}

// Notice is how the level's alert of a kind of which it has one is sent; nil if
// it has none.
func (l *ServiceLevel) Notice(k *AlertKind) *Notice {
	for _, a := range k.Of(l) {
		return a.Notice
	}
	return nil
}

// OfLevels tells whether levels have alerts of the kind; else agreements do.
func (k *AlertKind) OfLevels() bool { return k.Options != nil || k.of != nil }

// Fits tells whether a level has what a kind of alert needs.
func (k *AlertKind) Fits(l *ServiceLevel) bool {
	return k.Options == nil || k.Options.Needs == nil || k.Options.Needs.Met(l)
}

// Words say when an alert of the level fires, a line for each period that it
// watches: "the target's budget of 30d is spent". Burn alerts have none: their
// tiers are a table.
func (a Alert) Words(l *ServiceLevel) []string {
	if a.Kind.words == nil {
		return nil
	}
	return a.Kind.words(l, a)
}
