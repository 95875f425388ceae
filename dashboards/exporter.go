package dashboards

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// exporterPanels show the exporters' metrics about themselves: whether their
// measurements can be trusted.
func exporterPanels(g *grid) {
	of := choose(among(instance, instance))
	g.section("exporter")
	legend := "{{" + instance + "}}"
	by := func(op, metric string) string { return fmt.Sprintf("%s by (%s) (%s)", op, instance, of.series(metric)) }
	g.add(5,
		sized{6, statPanel("Version", "Which version each exporter runs.").
			now(fmt.Sprintf("max by (%s, version) (%s)", instance, of.series(metricnames.ExporterBuildInfo)), legend+" {{version}}").
			noValue("no exporter is scraped").unit(unitNumber, 0).thresholds(colorText).states(stateWords{1, "runs", colorText}).withNames()},
		sized{6, statPanel("Specification", "Whether each exporter could load its specification when it last tried. If not, it goes on with what it had.").
			now(by("min", metricnames.ExporterReloadOK), legend).noValue("no exporter is scraped").unit(unitNumber, 0).
			thresholds(colorBad, step{1, colorGood}).states(stateWords{0, "not loaded", colorBad}, stateWords{1, "loaded", colorGood})},
		sized{6, statPanel("Loaded", "How long ago that succeeded last.").
			now("time() - "+by("max", metricnames.ExporterReloadTime), legend).noValue("no exporter is scraped").unit(unitSeconds, -1).thresholds(colorText)},
		sized{6, statPanel("Vantage", "Whether a reference target answers, so that a failure of others is not the exporter's own network. Only with reference targets.").
			now(by("min", metricnames.ExporterVantage), legend).noValue("no reference targets, or no exporter is scraped").unit(unitNumber, 0).
			thresholds(colorBad, step{1, colorGood}).states(stateWords{0, "cut off", colorBad}, stateWords{1, "good", colorGood})})
	g.add(8,
		sized{12, timePanel("Probes in flight", "How many probes run at once. Dashed: how many may; beyond it, probes are missed.").minStep(evaluation).
			query(by("max", metricnames.ExporterInFlight), legend).query(by("max", metricnames.ExporterConcurrency), legend+", limit").
			unit(unitNumber, -1).noValue("no exporter is scraped")},
		sized{12, timePanel("Schedule lag", "How late probes start, 99 of 100 of them. Where it grows, the machine is too busy.").minStep(evaluation).
			query(fmt.Sprintf("histogram_quantile(0.99, sum by (%s) (rate(%s[$__rate_interval]))) or histogram_quantile(0.99, sum by (%s, le) (rate(%s[$__rate_interval])))",
				instance, of.series(metricnames.ExporterLag), instance, of.series(metricnames.ExporterLag+"_bucket")), legend).
			unit(unitSeconds, -1).noValue("no exporter is scraped")})
	perMinute := func(metric, labels, matchers string) string {
		s := of
		if matchers != "" {
			s = of.with(matchers)
		}
		return fmt.Sprintf("60 * sum by (%s) (rate(%s[$__rate_interval]))", labels, s.series(metric))
	}
	own := oneOf(metricnames.Outcome, []string{metricnames.Inconclusive, metricnames.Missed})
	g.add(8,
		sized{8, timePanel("The exporter's own faults", "Results a minute that say nothing about the target: inconclusive, or missed.").minStep(evaluation).stacked().
			query(perMinute(metricnames.ProbeResults, instance+", "+metricnames.Outcome, own), legend+" {{outcome}}").unit(unitPerMinute, -1).noValue("none, or no exporter is scraped")},
		sized{8, timePanel("Read late", "Probes a minute whose duration is unknown, because the exporter was late.").minStep(evaluation).
			query(perMinute(metricnames.ExporterReadLate, instance, ""), legend).unit(unitPerMinute, -1).noValue("no exporter is scraped")},
		sized{8, timePanel("Targets", "How many targets each exporter probes.").
			query(by("max", metricnames.ExporterTargets), legend).unit(unitNumber, -1).noValue("no exporter is scraped")})
	level := fmt.Sprintf("%s, %s, %s, %s", instance, metricnames.SLA, metricnames.Service, metricnames.SLO)
	discovery := func(op, metric string) string { return fmt.Sprintf("%s by (%s) (%s)", op, level, of.series(metric)) }
	t := tablePanel("Discovery", "Levels that discover their targets: how many were found last, how many of these cannot be probed, and whether all is well. Those that are not come first.").
		noValue("no level discovers targets, or no exporter is scraped").columns(
		map[string]string{instance: "Exporter", metricnames.SLA: colAgreement, metricnames.Service: colService, metricnames.SLO: colLevel},
		[]string{instance, metricnames.SLA, metricnames.Service, metricnames.SLO}, []column{
			{"Well", discovery("min", metricnames.ExporterDiscoveryOK)},
			{"Found", discovery("max", metricnames.ExporterDiscovered)},
			{"Left out", discovery("max", metricnames.ExporterLeftOut)},
		}).sortedBy("Well", false)
	g.add(7, sized{16, t},
		sized{8, timePanel("Requests for probes", "Probes at /probe: those that run, and those a minute that were refused.").minStep(evaluation).
			query(by("max", metricnames.ExporterRequestInFlight), legend+" running").
			query(perMinute(metricnames.ExporterRequestRejected, instance+", "+metricnames.Reason, ""), legend+" refused: {{reason}}").
			unit(unitNumber, -1).noValue("none, or no exporter is scraped")})
}

// instance is Prometheus' label for a scraped target.
const instance = "instance"
