package verdict

import "time"

// Verdict says whether a promise was kept.
type Verdict string

// The verdicts, from the best to the worst. The worst verdict of the levels decides the
// agreement's, in the order breached, disputed, insufficient data.
const (
	Met          Verdict = "met"
	Breached     Verdict = "breached"
	Insufficient Verdict = "insufficient_data" // the coverage is below the floor, or nothing was measured
	Disputed     Verdict = "disputed"          // the parties do not agree on an exclusion that decides
	NotApply     Verdict = "not_applicable"    // no agreed time, or not in force
	DeclaredOnly Verdict = "declared_only"     // a promise without a number
)

// ReportFormat names the form of a report's JSON. It changes when a report that was
// kept could be misread.
const ReportFormat = "upheld-report/1"

// Report is the verdict of one agreement and one period, with everything it was made of.
// Its JSON is the report that is kept, signed and verified. Numbers that decide are
// decimal texts; percentages are of 100.
type Report struct {
	Format      string       `json:"format"` // ReportFormat
	Agreement   string       `json:"agreement"`
	Description string       `json:"description,omitempty"`
	Provider    string       `json:"provider,omitempty"` // the names of the parties
	Customer    string       `json:"customer,omitempty"`
	Version     int          `json:"version"`              // 1, and one more each time the period is restated
	Supersedes  int          `json:"supersedes,omitempty"` // the version before
	Reason      string       `json:"reason,omitempty"`     // why it was restated
	Period      ReportPeriod `json:"period"`
	Spec        Document     `json:"spec"`
	Also        []Document   `json:"also,omitempty"` // other files that the verdict depends on: adjustments, agreements of components
	Inputs      Document     `json:"inputs"`
	Sources     []string     `json:"sources"`
	Verdict     Verdict      `json:"verdict"`
	Summary     string       `json:"summary"` // the verdict in plain words, one sentence
	Levels      []Level      `json:"levels"`
	Credit      *TotalCredit `json:"credit,omitempty"`
	Exclusions  []Exclusion  `json:"exclusions"`
	Obligations []Obligation `json:"obligations"`
	Findings    []Finding    `json:"findings"`
	Made        Made         `json:"made"`
}

// Made says when and by what a report was made. It is left out of comparisons.
type Made struct {
	At time.Time `json:"at"`
	By string    `json:"by"` // "upheld 0.2.0"
}

// ReportPeriod is the period that was judged.
type ReportPeriod struct {
	Name  string    `json:"name"` // "2026-10", "2026-Q3", "2026-W41", "30d to 2026-11-01"
	Start time.Time `json:"start"`
	End   time.Time `json:"end"` // exclusive
	Zone  string    `json:"zone"`
	Until time.Time `json:"until"` // what was judged: End, or now if the period is not over
}

// Document is the hash of a text, and the text itself if it is part of the report.
type Document struct {
	Name   string `json:"name,omitempty"` // of its file, without folders
	SHA256 string `json:"sha256"`
	Text   string `json:"text,omitempty"`
}

// Level is the verdict of one level, or of one group of it.
type Level struct {
	Service     string            `json:"service"`
	SLO         string            `json:"slo"`
	Group       map[string]string `json:"group,omitempty"`
	Period      *ReportPeriod     `json:"period,omitempty"` // if it differs from the report's, as in another zone
	Description string            `json:"description,omitempty"`
	Indicator   string            `json:"indicator"`       // in words
	Method      string            `json:"method"`          // how measurements become the number, in words
	Hours       string            `json:"hours,omitempty"` // when the service is promised, in words; "" for always
	Verdict     Verdict           `json:"verdict"`
	Why         string            `json:"why"` // one sentence: the reason for the verdict
	Target      string            `json:"target"`
	Achieved    string            `json:"achieved"` // percent, rounded down at the 8th place; "" if nothing is known
	Exact       string            `json:"exact"`    // the same as a fraction of 1: "217/218"
	Raw         string            `json:"raw"`      // percent if nothing was excluded
	Best        string            `json:"best"`     // percent that can still be achieved; Achieved after the period
	Unit        string            `json:"unit"`     // of the following amounts: seconds, minutes, slots, events
	Agreed      string            `json:"agreed"`   // what counts: agreed time, or events in it
	Bad         string            `json:"bad"`
	Unknown     string            `json:"unknown"`  // agreed time that is neither good nor bad; "" for events, which nobody can count
	Excluded    string            `json:"excluded"` // Removed and Excused together
	Removed     string            `json:"removed"`  // agreed time that exclusions removed, or the events in it
	Excused     string            `json:"excused"`  // bad that counts as good
	Budget      string            `json:"budget"`   // bad that the target allows by the end of the period
	Coverage    string            `json:"coverage"` // percent of agreed time that is known
	Choices     Choices           `json:"choices"`
	Caps        []CapUse          `json:"caps"` // on downtime, by exclusion and period of the cap
	Outages     []Outage          `json:"outages"`
	Credit      *LevelCredit      `json:"credit,omitempty"`
	Recovery    []Recovery        `json:"recovery"`
	Blame       []Blame           `json:"blame"`
	Places      []PlaceResult     `json:"places"`                // each location or target by itself
	Course      []Point           `json:"course"`                // bad so far at each midnight of the zone
	Gaps        []ReportedGap     `json:"gaps"`                  // counted, spread evenly
	NotMeasured []TimeSpan        `json:"notMeasured,omitempty"` // the longest stretches of unknown agreed time, ascending, at most 100
	But         []But             `json:"but"`                   // met, but
}

// Choices say in plain words how excluded and unknown time was counted, and whether the
// figures are final.
type Choices struct {
	Exclusions string `json:"exclusions"` // treat_as_up, remove_from_agreed_time, none, or both by name
	Unknown    string `json:"unknown"`    // excluded, good, bad
	NotSeen    string `json:"notSeen"`    // the same, for time in which the server did not scrape
	Standing   string `json:"standing"`   // to_date, final
}

// Outage is a time in which a level was down.
type Outage struct {
	Start    time.Time      `json:"start"`
	End      time.Time      `json:"end"`               // of an ongoing one: until when it was seen
	Ongoing  bool           `json:"ongoing,omitempty"` // it continued after the period, or nobody knows whether it did
	Began    *time.Time     `json:"began,omitempty"`   // if it began before the period
	Seconds  string         `json:"seconds"`           // elapsed, in the period
	Counted  string         `json:"counted"`           // seconds of bad time that count
	Excluded []ExcludedPart `json:"excluded"`
	Cause    string         `json:"cause"`              // of a composite: the components that were down; else what an adjustment says, or unknown
	Blame    string         `json:"blame,omitempty"`    // who answers for it: provider, customer, third_party, force_majeure, unknown
	Evidence string         `json:"evidence,omitempty"` // where to look it up: an address, a ticket, a file
}

// CapUse is how much of a cap on downtime a level used in a period of the cap.
type CapUse struct {
	Exclusion string    `json:"exclusion"`
	Start     time.Time `json:"start"` // of the cap's period
	End       time.Time `json:"end"`
	Used      string    `json:"used"` // seconds, since Start
	Left      string    `json:"left"` // seconds
}

// ExcludedPart is the part of an outage that an exclusion excuses.
type ExcludedPart struct {
	Name    string `json:"name"`
	Seconds string `json:"seconds"`
}

// Exclusion is a time that did not count, and who approved it.
type Exclusion struct {
	Name     string     `json:"name"`
	Category string     `json:"category"`
	Effect   string     `json:"effect"`
	Spans    []TimeSpan `json:"spans"`
	Seconds  string     `json:"seconds"`
	CapLeft  string     `json:"capLeft,omitempty"` // seconds
	Approval string     `json:"approval,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Evidence string     `json:"evidence,omitempty"`
}

// TimeSpan is [From, To).
type TimeSpan struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// TotalCredit is what the provider owes for the period.
type TotalCredit struct {
	Percent  string `json:"percent"` // of the fee
	Amount   string `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	CappedBy string `json:"cappedBy,omitempty"`
	Gross    string `json:"gross,omitempty"`
	Earned   string `json:"earnedBack,omitempty"`
	ClaimBy  string `json:"claimBy,omitempty"` // date
	// Evidence is what a claim needs. ExtendedBy is the days by which the term is
	// extended instead of money, and Termination is why the customer may end the
	// agreement.
	Evidence    []string `json:"evidence,omitempty"`
	ExtendedBy  string   `json:"extendedBy,omitempty"`
	Termination string   `json:"termination,omitempty"`
	Words       string   `json:"words"` // how the amount is computed
}

// LevelCredit is what one level contributes.
type LevelCredit struct {
	Percent  string `json:"percent"`
	Amount   string `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	Words    string `json:"words"`
}

// Recovery is one objective of recovery and its result.
type Recovery struct {
	Objective string  `json:"objective"`
	Verdict   Verdict `json:"verdict"`
	Value     string  `json:"value"` // "" if there is none, such as the mean of no outages
	Limit     string  `json:"limit"`
	Words     string  `json:"words"`
}

// Blame is a component's share of a composite's bad time, in seconds.
type Blame struct {
	Component  string `json:"component"`
	Alone      string `json:"alone"`
	WithOthers string `json:"withOthers"`
}

// PlaceResult is what one place measured on its own.
type PlaceResult struct {
	Labels   map[string]string `json:"labels"`
	Achieved string            `json:"achieved"`
	Bad      string            `json:"bad"`
	Known    string            `json:"known"`
}

// Point is how much was bad and agreed from the start of the period to At.
type Point struct {
	At     time.Time `json:"at"`
	Agreed string    `json:"agreed"`
	Bad    string    `json:"bad"`
}

// ReportedGap is a Gap as it is reported.
type ReportedGap struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Total string    `json:"total"`
	Bad   string    `json:"bad"`
}

// But is something that a reader of "met" should know.
type But struct {
	Check string `json:"check"` // worst_hour, one_place, many_outages, thin_data, excluded_share, ...
	Words string `json:"words"`
}

// Obligation is a duty of a party, and whether it was done in time.
type Obligation struct {
	Party   string `json:"party"` // provider, customer
	Name    string `json:"name"`
	Due     string `json:"due"`
	Done    string `json:"done,omitempty"`
	Late    bool   `json:"late"`
	Excused string `json:"excused,omitempty"` // seconds of downtime that its lateness excuses
}

// Finding is something that Judge noticed while it made the report.
type Finding struct {
	Level   string `json:"level,omitempty"` // "service/slo"
	Kind    string `json:"kind"`
	Message string `json:"message"`
}
