package metricnames

// Labels of series about recovery, and of reminders.
const (
	Recovery   = "recovery"   // which objective of recovery: `time_to_restore`, `recovery_point-2`
	Scenario   = "scenario"   // of a recovery method that is to be exercised
	Method     = "method"     // of a recovery method that is to be exercised
	Obligation = "obligation" // the name of what a party owes
	Party      = "party"      // who owes it: `provider` or `customer`
)

// Recorded series of levels with objectives of recovery. Each carries `sla`, `service` and
// `slo`, and those of a level with groups the group labels.
const (
	OutageTotal   = "sla:outage_total:rate"             // events per second of a minute; of levels that judge no minutes or slots
	OutageBad     = "sla:outage_bad:rate"               // bad events per second of a minute
	OutageGood    = "sla:outage_good:rate"              // good events per second of a minute, where the level says what is good
	OutageDown    = "sla:outage:down"                   // 1 for a minute or slot that was down, 0 for one that was not, none while that is unknown
	OutageBegun   = "sla:outage:begun_seconds"          // only when an outage is first seen: when it began, in Unix seconds
	OutageSince   = "sla:outage:since_seconds"          // while an outage goes on: when it began, in Unix seconds
	OutageInHours = "sla:outage:in_hours_seconds"       // of levels with service hours, while it is down within them: now, in Unix seconds
	OutageAge     = "sla:outage:age_seconds"            // while an outage goes on: for how long
	OutageEnded   = "sla:outage:ended_seconds"          // only when the end of an outage is first seen: how long it was
	OutageByStart = "sla:outage:ended_seconds_by_start" // period, start; the same, by the calendar period in which it ended
	OutageCount   = "sla:outage:count_period"           // period; how many outages have ended in the period
	OutageLongest = "sla:outage:longest_seconds_period" // period; the longest of these, none without outages
	OutageMean    = "sla:outage:mean_seconds_period"    // period; their mean, none without outages
	RecoveryAge   = "sla:recovery:age_seconds"          // recovery; of levels whose recovery limits an age: the greatest value of its query, in seconds
)
