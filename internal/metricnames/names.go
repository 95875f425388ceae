// Package metricnames holds the metric and label names that the exporter, the
// rule generator, the dashboards and the pages agree on. It imports nothing of this module.
//
// docs/series.md is made from this package: each block of names is a table under
// the block's comment, and the comment of a name is its line, written as "labels
// that it has beside those of its block; meaning".
package metricnames

// Labels of every recorded series of a level, and of every exporter metric of a target.
const (
	SLA     = "sla"     // the agreement
	Service = "service" // the service of the level
	SLO     = "slo"     // the name of the level
)

// Labels of exporter metrics.
const (
	Target    = "target"    // what is probed, without user name and password
	Location  = "location"  // where the exporter probes from (`--location`)
	Outcome   = "outcome"   // `good`, `bad`, `inconclusive`, `maintenance` or `missed`
	Reason    = "reason"    // why a probe was not good
	Step      = "step"      // the step of a journey
	Phase     = "phase"     // `resolve`, `connect`, `tls`, `processing` or `transfer`
	Threshold = "threshold" // a latency in seconds
	Bound     = "bound"     // `lower` or `upper`
)

// Exporter metrics of a target. Each carries `sla`, `service`, `slo`, `target` and `location`, and
// `address` where the level has `addresses: each`.
const (
	ProbeResults   = "upheld_probe_results_total"           // outcome; counter: scheduled probes by outcome
	ProbeScheduled = "upheld_probe_scheduled_total"         // counter: scheduled probes; the sum of all outcomes
	ProbeOwed      = "upheld_probe_owed_total"              // counter: the former name of `upheld_probe_scheduled_total`, until the next release
	ProbeFailures  = "upheld_probe_failures_total"          // reason; counter: probes that were bad, inconclusive or missed
	ProbeDuration  = "upheld_probe_duration_seconds"        // histogram: how long good and bad probes took
	ProbePhase     = "upheld_probe_phase_duration_seconds"  // phase; histogram: how long the phases of probes took
	ProbeStep      = "upheld_probe_step_duration_seconds"   // step; histogram: how long the steps of journeys took
	ProbeWithin    = "upheld_probe_within_threshold_total"  // threshold; counter: good probes that took at most the threshold
	ProbeUntimed   = "upheld_probe_threshold_unknown_total" // threshold; counter: good probes for which this is unknown, because the exporter was late
	ProbeDowntime  = "upheld_probe_downtime_seconds_total"  // bound; counter: seconds that the target was down, at least and at most
	ProbeRechecks  = "upheld_probe_rechecks_total"          // counter: probes between two scheduled ones
	ProbeLastState = "upheld_probe_last_outcome_good"       // gauge: 1 if the last good or bad probe was good, else 0

	ProbeCertExpiry      = "upheld_probe_tls_earliest_cert_expiry_timestamp_seconds" // gauge: when the first of the target's certificates expires
	ProbeChainExpiry     = "upheld_probe_tls_chain_expiry_timestamp_seconds"         // gauge: until when the target's certificate can be verified
	ProbePacketsSent     = "upheld_probe_packets_sent_total"                         // counter, of ICMP
	ProbePacketsReceived = "upheld_probe_packets_received_total"                     // counter, of ICMP
	ProbePacketJitter    = "upheld_probe_packet_jitter_seconds"                      // gauge, of ICMP
	ProbeDialogueInfo    = "upheld_probe_dialogue_info"                              // 1, with labels that the probe's dialogue took from a response
	ProbeRefusedStatus   = "upheld_probe_refused_http_status"                        // gauge: the HTTP status for which a probe was bad last
)

// Metrics of the exporter about itself.
const (
	ExporterLag             = "upheld_exporter_schedule_lag_seconds"                           // histogram: how late probes start
	ExporterReadLate        = "upheld_exporter_probes_read_late_total"                         // counter: probes whose duration is unknown, because the exporter was late
	ExporterUntimed         = "upheld_exporter_untimed_probes_total"                           // counter: the former name of `upheld_exporter_probes_read_late_total`, until the next release
	ExporterInFlight        = "upheld_exporter_probes_in_flight"                               // gauge: probes that are running
	ExporterConcurrency     = "upheld_exporter_probes_in_flight_limit"                         // gauge: how many may run at once
	ExporterTargets         = "upheld_exporter_targets"                                        // gauge: targets that are probed
	ExporterVantage         = "upheld_exporter_vantage_good"                                   // gauge: 1 if a reference target answers, else 0; only with reference targets
	ExporterDiscovered      = "upheld_exporter_discovery_targets"                              // sla, service, slo; gauge: targets that the level's discovery found last
	ExporterDiscoveryOK     = "upheld_exporter_discovery_ok"                                   // sla, service, slo; gauge: 1 if that succeeded and all of them can be probed, else 0
	ExporterLeftOut         = "upheld_exporter_discovery_targets_left_out"                     // sla, service, slo; gauge: entries it found that cannot be probed
	ExporterReloadOK        = "upheld_exporter_config_last_reload_successful"                  // gauge: 1 if the last load of the specification succeeded, else 0
	ExporterReloadTime      = "upheld_exporter_config_last_reload_success_timestamp_seconds"   // gauge: when a load last succeeded
	ExporterRequestInFlight = "upheld_exporter_request_probes_in_flight"                       // gauge: probes at `/probe` that are running
	ExporterRequestRejected = "upheld_exporter_request_probes_rejected_total"                  // reason; counter: requests to `/probe` that were refused
	BlackboxReloadOK        = "blackbox_exporter_config_last_reload_successful"                // blackbox_exporter's metric, for its dashboards and alerts
	BlackboxReloadTime      = "blackbox_exporter_config_last_reload_success_timestamp_seconds" // blackbox_exporter's metric
	BlackboxModuleUnknown   = "blackbox_module_unknown_total"                                  // blackbox_exporter's metric
	ExporterBuildInfo       = "upheld_exporter_build_info"                                     // 1, with the version
)

// ExporterBuildProgram is the name from which client_golang makes ExporterBuildInfo.
const ExporterBuildProgram = "upheld_exporter"

// Outcomes of a scheduled probe.
const (
	Good         = "good"
	Bad          = "bad"
	Inconclusive = "inconclusive"
	Maintenance  = "maintenance"
	Missed       = "missed"
)

// Labels of recorded series and alerts.
const (
	Period      = "period"       // the period: `30d`, `month`
	Severity    = "severity"     // of an alert
	Tier        = "tier"         // the alert tier, or the threshold of a tier of credits
	LongWindow  = "long_window"  // of alerts of earlier versions; reserved
	ShortWindow = "short_window" // of alerts of earlier versions; reserved
	Escalation  = "escalation"   // of an alert: the time after which it is sent to more people: `15m`
)

// Recorded series of every level. Each carries `sla`, `service` and `slo`, those of a period also
// `period`, and those of a level with groups the group labels.
const (
	TotalRate         = "sla:total:rate5m"                     // events, or known seconds, per second
	BadRate           = "sla:bad:rate5m"                       // bad events, or bad seconds, per second
	GoodRate          = "sla:good:rate"                        // good events per second; of levels that say what is good
	GoodSeen          = "sla:good:seen"                        // 1 if there were good events since the last evaluation of the second layer
	Excess            = "sla:excess:ratio"                     // by what share good events exceed the total, while that is more than the inaccuracy of rates
	KnownTotalRate    = "sla:known_total:rate5m"               // known seconds per second; of levels whose missing data counts
	KnownBadRate      = "sla:known_bad:rate5m"                 // bad seconds per second that are known; of levels whose missing data counts
	MissingRate       = "sla:missing:rate5m"                   // missing seconds per second; of levels whose missing data counts
	TotalIncrease     = "sla:total:increase"                   // second layer: events, or known seconds, since its last evaluation
	BadIncrease       = "sla:bad:increase"                     // second layer: bad events, or bad seconds, since its last evaluation
	TotalInGap        = "sla:total:increase_in_gap"            // second layer: the part of `sla:total:increase` that was found after a gap of the server, once after each gap
	BadInGap          = "sla:bad:increase_in_gap"              // second layer: the bad part of that
	CountedMark       = "sla:counted:mark"                     // second layer: 1 where counters were read; the next increase is counted from there
	SummedUntil       = "sla:sum_to_hour:seconds"              // third layer, without `period`: the end of sums up to an hour, in Unix seconds
	TotalPeriod       = "sla:total:sum_period"                 // events, or known seconds, of the period
	BadPeriod         = "sla:bad:sum_period"                   // bad events, or bad seconds, of the period
	CoveragePeriod    = "sla:coverage:ratio_period"            // share of the period that was measured; of levels of events, up to the last event
	MeasuredPeriod    = "sla:measured:ratio_period"            // of levels of events: share of the period that was measured, with events or without
	MeasuredBusy      = "sla:measured:ratio_period_busy"       // of levels of events: the same, at the last event within an hour
	MeasuredToHour    = "sla:measured:count_period_to_hour"    // third layer, of levels of events: evaluations of the second layer with a total, up to a whole hour
	MeasuredSinceHour = "sla:measured:count_period_since_hour" // of levels of events: those since then
	TotalSum          = "sla:total:sum_"                       // events, or known seconds, of the window that the name ends with
	BadSum            = "sla:bad:sum_"                         // bad events, or bad seconds, of the window that the name ends with
	TrafficRatio      = "sla:traffic:ratio_rate"               // traffic of the window that the name ends with, over the period's mean
	ErrorRatio        = "sla:error:ratio_rate"                 // bad share of the window that the name ends with
	BurnTier          = "sla:burn_tier:ratio"                  // tier; while the tier burns: the weighted bad share of its long window
	ErrorPeriod       = "sla:error:ratio_period"               // bad share of the period, to date
	BudgetRemaining   = "sla:budget_remaining:ratio_period"    // of the whole period's budget: 1 is untouched, 0 spent, negative overspent
	BurnRate          = "sla:burn_rate:ratio_period"           // bad share over allowed share, to date: above 1 the target share is missed so far
	TargetRatio       = "sla:target:ratio"                     // the target share: 0.999
	ObjectiveRatio    = "sla:objective:ratio"                  // the objective: 0.999
	ServiceState      = "sla:service:state"                    // the current state of the service: 0 up, 1 out of hours, 2 maintenance, 3 unknown, 4 degraded, 5 down
	LevelInfo         = "sla_service_level_info"               // 1, with `indicator`, `unit` of sums, `period`, `target`, `objective`, `impact` if it has one, and your labels as `label_...`
)

// Recorded series of levels with credits. Each carries `period` too.
const (
	CreditPercent  = "sla:credit:percent_period"          // what is owed for the running period if the rest of it is good, in per cent
	CreditPrevious = "sla:credit:percent_period_previous" // start; what was owed for the previous calendar period, in per cent
	CreditMinutes  = "sla:credit_tier:minutes_period"     // tier; minutes of total outage until the tier is reached
)

// Recorded series of levels with groups. Each carries the group labels.
const (
	GroupSeen  = "sla:group:seen"            // 1 for a group with data, 0 for one that only the sums of the period still have
	GroupWorst = "sla:group:worst_burn_rate" // of the worst groups: how many times faster than their objective allows they burn their budget now
)

// Recorded series of levels that judge minutes or slots.
const (
	SlotTotal     = "sla:slot_total:rate" // events per second of a minute or slot
	SlotBad       = "sla:slot_bad:rate"   // bad events per second of a minute or slot; not where that is `sla:slot:bad` itself
	SlotKnown     = "sla:slot:bad_known"  // `sla:slot:bad` before missing data is counted
	SlotJudged    = "sla:slot:bad"        // what a minute or slot counts as: 0 good, 1 bad, or between
	SlotBadMinute = "sla:slot:bad_minute" // 1 for a minute above the threshold, whatever the run
	SlotQualified = "sla:slot:qualified"  // 1 while a run of bad minutes is long enough
)

// Recorded series of levels whose missing data counts (`missingData: bad` or `good`).
const (
	SourceJob       = "sla:source:job"            // job; 1 for each job that the level's series come from, while there is a result
	SourceJobPeriod = "sla:source:job_period"     // job; the same, of the level's longest period
	SourceScraped   = "sla:source:scraped"        // 1 while the server scrapes one of these jobs, up or down
	SourceDark      = "sla:source:dark"           // 1 while it does but the level has no series, else 0
	NotSeenPeriod   = "sla:not_seen:ratio_period" // share of the period that has passed and is neither known nor missing
)

// Names of Prometheus' own, of each scrape.
const (
	Up  = "up"  // 1 if the scrape succeeded, 0 if not
	Job = "job" // the job of the scrape configuration

	Instance         = "instance"                   // the target of the job
	ExportedJob      = "exported_job"               // the job label in a target's own series, as from a federated server
	ExportedInstance = "exported_instance"          // the instance label in a target's own series
	ProcessStart     = "process_start_time_seconds" // when the process of a target began, in Unix seconds
)
