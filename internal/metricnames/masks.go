package metricnames

// Labels of masks and of agreed time.
const (
	Zone      = "zone"      // a time zone: `Europe/Berlin`
	Exclusion = "exclusion" // the name of an exclusion; `maintenance` for maintenance
	Agreed    = "agreed"    // which agreed time: `prime less maintenance`
	At        = "at"        // which end of a period: `start`, `now`, `end`
)

// Recorded series of an agreement with service hours or exclusions. Each carries `sla`.
const (
	ClockLocal       = "sla:clock:local_seconds"        // zone; Unix seconds of a clock that shows as UTC what the zone's clock shows
	ClockWeek        = "sla:clock:week_seconds"         // zone; seconds since Monday's midnight, by that clock
	ClockDay         = "sla:clock:day_seconds"          // zone; seconds since midnight, by that clock
	ServiceHoursMask = "sla:service_hours:mask"         // calendar; 1 in service, else 0
	ExclusionMask    = "sla:exclusion:mask"             // exclusion; 1 while it excuses, else 0
	PeriodClock      = "sla:period_clock:seconds"       // period, at; the instants between which agreed time is counted
	PeriodClockLocal = "sla:period_clock:local_seconds" // period, at, zone; the same, in local time
	AgreedSeconds    = "sla:agreed:seconds"             // agreed, period; agreed time of the period, as known in advance
	AgreedLeft       = "sla:agreed:seconds_left"        // agreed, period; how much of it is still to come in a calendar period
	AgreedElapsed    = "sla:agreed:seconds_elapsed"     // agreed; how much of it has passed since an arbitrary time; the difference over a gap is the gap's agreed time
)

// Recorded series of levels with service hours or exclusions.
const (
	RawTotalRate      = "sla:raw_total:rate5m"                // what was measured, before anything is left out
	RawBadRate        = "sla:raw_bad:rate5m"                  // what was bad, before anything is left out
	RawTotalInGap     = "sla:raw_total:increase_in_gap"       // second layer: the part of `sla:raw_total:increase` that was counted after a gap of the server, once after each gap
	RawBadInGap       = "sla:raw_bad:increase_in_gap"         // second layer: the bad part of that
	ExcludedTotalRate = "sla:excluded_total:rate5m"           // what exclusions took out within the hours
	ExcludedBadRate   = "sla:excluded_bad:rate5m"             // the bad part of that
	AgreedMask        = "sla:agreed:mask"                     // 1 in agreed service time, 0 outside, none where nothing was measured
	RemovedMask       = "sla:removed:mask"                    // 1 while a condition removes agreed time
	AlertingMask      = "sla:alerting:mask"                   // 1 while burn alerts may fire
	AlertsBeginMask   = "sla:alerting_begins:mask"            // 1 while burn alerts may begin; of levels whose rates reach back a few minutes
	SlotAgreed        = "sla:slot:agreed"                     // 1 for a minute in agreed service time
	SlotServed        = "sla:slot:served"                     // 1 for a minute within service hours; of levels with exclusions
	SlotKept          = "sla:slot:kept"                       // 1 for such a minute whose failures count
	SlotCounted       = "sla:slot:bad_counted"                // how much of `sla:slot:bad` counts
	AgreedRatio       = "sla:agreed:ratio_rate"               // share of the window that the name ends with that is agreed time and measured
	ExclusionBadRate  = "sla:exclusion_bad:rate5m"            // exclusion; what was bad in it within the hours; of exclusions with a cap on downtime
	CapUsed           = "sla:exclusion_cap:used_ratio_period" // exclusion, period; share of the cap that is used: 1 is all
	AgreedPeriod      = "sla:agreed:seconds_period"           // period; how much agreed time the period has
)

// CappedTally names the sums of ExclusionBadRate.
var CappedTally = TallyOf("exclusion_bad", ExclusionBadRate)

// Tally names the sums of a rate: over the second layer, over periods, and by calendar
// period.
type Tally struct {
	Rate, Increase, Sum            string
	ToHour, SinceHour              string // the parts of a long period's sum: up to a whole hour, and since then
	Tagged, ByStart, SumOfPrevious string
}

// TallyOf names the series of "raw_bad" and others like it; rate is the series to sum.
func TallyOf(what, rate string) Tally {
	prefix := "sla:" + what + ":"
	return Tally{
		Rate: rate, Increase: prefix + "increase", Sum: prefix + "sum_period", ToHour: prefix + "sum_period_to_hour", SinceHour: prefix + "sum_period_since_hour",
		Tagged: prefix + "increase_period", ByStart: prefix + "sum_period_by_start", SumOfPrevious: prefix + "sum_period_previous",
	}
}
