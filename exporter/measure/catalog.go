package measure

import (
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// description is what is known of one metric of the exporter, both for its
// exposition and for docs/metrics.md.
type description struct {
	Name   string
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string // the HELP line
	Note   string // what else a reader should know, for the documentation
}

// targetLabels identify the target in every per-target series.
var targetLabels = []string{metricnames.SLA, metricnames.Service, metricnames.SLO, metricnames.Target, metricnames.Location}

// levelLabels identify a level.
var levelLabels = []string{metricnames.SLA, metricnames.Service, metricnames.SLO}

// exemplarLabel is the label of an exemplar that identifies its probe.
const exemplarLabel = "probe_id"

// underFormerName is a metric under its former name. The exporter has both for one
// release, so that rules and boards of the previous release keep working.
func underFormerName(d description, name string) description {
	d.Help = "Use " + d.Name + ": this name ends with the next release."
	d.Name, d.Note = name, ""
	return d
}

func perTarget(extra ...string) []string { return append(slices.Clone(targetLabels), extra...) }

var (
	results = description{
		Name: metricnames.ProbeResults, Type: "counter", Labels: perTarget(metricnames.Outcome),
		Help: "Scheduled probes by outcome.",
		Note: "`good` and `bad` are about the target. `inconclusive` is the exporter's own fault (no file descriptors, no CPU, its resolver or network failed), " +
			"`missed` was scheduled and did not run, `maintenance` was excluded in advance; none of these three is downtime of the target. " +
			"In every scrape the outcomes of a target add up to `" + metricnames.ProbeScheduled + "`.",
	}
	scheduled = description{
		Name: metricnames.ProbeScheduled, Type: "counter", Labels: perTarget(),
		Help: "Scheduled probes that have an outcome.",
		Note: "One for every interval. A probe counts here at the same instant as in `" + metricnames.ProbeResults + "`, so a running probe is in neither.",
	}
	scheduledFormerly = underFormerName(scheduled, metricnames.ProbeOwed)
	failures          = description{
		Name: metricnames.ProbeFailures, Type: "counter", Labels: perTarget(metricnames.Reason),
		Help: "Probes that were not good, by reason.",
		Note: "Every `bad`, `inconclusive` and `missed` probe has exactly one reason. A reason appears at 0 in the first scrape after it happened, and with its count at the next, so `increase()` and `rate()` see the first failure. " +
			"For the number of all failures use `" + metricnames.ProbeResults + "`, which is there from the start.",
	}
	duration = description{
		Name: metricnames.ProbeDuration, Type: "histogram", Labels: perTarget(),
		Help: "How long good and bad probes took.",
		Note: "Classic, with few buckets, and native. Failures are included, a timeout with the time it took. Not included are inconclusive and missed probes, " +
			"and those that `" + metricnames.ExporterReadLate + "` counts. " +
			"In protobuf and OpenMetrics, exemplars name the last good and the last bad probe by `" + exemplarLabel + "`.",
	}
	phase = description{
		Name: metricnames.ProbePhase, Type: "histogram", Labels: perTarget(metricnames.Phase),
		Help: "How long the phases of probes took: resolve, connect, tls, processing, transfer.",
		Note: "Native; in classic form only sum, count and the bucket `+Inf`. A phase that a probe did not reach is not counted, not even as 0. " +
			"`resolve` is absent for an address, `tls` without TLS, and `processing` (from the request to the first byte of the response) and `transfer` (first to last byte) for TCP. " +
			"With redirects the times of a phase add up.",
	}
	step = description{
		Name: metricnames.ProbeStep, Type: "histogram", Labels: perTarget(metricnames.Step),
		Help: "How long the steps of journeys took.",
		Note: "Native; in classic form only sum, count and the bucket `+Inf`. A step that was not reached is not counted. A step that failed is counted with the time until it did. " +
			"Redirects of a step are part of it. Absent for other kinds of probe.",
	}
	within = description{
		Name: metricnames.ProbeWithin, Type: "counter", Labels: perTarget(metricnames.Threshold),
		Help: "Good probes that took at most the threshold, in seconds.",
		Note: "One series for each threshold of a response-time level that uses the probe. Counted exactly, not by buckets. Absent without such a level.",
	}
	untimed = description{
		Name: metricnames.ProbeUntimed, Type: "counter", Labels: perTarget(metricnames.Threshold),
		Help: "Good probes for which it is unknown whether they took at most the threshold, in seconds.",
		Note: "More than 2.5 % of their time, and more than 1 ms, may be the exporter's own, because it had no CPU. With that time they exceed the threshold, and without it they do not. " +
			"Response-time levels leave them out. Each `" + metricnames.ProbeWithin + "` has one.",
	}
	downtime = description{
		Name: metricnames.ProbeDowntime, Type: "counter", Labels: perTarget(metricnames.Bound),
		Help: "Lower and upper bound of the time that the target was down, in seconds.",
		Note: "Time between two bad probes in a row is in both bounds. Time between a good and a bad probe, in either order, is in `upper` only, since the target may have been down or not. " +
			"Time around missed or inconclusive probes is unknown: it is in `upper` only, if the probe before or after is bad. The time of a probe is when it began.",
	}
	rechecks = description{
		Name: metricnames.ProbeRechecks, Type: "counter", Labels: perTarget(),
		Help: "Probes between two scheduled ones, after one that was not good.",
		Note: "Only for targets with `recheckInterval`. They are in no other counter and no histogram, so bad times do not count more because they were probed more often. " +
			"They narrow the bounds of `" + metricnames.ProbeDowntime + "`, and set `" + metricnames.ProbeLastState + "`.",
	}
	lastState = description{
		Name: metricnames.ProbeLastState, Type: "gauge", Labels: perTarget(),
		Help: "1 if the last probe that was good or bad was good, else 0.",
		Note: "Absent until a probe was good or bad. Inconclusive and missed probes do not change it.",
	}
	certExpiry = description{
		Name: metricnames.ProbeCertExpiry, Type: "gauge", Labels: perTarget(),
		Help: "When the first of the target's certificates expires, in seconds since the epoch.",
		Note: "Absent until a handshake has received a certificate, also one that was refused. Probes that fail before that do not change it.",
	}
	chainExpiry = description{
		Name: metricnames.ProbeChainExpiry, Type: "gauge", Labels: perTarget(),
		Help: "Until when the target's certificate can be verified, in seconds since the epoch.",
		Note: "The first expiry in the verified chain that lasts longest. Absent if the certificate could not be verified.",
	}
	packetsSent = description{
		Name: metricnames.ProbePacketsSent, Type: "counter", Labels: perTarget(),
		Help: "Packets that ICMP probes sent.",
		Note: "By good and bad probes. The difference to `" + metricnames.ProbePacketsReceived + "` was lost.",
	}
	packetsReceived = description{
		Name: metricnames.ProbePacketsReceived, Type: "counter", Labels: perTarget(),
		Help: "Packets of ICMP probes that were answered in time.",
	}
	packetJitter = description{
		Name: metricnames.ProbePacketJitter, Type: "gauge", Labels: perTarget(),
		Help: "Mean difference between the round trips of successive packets, in the last ICMP probe with two replies.",
	}
	dialogueInfo = description{
		Name: metricnames.ProbeDialogueInfo, Type: "gauge", Labels: perTarget(),
		Help: "Always 1, with the labels that the probe's dialogue took from a response.",
		Note: "For dialogues with `labels` beside an `expect`. From the last good or bad probe that got that far.",
	}
	refusedStatus = description{
		Name: metricnames.ProbeRefusedStatus, Type: "gauge", Labels: perTarget(),
		Help: "The HTTP status for which a probe was bad last.",
		Note: "Absent until a probe fails with the reason `" + metricnames.ReasonStatus + "` and an HTTP response. It stays when the target is good again: read it beside `" + metricnames.ProbeFailures + "`.",
	}

	lag = description{
		Name: metricnames.ExporterLag, Type: "histogram",
		Help: "How late probes started.",
		Note: "Classic and native. A probe that would start later than half its interval, or than a second if that is less, is skipped.",
	}
	readLate = description{
		Name: metricnames.ExporterReadLate, Type: "counter",
		Help: "Good and bad probes that were read late: more than 2.5 % of their time, and more than 1 ms, may be the exporter's own.",
		Note: "The exporter had no CPU. The outcome of the probe counts; its duration is in no histogram. On Linux only.",
	}
	readLateFormerly = underFormerName(readLate, metricnames.ExporterUntimed)
	inFlight         = description{Name: metricnames.ExporterInFlight, Type: "gauge", Help: "Probes that are running."}
	concurrency      = description{Name: metricnames.ExporterConcurrency, Type: "gauge", Help: "How many probes may run at once (--probe.max-concurrency)."}
	targets          = description{Name: metricnames.ExporterTargets, Type: "gauge", Help: "Targets that are probed."}
	discovered       = description{
		Name: metricnames.ExporterDiscovered, Type: "gauge", Labels: levelLabels, Help: "Targets that the level's discovery found last.",
		Note: "Of levels with `targets`. With shards, each exporter finds all of them.",
	}
	discoveryLeftOut = description{
		Name: metricnames.ExporterLeftOut, Type: "gauge", Labels: levelLabels, Help: "Entries that the level's discovery found last and that cannot be probed.",
		Note: "Such as a blank one, one that is no address, or one that differs from another only in user name and password. The others are probed. The log names each once.",
	}
	discoveryOK = description{
		Name: metricnames.ExporterDiscoveryOK, Type: "gauge", Labels: levelLabels, Help: "1 if the level's last discovery succeeded and all targets can be probed, else 0.",
		Note: "While discovery fails the targets stay the same; the log says why.",
	}
	vantage = description{
		Name: metricnames.ExporterVantage, Type: "gauge", Help: "1 if a reference target (--probe.reference) answered when they were last probed, else 0.",
		Note: "Absent without reference targets. While it is 0, failures of the network are `inconclusive` with the reason `vantage`.",
	}
	reloadOK = description{
		Name: metricnames.ExporterReloadOK, Type: "gauge", Help: "1 if the last load of the specification succeeded, else 0.",
		Note: "While it is 0 the exporter uses the last specification that loaded.",
	}
	reloadTime      = description{Name: metricnames.ExporterReloadTime, Type: "gauge", Help: "When the specification last loaded successfully, in seconds since the epoch."}
	requestInFlight = description{Name: metricnames.ExporterRequestInFlight, Type: "gauge", Help: "Probes requested at /probe that are running.", Note: onlyWithModules}
	requestRejected = description{
		Name: metricnames.ExporterRequestRejected, Type: "counter", Labels: []string{metricnames.Reason},
		Help: "Requests to /probe that were refused, because too many probes were running (concurrency) or requested (rate).", Note: onlyWithModules,
	}
	blackboxReloadOK   = description{Name: metricnames.BlackboxReloadOK, Type: "gauge", Help: "Blackbox exporter config loaded successfully.", Note: onlyWithModules}
	blackboxReloadTime = description{Name: metricnames.BlackboxReloadTime, Type: "gauge", Help: "Timestamp of the last successful configuration reload.", Note: onlyWithModules}
	blackboxUnknown    = description{Name: metricnames.BlackboxModuleUnknown, Type: "counter", Help: "Count of unknown modules requested by probes", Note: onlyWithModules}

	buildInfo = description{
		Name: metricnames.ExporterBuildInfo, Type: "gauge", Labels: []string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
		Help: "A metric with a constant '1' value labeled by version, revision, branch, goversion from which upheld_exporter was built, and the goos and goarch for the build.",
	}
)

// onlyWithModules is the note of metrics about the drop-in for blackbox_exporter.
const onlyWithModules = "Absent without modules for `/probe` (`--config.file`); see [blackbox.md](blackbox.md)."

// targetMetrics are the metrics of a target, in the order of the documentation.
func targetMetrics() []description {
	return []description{results, scheduled, scheduledFormerly, failures, duration, phase, step, within, untimed, downtime, rechecks, lastState, certExpiry, chainExpiry, packetsSent, packetsReceived, packetJitter, dialogueInfo, refusedStatus}
}

// selfMetrics are the metrics of the exporter about itself, in the order of the
// documentation.
func selfMetrics() []description {
	return []description{lag, readLate, readLateFormerly, inFlight, concurrency, targets, discovered, discoveryLeftOut, discoveryOK, vantage, reloadOK, reloadTime, requestInFlight, requestRejected, blackboxReloadOK, blackboxReloadTime, blackboxUnknown, buildInfo}
}
