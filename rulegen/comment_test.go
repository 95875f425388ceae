package rulegen_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// commented has what the examples do not: what is recorded by few levels.
const commented = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: all}
spec:
  timeZone: Europe/Berlin
  calendars: {prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "18:00"}]}}
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-03-05T11:00", to: "2026-03-05T11:40"}]}
  exclusions:
    - {name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 20m, per: month}}
    - {name: storm, effect: remove_from_agreed_time, condition: storm == 1}
  rollups: [team]
  serviceLevels:
    - {name: capped, service: s, exclusions: [tests, storm, maintenance], serviceHours: prime, target: "95", period: [30d, month, week, quarter], indicator: {condition: {expr: up == 1}}}
    - {name: filled, service: s, exclusions: [], missingData: bad, target: "99.9", indicator: {probe: {tcp: "db:5432", interval: 1m}}}
    - {name: looked, service: s, exclusions: [], missingData: good, target: "99.9", labels: {team: a}, indicator: {ratio: {bad: "mesh:errors:ratio"}}}
    - {name: minutes, service: s, exclusions: [], target: "99.9", indicator: {events: {bad: e, total: t}}, aggregation: {method: bad_minute, errorThreshold: "1", minRequests: 10, weight: "share"}}
    - {name: slots, service: s, exclusions: [], missingData: bad, target: "99.9", period: month, indicator: {events: {good: g, total: t}}, aggregation: {method: mean_slot_error_rate, slot: 5m}}
    - {name: quantile, service: s, target: "99", exclusions: [maintenance], indicator: {latency: {histogram: h_seconds, threshold: 300ms}}, aggregation: {method: slot_quantile, quantile: "0.95"}}
    - {name: runs, service: s, missingData: bad, exclusions: [tests], serviceHours: prime, target: "99", indicator: {events: {bad: e, total: t}}, aggregation: {method: qualified_run, errorThreshold: "50", minRun: 5m}}
    - {name: all-failed, service: s, exclusions: [], target: "99", indicator: {events: {good: g, total: t}}, aggregation: {method: all_failed_minute}}
    - {name: native, service: s, exclusions: [], target: "99", indicator: {latency: {histogram: h_seconds, native: true, threshold: 300ms}}, alerting: {minimumEvents: 50, weighByTraffic: true}}
    - {name: quorum, service: s, exclusions: [], target: "99", indicator: {probe: {tcp: "db:5432", interval: 30s}}, aggregation: {method: bad_minute, errorThreshold: "50", quorum: 2}}
    - {name: blackbox, service: s, exclusions: [], target: "99", indicator: {blackbox: {success: probe_success}}, credits: {tiers: [{below: "99", percent: "10"}, {below: "95", percent: "25"}]}}
    - {name: groups, service: s, exclusions: [], target: "99", period: month, indicator: {events: {bad: e, total: t}}, groupBy: {labels: [tenant], limit: 50, targets: [{match: {tenant: gold}, target: "99.9", required: true}]}}
    - {name: fast, service: s, target: "99", indicator: {latency: {probe: s/filled, threshold: 500ms}}, serviceHours: prime}
    - name: whole
      service: s
      target: "97"
      indicator:
        composite:
          unknown: bad
          endToEnd: {level: s/fast, severity: ticket}
          weighted:
            of:
              - {weight: "0.5", needs: {any: [s/filled, s/minutes], failover: 2m}}
              - {weight: "0.5", needs: {all: [s/filled, s/looked, {atLeast: {k: 1, of: [s/blackbox, s/slots]}}]}}
`

// commentedLevels are the plans of the examples, and of what they do not have.
func commentedLevels(t *testing.T) []rulegen.LevelPlan {
	t.Helper()
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	agreements, findings := spec.Load(files...)
	more, found := spec.LoadText("spec.yaml", commented)
	if findings = append(findings, found...); findings.HasErrors() {
		t.Fatal(findings.Error())
	}
	var levels []rulegen.LevelPlan
	for _, a := range append(agreements, more...) {
		plan, findings := rulegen.Compile(a, generated2026)
		if findings.HasErrors() {
			t.Fatal(findings.Error())
		}
		levels = append(levels, plan.Levels...)
	}
	return levels
}

var (
	numbers = regexp.MustCompile(`(?:^|[ (,-])([0-9][0-9.]*(?:e[+-]?[0-9]+)?)`)
	quoted  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^]]*\]|offset [0-9a-z]+`)
)

// constants are the numbers of an expression but 0 and 1.
func constants(expr string) []string {
	var all []string
	for _, m := range numbers.FindAllStringSubmatch(quoted.ReplaceAllString(expr, `""`), -1) {
		if m[1] != "0" && m[1] != "1" {
			all = append(all, m[1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Every rule has a comment: a sentence that says what it is, and lines that say how
// each constant comes about, but for those of tables of times and of users' queries.
func TestEveryRuleHasAComment(t *testing.T) {
	tables := regexp.MustCompile(`^sla:(calendar_.*|clock:.*|period_clock:.*|service_hours:mask|exclusion:mask|agreed:seconds.*)$`)
	for _, l := range commentedLevels(t) {
		for _, g := range l.Groups {
			for _, r := range g.Rules {
				name := l.Level.ID.String() + ": " + r.Record + r.Alert
				first, _, _ := strings.Cut(r.Comment, "\n")
				if begin := []rune(first + " ")[0]; !unicode.IsUpper(begin) && begin != '1' {
					t.Errorf("%s: the comment %q does not begin with a sentence", name, r.Comment)
				}
				if strings.Contains(r.Comment, "%!") || strings.Contains(r.Comment, "  ") || strings.Contains(r.Comment, "..") && !strings.Contains(r.Comment, "...") {
					t.Errorf("%s: the comment reads %q", name, r.Comment)
				}
				for _, c := range constants(r.Expr.String()) {
					explained := regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(c) + `($|[^0-9.]|\.($|[^0-9]))`).MatchString(r.Comment)
					if !explained && !tables.MatchString(r.Record) && !ofUser(l.Level, c) {
						t.Errorf("%s: the comment does not say what %s is:\n%s\n%s", name, c, r.Comment, r.Expr)
					}
				}
			}
		}
	}
}

// ofUser tells numbers that stand in the level's own queries.
func ofUser(l *sla.ServiceLevel, number string) bool {
	queries := append(l.Indicator.Queries(), l.Slots.Weight)
	for _, e := range l.Exclusions {
		queries = append(queries, e.Condition)
	}
	return slices.ContainsFunc(queries, func(q sla.Query) bool {
		for _, c := range constants(q.Text) {
			if a, err := strconv.ParseFloat(c, 64); err == nil {
				if b, _ := strconv.ParseFloat(number, 64); a == b {
					return true
				}
			}
		}
		return false
	})
}
