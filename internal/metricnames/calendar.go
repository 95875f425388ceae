package metricnames

// Labels of series about calendar periods.
const (
	Calendar = "calendar" // which calendar: `month Europe/Berlin`, or the name of service hours
	Start    = "start"    // which period: the local date of its first day, `20261101`
)

// Recorded series of calendars. Each carries `sla` and `calendar`. Local times are Unix
// seconds of a clock that shows as UTC what the zone's clock shows.
const (
	CalendarNow           = "sla:calendar_now:local_seconds"      // the local time
	CalendarMonth         = "sla:calendar_start:months"           // the running period's first month, counted in months since the year 0
	CalendarStartLocal    = "sla:calendar_start:local_seconds"    // the running period's start, in local time
	CalendarStartDate     = "sla:calendar_start:date"             // the running period's start as a date in a number: 20261101
	CalendarStepDate      = "sla:calendar_step:date"              // the same, for the period that contains the middle of the step of five minutes that ends now
	CalendarStart         = "sla:calendar_start:seconds"          // the running period's start, in Unix seconds
	CalendarEndLocal      = "sla:calendar_end:local_seconds"      // the next period's start, in local time
	CalendarEnd           = "sla:calendar_end:seconds"            // the next period's start, in Unix seconds
	CalendarPreviousLocal = "sla:calendar_previous:local_seconds" // the start of the previous period, in local time
	CalendarPreviousDate  = "sla:calendar_previous:date"          // the start of the previous period as a date in a number
)

// Recorded series of levels with a calendar period. They have these in addition to the
// series of all periods, and carry `period` too.
const (
	TotalIncreasePeriod = "sla:total:increase_period"       // start; `sla:total:increase`, by the period it belongs to
	BadIncreasePeriod   = "sla:bad:increase_period"         // start; `sla:bad:increase`, by the period it belongs to
	TotalByStart        = "sla:total:sum_period_by_start"   // start; its sum, which ends with its period
	BadByStart          = "sla:bad:sum_period_by_start"     // start; its sum, which ends with its period
	TotalPrevious       = "sla:total:sum_period_previous"   // start; the final sum of the previous period
	BadPrevious         = "sla:bad:sum_period_previous"     // start; the final sum of the previous period
	ErrorPrevious       = "sla:error:ratio_period_previous" // start; the final bad share of the previous period
	BestPossible        = "sla:best_possible:ratio_period"  // the good share if the rest of the period is good
)
