package measure

import (
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// Metric describes one metric of the exporter, for its exposition and for
// docs/metrics.md alike.
type Metric struct {
	Name   string
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string // the HELP line
	Note   string // what a reader should know besides, for the documentation
}

// targetLabels name the target of every per-target series.
var targetLabels = []string{metricnames.SLA, metricnames.Service, metricnames.SLO, metricnames.Target, metricnames.Location}

// levelLabels name a level.
var levelLabels = []string{metricnames.SLA, metricnames.Service, metricnames.SLO}

// exemplarLabel names the probe that an exemplar is of.
const exemplarLabel = "probe_id"

func perTarget(extra ...string) []string { return append(slices.Clone(targetLabels), extra...) }

var (
	results = Metric{
		Name: metricnames.ProbeResults, Type: "counter", Labels: perTarget(metricnames.Outcome),
		Help: "Probes by what became of them.",
		Note: "`good` and `bad` are what the target did. `inconclusive` is the exporter's own fault (no file descriptors, its resolver or its network gone, no CPU), " +
			"`missed` was owed and never run, `maintenance` was declared in advance not to count; none of the three is downtime of the target. " +
			"In every scrape the outcomes of a target add up to `" + metricnames.ProbeOwed + "`.",
	}
	owed = Metric{
		Name: metricnames.ProbeOwed, Type: "counter", Labels: perTarget(),
		Help: "Probes that the schedule owed and that are accounted for.",
		Note: "One for every interval. A probe counts here in the same instant as in `" + metricnames.ProbeResults + "`: one that is still running is not there yet.",
	}
	failures = Metric{
		Name: metricnames.ProbeFailures, Type: "counter", Labels: perTarget(metricnames.Reason),
		Help: "Probes that were not good, by the reason.",
		Note: "Every `bad`, `inconclusive` and `missed` probe has exactly one reason. A reason has a series once it has happened to the target: the first scrape after that shows it at 0 and the next its count, so that `increase()` and `rate()` see the first failure too. " +
			"How many failures there are in all, `" + metricnames.ProbeResults + "` says from the start.",
	}
	duration = Metric{
		Name: metricnames.ProbeDuration, Type: "histogram", Labels: perTarget(),
		Help: "How long probes took, good and bad ones.",
		Note: "Classic, with few buckets, and native. Failures are included, a timeout with the time it took; inconclusive and missed probes are not, " +
			"nor those that `" + metricnames.ExporterUntimed + "` counts. " +
			"Exemplars, for scrapes in protobuf or OpenMetrics, name the last good and the last bad probe by `" + exemplarLabel + "`.",
	}
	phase = Metric{
		Name: metricnames.ProbePhase, Type: "histogram", Labels: perTarget(metricnames.Phase),
		Help: "How long the phases of probes took: resolve, connect, tls, processing, transfer.",
		Note: "Native; classic only as sum, count and the bucket that holds everything. A phase that a probe never reached is not counted, rather than counted as 0. " +
			"`resolve` is absent for an address, `tls` for plain text, `processing` (request sent to first byte of the answer) and `transfer` (first byte to last) for TCP. " +
			"After redirects the times of a phase add up.",
	}
	step = Metric{
		Name: metricnames.ProbeStep, Type: "histogram", Labels: perTarget(metricnames.Step),
		Help: "How long the steps of journeys took.",
		Note: "Native; classic only as sum, count and the bucket that holds everything. A step that was not reached is not counted; one that failed is, with the time until it did. " +
			"Redirects of a step are part of it. Absent for other kinds of probe.",
	}
	within = Metric{
		Name: metricnames.ProbeWithin, Type: "counter", Labels: perTarget(metricnames.Threshold),
		Help: "Good probes that took at most the threshold, in seconds.",
		Note: "One series for each threshold that a response-time level of the specification holds the probe to; counted exactly, not read off a bucket. Absent where no level does.",
	}
	untimed = Metric{
		Name: metricnames.ProbeUntimed, Type: "counter", Labels: perTarget(metricnames.Threshold),
		Help: "Good probes of which it is not known whether they took at most the threshold, in seconds.",
		Note: "Those of which more than 2.5 % of the time and 1 ms may be the exporter's own, because it had no CPU, where with that time they exceed the threshold and without it they do not. " +
			"Response-time levels leave them out. There where `" + metricnames.ProbeWithin + "` is.",
	}
	downtime = Metric{
		Name: metricnames.ProbeDowntime, Type: "counter", Labels: perTarget(metricnames.Bound),
		Help: "Between which bounds the time is that the target was down, in seconds.",
		Note: "Between a good and a bad probe, in either order, a target may have been down or not: that time is in the `upper` bound only. Between two bad ones in a row it is in both. " +
			"Where probes in between were missed or inconclusive, what lies between counts as not known, and is in `upper` only, if one of the two ends is bad. Probes stand for the time at which they began.",
	}
	rechecks = Metric{
		Name: metricnames.ProbeRechecks, Type: "counter", Labels: perTarget(),
		Help: "Probes between two that the schedule owed, after one that was not good.",
		Note: "Only of targets with `recheckInterval`. They are in no other counter and no histogram, so that no ratio weighs bad times more for having looked closer; " +
			"what they find narrows the bounds of `" + metricnames.ProbeDowntime + "`, and is in `" + metricnames.ProbeLastState + "`.",
	}
	lastState = Metric{
		Name: metricnames.ProbeLastState, Type: "gauge", Labels: perTarget(),
		Help: "1 if the last probe that was good or bad was good, else 0.",
		Note: "Absent until a probe has been good or bad. Inconclusive and missed probes leave it as it was.",
	}
	certExpiry = Metric{
		Name: metricnames.ProbeCertExpiry, Type: "gauge", Labels: perTarget(),
		Help: "When the first of the certificates that the target sent expires, in seconds since the epoch.",
		Note: "Absent until a handshake has got as far as the certificate; there also if the certificate was then refused. Probes that fail before the handshake leave it as it was.",
	}
	chainExpiry = Metric{
		Name: metricnames.ProbeChainExpiry, Type: "gauge", Labels: perTarget(),
		Help: "Until when the target's certificate can be verified, in seconds since the epoch.",
		Note: "Of the verified chains the one that lasts longest, and in it the certificate that expires first. Absent if the certificate could not be verified.",
	}
	packetsSent = Metric{
		Name: metricnames.ProbePacketsSent, Type: "counter", Labels: perTarget(),
		Help: "Packets that ICMP probes sent.",
		Note: "Of probes that were good or bad. What of it is not in `" + metricnames.ProbePacketsReceived + "` was lost.",
	}
	packetsReceived = Metric{
		Name: metricnames.ProbePacketsReceived, Type: "counter", Labels: perTarget(),
		Help: "Packets of ICMP probes that were answered in time.",
	}
	packetJitter = Metric{
		Name: metricnames.ProbePacketJitter, Type: "gauge", Labels: perTarget(),
		Help: "Mean difference between the round trips of successive packets, of the last ICMP probe with two answers.",
	}
	dialogueInfo = Metric{
		Name: metricnames.ProbeDialogueInfo, Type: "gauge", Labels: perTarget(),
		Help: "Always 1, with the labels that the dialogue of the probe took from an answer.",
		Note: "Of dialogues with `labels` beside an `expect`; as the last good or bad probe that got that far has heard it.",
	}

	lag = Metric{
		Name: metricnames.ExporterLag, Type: "histogram",
		Help: "How late probes started.",
		Note: "Classic and native. More than half the interval, or a second if that is less, and a probe is not run.",
	}
	untimedAll = Metric{
		Name: metricnames.ExporterUntimed, Type: "counter",
		Help: "Good and bad probes of which more than 2.5 % of the time and 1 ms may be the exporter's own.",
		Note: "The exporter read late what had arrived, because it had no CPU. What became of the probe stands; its duration is in no histogram. On Linux only: elsewhere the kernel is not asked.",
	}
	inFlight    = Metric{Name: metricnames.ExporterInFlight, Type: "gauge", Help: "Probes that are running."}
	concurrency = Metric{Name: metricnames.ExporterConcurrency, Type: "gauge", Help: "How many probes may run at once (--probe.max-concurrency)."}
	targets     = Metric{Name: metricnames.ExporterTargets, Type: "gauge", Help: "Targets that are probed."}
	discovered  = Metric{
		Name: metricnames.ExporterDiscovered, Type: "gauge", Labels: levelLabels, Help: "Targets that the discovery of a level found last.",
		Note: "Of levels with `targets`; each of several shards finds all.",
	}
	discoveryLeftOut = Metric{
		Name: metricnames.ExporterLeftOut, Type: "gauge", Labels: levelLabels, Help: "Entries that the discovery of a level found last and that cannot be probed.",
		Note: "A blank one, one that is no address, one that differs from another in user name and password alone. The others are probed; the log names each once.",
	}
	discoveryOK = Metric{
		Name: metricnames.ExporterDiscoveryOK, Type: "gauge", Labels: levelLabels, Help: "1 if the last look for a level's targets succeeded and all of them can be probed, else 0.",
		Note: "While a look fails the targets stay as they were; the log says why.",
	}
	vantage = Metric{
		Name: metricnames.ExporterVantage, Type: "gauge", Help: "1 if a reference target (--probe.reference) answered when they were last asked, else 0.",
		Note: "Absent without references. While it is 0, failures of the network are `inconclusive` with the reason `vantage`.",
	}
	reloadOK = Metric{
		Name: metricnames.ExporterReloadOK, Type: "gauge", Help: "1 if the last load of the specification succeeded, else 0.",
		Note: "While it is 0 the exporter runs on what it loaded last.",
	}
	reloadTime      = Metric{Name: metricnames.ExporterReloadTime, Type: "gauge", Help: "When the specification was last loaded with success, in seconds since the epoch."}
	requestInFlight = Metric{Name: metricnames.ExporterRequestInFlight, Type: "gauge", Help: "Probes asked for at /probe that are running.", Note: onlyWithModules}
	requestRejected = Metric{
		Name: metricnames.ExporterRequestRejected, Type: "counter", Labels: []string{metricnames.Reason},
		Help: "Requests for /probe that were turned away, because too many probes were running (concurrency) or asked for (rate).", Note: onlyWithModules,
	}
	blackboxReloadOK   = Metric{Name: metricnames.BlackboxReloadOK, Type: "gauge", Help: "Blackbox exporter config loaded successfully.", Note: onlyWithModules}
	blackboxReloadTime = Metric{Name: metricnames.BlackboxReloadTime, Type: "gauge", Help: "Timestamp of the last successful configuration reload.", Note: onlyWithModules}
	blackboxUnknown    = Metric{Name: metricnames.BlackboxModuleUnknown, Type: "counter", Help: "Count of unknown modules requested by probes", Note: onlyWithModules}

	buildInfo = Metric{
		Name: metricnames.ExporterBuildInfo, Type: "gauge", Labels: []string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
		Help: "A metric with a constant '1' value labeled by version, revision, branch, goversion from which upheld_exporter was built, and the goos and goarch for the build.",
	}
)

// onlyWithModules is said of metrics of what blackbox_exporter does too.
const onlyWithModules = "Absent without modules for `/probe` (`--config.file`); see [blackbox.md](blackbox.md)."

// TargetMetrics are those that every target has, Self those of the exporter
// about itself, in the order of the documentation.
func TargetMetrics() []Metric {
	return []Metric{results, owed, failures, duration, phase, step, within, untimed, downtime, rechecks, lastState, certExpiry, chainExpiry, packetsSent, packetsReceived, packetJitter, dialogueInfo}
}

// SelfMetrics are those of the exporter about itself.
func SelfMetrics() []Metric {
	return []Metric{lag, untimedAll, inFlight, concurrency, targets, discovered, discoveryLeftOut, discoveryOK, vantage, reloadOK, reloadTime, requestInFlight, requestRejected, blackboxReloadOK, blackboxReloadTime, blackboxUnknown, buildInfo}
}
