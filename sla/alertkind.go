package sla

import (
	"slices"
	"time"
)

// AlertKind is a kind of alert with everything that needs no PromQL. The reader, its
// schema, explain, dashboards, pages and routes range over AlertKinds. rulegen has the
// rule of each kind and internal/ruletest its test; tests check that every kind has
// both.
type AlertKind struct {
	Name string // the label alertname: "SLABudgetExhausted"
	Key  string // the key that configures it: "alerting.budgetExhausted"; "" if there is none
	Doc  string // where docs/ explains it: "alerts.md#measurement-lost-is-not-down"
	When string // when it fires, in a few words for pages; "" for burn alerts, whose tiers say so

	// WholeLevel is set if there is one alert for all groups of a level.
	WholeLevel bool
	// PerPeriod is set if there is one alert for each period that it watches. It then
	// has the label period.
	PerPeriod bool
	// Withheld is set if a composite can keep the alert of a component from
	// beginning, because people know of the outage already.
	Withheld bool
	// Upkeep is set if the alert is about how the level is measured, and not about
	// how good the service is.
	Upkeep bool
	// OfAgreement is set if the alert is about an agreement, and not about one of its
	// levels: its key is one of `spec.alerting` only.
	OfAgreement bool
	// Options are for kinds with a key of `alerting`; nil for kinds that are configured
	// elsewhere.
	Options *AlertOptions

	of    func(*ServiceLevel) []Alert         // for kinds without Options that levels have
	words func(*ServiceLevel, Alert) []string // see Alert.Words
}

// AlertOptions are a key of `alerting` that configures a kind of alert.
type AlertOptions struct {
	Doc          string // of the key, in a sentence; Markdown
	DefaultWords string // the default, for the reference: "a ticket"
	Section      string // the name of the mapping below the key: "the budget exhausted alert"
	Text         string // of the mapping, when the alert fires; Markdown

	// Synonyms are what other formats and people call the key.
	Synonyms []string
	// FollowsTiers is set if the default severity is that of the most urgent tier.
	FollowsTiers bool
	// LookAhead documents the options of a forecast; nil for other kinds.
	LookAhead *LookAhead
	// Share documents the option `share` of a warning before a limit; "" for other kinds.
	Share string
	// Needs is what a level must have for the alert; nil if every level can have it.
	Needs *AlertNeed
	// Default returns the alert of a level without configuration.
	Default func(*ServiceLevel) *Notice
}

// LookAhead documents the options `within` and `over`.
type LookAhead struct{ WithinDefault, Within, Over string }

// AlertNeed is what a level must have for an alert.
type AlertNeed struct {
	What   string // "groups"
	Remedy string
	Met    func(*ServiceLevel) bool
}

// Notice is how an alert fires and is labelled.
type Notice struct {
	Severity      string
	Urgency       Urgency
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        map[string]string // added to this alert
	Periods       []string          // names of the level's periods that the alert is for; nil: all

	// Over and Within are the options of a forecast. It fires if the bad share over the
	// last Over would spend the rest of the budget within Within.
	Over, Within time.Duration
	SameWithin   bool // Within is for every period of the level, otherwise only for the first

	Share Decimal // of a warning before a limit: the share of the limit, in per cent
}

// Watches returns whether the alert is for the budget of a period.
func (n Notice) Watches(p Period) bool {
	return n.Periods == nil || slices.Contains(n.Periods, p.String())
}

// Alert is an alert of a level.
type Alert struct {
	Kind *AlertKind
	*Notice
	Exclusion *Exclusion // of AlertExclusionCap: the exclusion with the cap
}

// Alerts returns all alerts of the level, in the order of AlertKinds. Tiers that share
// an alert are one alert.
func (l *ServiceLevel) Alerts() []Alert {
	var all []Alert
	for _, k := range AlertKinds {
		all = append(all, k.Of(l)...)
	}
	return all
}

// Of returns the level's alerts of the kind.
func (k *AlertKind) Of(l *ServiceLevel) []Alert {
	switch {
	case l.Alerting.Disabled || k.OfAgreement:
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

// Notice returns the notice of the level's first alert of a kind, nil if it has none.
func (l *ServiceLevel) Notice(k *AlertKind) *Notice {
	for _, a := range k.Of(l) {
		return a.Notice
	}
	return nil
}

// OfLevels returns whether levels have alerts of the kind. Otherwise agreements do.
func (k *AlertKind) OfLevels() bool { return !k.OfAgreement && (k.Options != nil || k.of != nil) }

// Fits returns whether a level has what the kind needs.
func (k *AlertKind) Fits(l *ServiceLevel) bool {
	return k.Options == nil || k.Options.Needs == nil || k.Options.Needs.Met(l)
}

// Words says when an alert of the level fires, in one line for each period that it
// watches: "the target's budget of 30d is spent". Burn alerts have none: their tiers are
// shown as a table.
func (a Alert) Words(l *ServiceLevel) []string {
	if a.Kind.words == nil {
		return nil
	}
	return a.Kind.words(l, a)
}
