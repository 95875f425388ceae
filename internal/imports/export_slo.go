package imports

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// slo exports a level.
func (e *export) slo(x *exported, l *sla.ServiceLevel, written *yaml.Node) {
	name := e.unique("SLO", l.ID.SLO, l.ID.Service+"-"+l.ID.SLO, l.ID.SLA+"-"+l.ID.Service+"-"+l.ID.SLO)
	slo := object("SLO", name)
	slo.meta.set("labels", labelsOf(entry(written, "labels")))
	if x.service.key != l.ID.Service {
		slo.annotations().set(foreign.OwnPrefix+foreign.OwnAgreement, x.service.key)
	}
	if text := textOf(written, "description"); text != "" && len(text) <= maxDescription {
		slo.spec.set("description", text)
	}
	slo.spec.set("service", l.ID.Service)
	objective := newTree()
	s := indicatorOf(l)
	if s.op != "" {
		objective.set("op", s.op).set("value", number(s.value))
	}
	objective.set("target", number(share(l.Target)))
	if s.most != nil {
		objective.set("timeSliceTarget", number(share(sla.NewDecimal(100, 1).Sub(*s.most))))
	}
	if s.slice > 0 {
		objective.set("timeSliceWindow", shorthand(s.slice))
	}
	indicator := newTree().set("metadata", newTree().set("name", name).flow().node).set("spec", s.sli.node)
	slo.spec.set("indicator", indicator.node).set("timeWindow", list(timeWindow(l.Period)))
	slo.spec.set("budgetingMethod", s.method).set("objectives", list(objective.node))
	if policies := e.policies(x, l); len(policies) > 0 {
		slo.spec.set("alertPolicies", list(policies...))
	}
	x.slos = append(x.slos, slo)
}

// share turns a percentage into a share.
func share(percent sla.Decimal) string { return percent.Quo(sla.NewDecimal(100, 1)).String() }

// shorthand is a duration as OpenSLO writes it, rounded down to minutes.
func shorthand(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	}
	return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
}

// timeWindow is a period.
func timeWindow(p sla.Period) *yaml.Node {
	if p.Calendar == "" {
		return newTree().set("duration", shorthand(p.Rolling)).set("isRolling", true).flow().node
	}
	unit, start := "1M", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	switch p.Calendar {
	case sla.Week:
		unit, start = "1w", start.AddDate(0, 0, int(p.WeekStart-start.Weekday()+7)%7)
	case sla.Quarter:
		unit, start = "1Q", start.AddDate(0, p.FiscalOffset, 0)
	case sla.Year:
		unit, start = "1Y", start.AddDate(0, p.FiscalOffset, 0)
	}
	zone := p.Zone
	if zone == "" {
		zone = "UTC"
	}
	calendar := newTree().set("startTime", start.Format("2006-01-02 15:04:05")).set("timeZone", zone).flow()
	calendar.node.Content[1].Style = yaml.DoubleQuotedStyle // some readers would take it for a date
	return newTree().set("duration", unit).set("isRolling", false).set("calendar", calendar.node).node
}

// indicator is how OpenSLO measures a level.
type indicator struct {
	sli       *tree
	method    string
	most      *sla.Decimal // of Timeslices: the share that may be bad, in per cent
	slice     time.Duration
	op, value string // of a threshold
}

// indicatorOf is what a level measures. For anything that OpenSLO cannot express, it
// uses the series that the generated rules record.
func indicatorOf(l *sla.ServiceLevel) indicator {
	var s indicator
	byTime := false
	switch i := l.Indicator.(type) {
	case *sla.Events:
		part, key := i.Bad, "bad"
		if i.Bad.Text == "" {
			part, key = i.Good, "good"
		}
		if bad, total := sumOf(part.Text, l.GroupBy), sumOf(i.Total.Text, l.GroupBy); bad != "" && total != "" {
			s.sli = ratioOf(key, bad, total)
		}
	case *sla.HistogramLatency:
		s.sli = latencyOf(i, l.GroupBy)
	case *sla.Ratio:
		s.sli, byTime = rawOf("failure", i.Bad.Text), true
	case *sla.Blackbox:
		s.sli, byTime = rawOf("success", "avg("+i.Success.Text+")"), true
	case *sla.Condition:
		if query, op, value, ok := comparison(i.Expr.Text); ok {
			s.sli, s.op, s.value, byTime = newTree().set("thresholdMetric", metric(query)), op, value, true
		}
	}
	if s.sli != nil && s.judged(l, byTime) {
		return s
	}
	recorded := fmt.Sprintf("%s5m{sla=%q,service=%q,slo=%q}", metricnames.ErrorRatio, l.ID.SLA, l.ID.Service, l.ID.SLO)
	return indicator{sli: rawOf("failure", recorded), method: "RatioTimeslices", slice: time.Minute}
}

// judged sets the budgeting method. It returns false if OpenSLO has no equivalent.
func (s *indicator) judged(l *sla.ServiceLevel, byTime bool) bool {
	switch {
	case l.Aggregation == sla.RequestRatio:
		s.method = "Occurrences"
	case l.Aggregation == sla.Time && byTime:
		s.method, s.slice = "RatioTimeslices", time.Minute
	case l.Aggregation == sla.MeanSlotErrorRate:
		s.method, s.slice = "RatioTimeslices", l.Slots.Width
	case l.Aggregation == sla.BadMinute:
		s.method, s.slice, s.most = "Timeslices", time.Minute, &l.Slots.ErrorThreshold
	default:
		return false
	}
	return true
}

func metric(query string) *yaml.Node {
	source := newTree().set("type", "Prometheus").set("spec", newTree().set("query", query).node)
	return newTree().set("metricSource", source.node).node
}

func ratioOf(key, part, total string) *tree {
	ratio := newTree().set("counter", true).set(key, metric(part)).set("total", metric(total))
	return newTree().set("ratioMetric", ratio.node)
}

func rawOf(kind, query string) *tree {
	return newTree().set("ratioMetric", newTree().set("counter", false).set("rawType", kind).set("raw", metric(query)).node)
}

// sumOf adds up the counters of a query, "" if they cannot be taken apart.
func sumOf(query string, by sla.GroupBy) string {
	c, err := Queries().Counted(query)
	if err != nil || len(c.Minus) > 0 || c.Window != 0 {
		return ""
	}
	var sums []string
	for _, s := range c.Plus {
		sums = append(sums, sumBy(s.Text, by))
	}
	return strings.Join(sums, " + ")
}

func sumBy(selector string, by sla.GroupBy) string {
	if len(by.Labels) == 0 {
		return "sum(" + selector + ")"
	}
	return "sum by (" + strings.Join(by.Labels, ", ") + ") (" + selector + ")"
}

// latencyOf counts one bucket of a histogram. It is nil if the bucket's bound is
// unknown.
func latencyOf(l *sla.HistogramLatency, by sla.GroupBy) *tree {
	all, err := Queries().Counted(l.Histogram.Text)
	good := all
	if err == nil && l.Good.Text != "" {
		good, err = Queries().Counted(l.Good.Text)
	}
	if err != nil || len(all.Plus) != 1 || len(good.Plus) != 1 {
		return nil
	}
	unit := l.Unit
	switch name := all.Plus[0].Name; {
	case unit != "":
	case strings.HasSuffix(name, "_seconds"):
		unit = sla.UnitSeconds
	case strings.HasSuffix(name, "_milliseconds"):
		unit = "milliseconds"
	default:
		return nil
	}
	le := fmt.Sprintf("le=%q", unit.Of(l.Threshold))
	return ratioOf("good", sumBy(renamed(good.Plus[0], "_bucket", le), by), sumBy(renamed(all.Plus[0], "_count"), by))
}

// renamed returns a selector with a suffix to its name, and further conditions.
func renamed(s foreign.Selector, suffix string, more ...string) string {
	var clauses []string
	for _, c := range s.Clauses {
		clauses = append(clauses, c.Text)
	}
	if clauses = append(clauses, more...); len(clauses) == 0 {
		return s.Name + suffix
	}
	return s.Name + suffix + "{" + strings.Join(clauses, ",") + "}"
}

// comparison splits a condition that compares a query with a number.
func comparison(text string) (query, op, value string, ok bool) {
	for _, sign := range []struct{ sign, op string }{{"<=", "lte"}, {">=", "gte"}, {"<", "lt"}, {">", "gt"}} {
		at := strings.LastIndex(text, sign.sign)
		if at < 0 {
			continue
		}
		query, value = strings.TrimSpace(text[:at]), strings.TrimSpace(text[at+len(sign.sign):])
		if _, err := strconv.ParseFloat(value, 64); err != nil || strings.Trim(value, "0123456789.e-") != "" {
			return "", "", "", false
		}
		e, err := promql.Parse(query)
		if err != nil || !e.IsVector() || strings.ContainsAny(query, "<>=\n#") && !strings.Contains(query, "{") {
			return "", "", "", false
		}
		return query, sign.op, value, !compares(query)
	}
	return "", "", "", false
}

// compares returns whether a query has an operator that binds less than a comparison.
func compares(query string) bool {
	for w := range strings.FieldsSeq(query) {
		if w == "and" || w == "or" || w == "unless" || strings.ContainsAny(w, "<>") {
			return true
		}
	}
	return false
}
