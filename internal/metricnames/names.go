// Package metricnames holds the metric and label names that the exporter, the
// rule generator, the dashboards and the pages agree on. It imports nothing.
package metricnames

// Labels of every recorded series and every per-target exporter metric.
const (
	SLA     = "sla"
	Service = "service"
	SLO     = "slo"
)

// Labels of exporter metrics.
const (
	Target    = "target"
	Location  = "location"
	Outcome   = "outcome"
	Reason    = "reason"
	Step      = "step"
	Phase     = "phase"
	Threshold = "threshold"
	Bound     = "bound"
)

// Exporter metrics; each carries sla, service, slo, target and location.
const (
	ProbeResults   = "upheld_probe_results_total"           // outcome
	ProbeOwed      = "upheld_probe_owed_total"              // what the schedule owed: the sum of all outcomes
	ProbeFailures  = "upheld_probe_failures_total"          // reason; of everything that is not good: bad, inconclusive and missed
	ProbeDuration  = "upheld_probe_duration_seconds"        // histogram
	ProbePhase     = "upheld_probe_phase_duration_seconds"  // histogram by phase
	ProbeStep      = "upheld_probe_step_duration_seconds"   // histogram by step, of journeys
	ProbeWithin    = "upheld_probe_within_threshold_total"  // threshold (seconds): good probes that took at most that long
	ProbeUntimed   = "upheld_probe_threshold_unknown_total" // threshold (seconds): good probes of which that is not known
	ProbeDowntime  = "upheld_probe_downtime_seconds_total"  // bound: lower and upper bound of the time that the target was down
	ProbeRechecks  = "upheld_probe_rechecks_total"          // probes between two that were owed
	ProbeLastState = "upheld_probe_last_outcome_good"       // 1 good, 0 bad; of the last conclusive probe

	ProbeCertExpiry      = "upheld_probe_tls_earliest_cert_expiry_timestamp_seconds"
	ProbeChainExpiry     = "upheld_probe_tls_chain_expiry_timestamp_seconds"
	ProbePacketsSent     = "upheld_probe_packets_sent_total" // of ICMP
	ProbePacketsReceived = "upheld_probe_packets_received_total"
	ProbePacketJitter    = "upheld_probe_packet_jitter_seconds"
	ProbeDialogueInfo    = "upheld_probe_dialogue_info" // with labels of the user's own
)

// Metrics of the exporter about itself.
const (
	ExporterLag         = "upheld_exporter_schedule_lag_seconds" // histogram: how late probes start
	ExporterUntimed     = "upheld_exporter_untimed_probes_total" // probes whose duration the exporter was too late to tell
	ExporterInFlight    = "upheld_exporter_probes_in_flight"
	ExporterConcurrency = "upheld_exporter_probes_in_flight_limit"
	ExporterTargets     = "upheld_exporter_targets"
	ExporterVantage     = "upheld_exporter_vantage_good" // 1 if a reference target answers, else 0; only with references
	ExporterDiscovered  = "upheld_exporter_discovery_targets"
	ExporterDiscoveryOK = "upheld_exporter_discovery_ok"
	ExporterLeftOut     = "upheld_exporter_discovery_targets_left_out" // of those found
	ExporterReloadOK    = "upheld_exporter_config_last_reload_successful"
	ExporterReloadTime  = "upheld_exporter_config_last_reload_success_timestamp_seconds"
	// Of probes that are asked for at /probe.
	ExporterRequestInFlight = "upheld_exporter_request_probes_in_flight"
	ExporterRequestRejected = "upheld_exporter_request_probes_rejected_total" // by reason
	// Names of blackbox_exporter, which its dashboards and alerts use.
	BlackboxReloadOK      = "blackbox_exporter_config_last_reload_successful"
	BlackboxReloadTime    = "blackbox_exporter_config_last_reload_success_timestamp_seconds"
	BlackboxModuleUnknown = "blackbox_module_unknown_total"

	ExporterBuildInfo    = "upheld_exporter_build_info"
	ExporterBuildProgram = "upheld_exporter" // what client_golang makes ExporterBuildInfo of
)

// Outcomes of a probe that the schedule owed.
const (
	Good         = "good"
	Bad          = "bad"
	Inconclusive = "inconclusive"
	Maintenance  = "maintenance"
	Missed       = "missed"
)

// Labels of recorded series and alerts.
const (
	Period      = "period"
	Severity    = "severity"
	Tier        = "tier"
	LongWindow  = "long_window"  // of earlier versions' alerts; nobody else may set it
	ShortWindow = "short_window" // likewise
	Escalation  = "escalation"   // how long an alert has been firing when it is told to more people: "15m"
)

// Recorded series; each carries sla, service and slo, those of a period also
// the period label.
const (
	TotalRate       = "sla:total:rate5m"                  // events (or known seconds) per second
	BadRate         = "sla:bad:rate5m"                    // bad events (or bad seconds) per second
	GoodRate        = "sla:good:rate"                     // good events per second, over what the level counts over; of levels that say what is good
	GoodSeen        = "sla:good:seen"                     // second tier: 1 if there were any since its last evaluation
	Excess          = "sla:excess:ratio"                  // by what share of the total good events exceed it, while that is more than rates are inexact by
	KnownTotalRate  = "sla:known_total:rate5m"            // known seconds per second, where missing data counts
	KnownBadRate    = "sla:known_bad:rate5m"              // bad seconds per second that are known, where missing data counts
	MissingRate     = "sla:missing:rate5m"                // what is missing, in seconds per second or of the minute, where it counts
	TotalIncrease   = "sla:total:increase"                // second tier: events (or known seconds) since its last evaluation
	BadIncrease     = "sla:bad:increase"                  // second tier: bad events (or bad seconds) since its last evaluation
	TotalPeriod     = "sla:total:sum_period"              // events (or known seconds) of the period
	BadPeriod       = "sla:bad:sum_period"                // bad events (or bad seconds) of the period
	CoveragePeriod  = "sla:coverage:ratio_period"         // share of the period with a known state; by event, up to the last event
	MeasuredPeriod  = "sla:measured:ratio_period"         // by event: share of the period that is measured, with and without events
	MeasuredBusy    = "sla:measured:ratio_period_busy"    // that, as of the last event within an hour
	TotalSum        = "sla:total:sum_"                    // prefix; events (or known seconds) of the window that follows: sla:total:sum_1h
	BadSum          = "sla:bad:sum_"                      // prefix; bad events (or bad seconds) of the window: sla:bad:sum_1h
	TrafficRatio    = "sla:traffic:ratio_rate"            // prefix; traffic of the window that follows over the period's mean: sla:traffic:ratio_rate1h
	ErrorRatio      = "sla:error:ratio_rate"              // prefix; the window follows: sla:error:ratio_rate1h
	BurnTier        = "sla:burn_tier:ratio"               // by tier, while it burns: the bad share of the tier's long window, as it is weighed
	ErrorPeriod     = "sla:error:ratio_period"            // bad share of the period
	BudgetRemaining = "sla:budget_remaining:ratio_period" // of the whole period: 1 = untouched, 0 = spent, negative = overspent
	BurnRate        = "sla:burn_rate:ratio_period"        // bad share over allowed share, to date: 1 = just met
	TargetRatio     = "sla:target:ratio"
	ObjectiveRatio  = "sla:objective:ratio"
	LevelInfo       = "sla_service_level_info"
)

// Recorded series of levels with credits; each carries period.
const (
	CreditPercent  = "sla:credit:percent_period"          // owed for the running period, if all the rest of it is good
	CreditPrevious = "sla:credit:percent_period_previous" // start; owed for the calendar period before this
	CreditMinutes  = "sla:credit_tier:minutes_period"     // tier; of total outage, until the tier is reached
)

// GroupSeen is recorded for levels with groups: 1 for a group with data, 0 for
// one that only the figures of the period have still.
const GroupSeen = "sla:group:seen"

// GroupWorst is recorded for levels with groups: how many times faster than
// their objectives allow the worst groups burn now.
const GroupWorst = "sla:group:worst_burn_rate"

// Recorded series of aggregations over slots.
const (
	SlotTotal     = "sla:slot_total:rate" // events per second of a minute or slot
	SlotBad       = "sla:slot_bad:rate"   // bad events per second of a minute or slot
	SlotKnown     = "sla:slot:bad_known"  // SlotJudged without what is missing, where that counts
	SlotJudged    = "sla:slot:bad"        // what a slot counts: 0 good, 1 bad, between them its error rate
	SlotBadMinute = "sla:slot:bad_minute" // 1 for a minute above the threshold, whatever the run
	SlotQualified = "sla:slot:qualified"  // 1 while a run of bad minutes is long enough
)

// Recorded series of levels whose missing data counts.
const (
	SourceJob       = "sla:source:job"            // job; 1 while the level has a result: the jobs that its series come from
	SourceJobPeriod = "sla:source:job_period"     // job; those of the level's longest period
	SourceScraped   = "sla:source:scraped"        // 1 while the server scrapes one of them, up or down
	SourceDark      = "sla:source:dark"           // 1 while it does and the level has no series, else 0
	NotSeenPeriod   = "sla:not_seen:ratio_period" // share of the period that is neither known nor missing, nor still to come
)

// What Prometheus records of a scrape.
const (
	Up  = "up"  // 1 if it succeeded, 0 if not
	Job = "job" // the label of the scrape configuration
)
