package metricnames

// Labels of what is recorded for calendar periods.
const (
	Calendar = "calendar" // which kind of calendar: "month Europe/Berlin"
	Start    = "start"    // which period: the local date of its first day, "20261101"
)

// Recorded series of calendars; each carries sla and calendar. Local times are
// Unix seconds of a clock that shows UTC what the zone's clock shows.
const (
	CalendarNow           = "sla:calendar_now:local_seconds"
	CalendarMonth         = "sla:calendar_start:months" // months since the year 0 until the period's first one
	CalendarStartLocal    = "sla:calendar_start:local_seconds"
	CalendarStartDate     = "sla:calendar_start:date"    // as a number: 20261101
	CalendarStart         = "sla:calendar_start:seconds" // Unix seconds
	CalendarEndLocal      = "sla:calendar_end:local_seconds"
	CalendarEnd           = "sla:calendar_end:seconds" // Unix seconds; the next period's start
	CalendarPreviousLocal = "sla:calendar_previous:local_seconds"
	CalendarPreviousDate  = "sla:calendar_previous:date"
)

// Recorded series of levels with a calendar period, beside those that all
// periods have; each also carries period.
const (
	TotalIncreasePeriod = "sla:total:increase_period"       // start; the second tier, by the period it belongs to
	BadIncreasePeriod   = "sla:bad:increase_period"         // start
	TotalByStart        = "sla:total:sum_period_by_start"   // start; ends with its period
	BadByStart          = "sla:bad:sum_period_by_start"     // start; ends with its period
	TotalPrevious       = "sla:total:sum_period_previous"   // start; the final value of the period before this
	BadPrevious         = "sla:bad:sum_period_previous"     // start
	ErrorPrevious       = "sla:error:ratio_period_previous" // start
	BestPossible        = "sla:best_possible:ratio_period"  // the good share if all the rest of the period is good
)
