package verdict

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Evidence is what was measured of the levels of one agreement in a period and a little
// around it. A verdict is made of it and of nothing else, so a closed period can be
// judged again from its evidence when the samples are gone.
type Evidence struct {
	Levels []LevelEvidence
	// Conditions are the times in which the condition of an exclusion held, by the name
	// of the exclusion.
	Conditions map[string]sla.Spans
	// Samples are hashes of the raw samples that were read. They decide nothing, and
	// show where two sides read different samples.
	Samples []SampleDigest
	Sources []string // what was read: addresses without secrets, names of files; not in files of evidence
}

// SampleDigest are hashes of the samples of a series, by day.
type SampleDigest struct {
	Series string
	Days   []DayDigest
}

// DayDigest is the hash of the samples of a day in UTC.
type DayDigest struct{ Day, Hash string }

// LevelEvidence is the evidence of one level. Composites have none of their own.
type LevelEvidence struct {
	Level  sla.ID
	Groups []GroupEvidence // one without labels, if the level has no groups
	// Weight is the share, 0 to 1, by which bad time counts, for levels that have one.
	// Time without a weight counts in full.
	Weight []Weight
	Gaps   []Gap
	Ages   []Age // of queries in objectives of recovery
	// LeftOut is how many groups are missing here, because there were more than the
	// level's limit.
	LeftOut int
}

// GroupEvidence is the evidence of one group.
type GroupEvidence struct {
	Labels map[string]string // nil for a level without groups
	Places []Place
}

// Place is what one location measured of one target, or what a service counted itself.
type Place struct {
	Labels map[string]string // location, target; nil for what a service counted
	// Stretches are ascending and do not overlap. Time that no stretch covers was not
	// seen by the server.
	Stretches []Stretch
}

// State says what is known of a stretch.
type State string

// The states.
const (
	// Known time has a measurement. Total may be 0: the service was seen and had no
	// events.
	Known State = "known"
	// Missing time was scraped (up has samples) and has no result.
	Missing State = "missing"
)

// Stretch is the time [From, To) with what was counted in it. An increment of counters
// belongs to the stretch in which its later sample lies or which ends at it.
//
// For levels that count seconds a stretch is as long as its bad share stays the same,
// and Bad/Total is that share. For others a stretch ends at the latest at the edges of
// clock minutes and of everything that a level may exclude.
type Stretch struct {
	From, To   time.Time
	State      State
	Total, Bad float64 // events, probes, or evaluations of a state; whole numbers but for gaps and ratios
}

// Weight is the share by which bad time in [From, To) counts.
type Weight struct {
	From, To time.Time
	Share    sla.Decimal
}

// Gap is the time between two samples of a counter that are more than two scrape
// intervals apart. What was counted meanwhile is spread evenly over it, so if an edge
// cuts the gap, its share may be wrong by at most Total and Bad.
type Gap struct {
	From, To   time.Time
	Place      map[string]string
	Total, Bad float64
}

// Age is the value in the period, in seconds, of a query that measures an age.
type Age struct {
	Query    string
	Measured bool // it had a value at all
	Late     bool // it had none at the start of the period
	Greatest sla.Decimal
	// Possible is how great the age may have been where the query had no value, as it
	// grows by a second each second. It is at least Greatest.
	Possible sla.Decimal
}
