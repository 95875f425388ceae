package emit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// receiverPrefix begins the name of every receiver: upheld-page, upheld-ticket.
const receiverPrefix = "upheld-"

// otherReceiver gets the alerts that are not of an agreement.
const otherReceiver = receiverPrefix + "other"

// severityRoute is how notifications of one severity are paced, and who could
// receive them.
type severityRoute struct {
	severity       string
	wait           string
	interval       string
	repeat         string
	who            string   // completes "Fill in who ..."
	example        []string // an integration, as YAML lines below "- name:"
	belowUnmatched bool     // the receiver of severities without a route
}

// severityRoutes are those that the standard tiers use, most urgent first. A
// page is sent after half a minute and repeated while it burns; a ticket waits
// until a page of the same level would be there to inhibit it, and comes again
// once a day.
var severityRoutes = []severityRoute{
	{
		severity: "page", wait: "30s", interval: "5m", repeat: "4h",
		who: "is woken",
		example: []string{
			"pagerduty_configs:",
			"  - routing_key: <the key of your PagerDuty service>",
			"    send_resolved: true",
		},
	},
	{
		severity: "ticket", wait: "5m", interval: "15m", repeat: "1d", belowUnmatched: true,
		who: "looks at it in working hours",
		example: []string{
			"webhook_configs:",
			"  - url: https://desk.example/hooks/upheld",
			"    send_resolved: true",
		},
	},
}

// The parts of Alertmanager's configuration that are written; all are known to
// Alertmanager 0.22 and later.
type (
	alertmanagerRoute struct {
		Receiver       string              `yaml:"receiver"`
		Matchers       []string            `yaml:"matchers,omitempty"`
		GroupBy        []string            `yaml:"group_by,omitempty,flow"`
		GroupWait      string              `yaml:"group_wait,omitempty"`
		GroupInterval  string              `yaml:"group_interval,omitempty"`
		RepeatInterval string              `yaml:"repeat_interval,omitempty"`
		Routes         []alertmanagerRoute `yaml:"routes,omitempty"`
	}
	inhibitRule struct {
		SourceMatchers []string `yaml:"source_matchers"`
		TargetMatchers []string `yaml:"target_matchers"`
		Equal          []string `yaml:"equal,flow"`
	}
	alertmanagerConfig struct {
		Route        alertmanagerRoute `yaml:"route"`
		InhibitRules []inhibitRule     `yaml:"inhibit_rules"`
	}
	namedReceiver struct {
		Name string `yaml:"name"`
	}
)

// Alertmanager is a complete, small alertmanager.yml: alerts of agreements are
// routed by severity, one notification per service level, or group of one; a page
// holds back the tickets of the same. The receivers are named and empty, which
// Alertmanager accepts: alerts show in its own pages and nobody is called until
// somebody fills them in. Severities that the agreements use beside page and
// ticket get a route and a receiver of their own.
func Alertmanager(agreements []*sla.Agreement) ([]byte, error) {
	routes := withCustomSeverities(agreements)
	var head comment
	head.line("%s from %s. Do not edit by hand.", Marker, names(agreements))
	head.line("")
	head.line("A complete configuration for Alertmanager 0.22 and later. Copy it, fill in the")
	head.line("receivers at its end, and keep your copy: this file is written anew each time.")
	head.line("For an Alertmanager that has other work, copy the route below \"routes:\", the")
	head.line("inhibit rule and the receivers into its configuration.")
	var out bytes.Buffer
	top, err := document(head, alertmanagerConfig{
		Route:        rootRoute(routes, identityOf(agreements)),
		InhibitRules: []inhibitRule{pageInhibitsTicket(identityOf(agreements))},
	})
	if err != nil {
		return nil, fmt.Errorf("alertmanager configuration: %w", err)
	}
	out.Write(top)
	if err := writeReceivers(&out, routes); err != nil {
		return nil, fmt.Errorf("alertmanager configuration: %w", err)
	}
	return out.Bytes(), nil
}

// withCustomSeverities is the standard routes and one, paced like a ticket, for
// each further severity of the agreements' alerts, by name.
func withCustomSeverities(agreements []*sla.Agreement) []severityRoute {
	routes := slices.Clone(severityRoutes)
	ticket := routes[len(routes)-1]
	known := map[string]bool{}
	for _, r := range routes {
		known[r.severity] = true
	}
	var custom []string
	for _, a := range agreements {
		for _, l := range a.Levels {
			for _, severity := range l.Alerting.Severities() {
				if severity != "" && !known[severity] {
					known[severity] = true
					custom = append(custom, severity)
				}
			}
		}
	}
	slices.Sort(custom)
	for _, severity := range custom {
		r := ticket
		r.severity, r.who, r.belowUnmatched = severity, "is told", false
		routes = append(routes, r)
	}
	return routes
}

// identityOf are the labels by which promises are told apart: those of levels,
// and those that any level is grouped by. Alerts of levels that are not are
// alike in the latter, having none.
func identityOf(agreements []*sla.Agreement) []string {
	var groups []string
	for _, a := range agreements {
		for _, l := range a.Levels {
			groups = append(groups, l.GroupBy.Labels...)
		}
	}
	slices.Sort(groups)
	return append([]string{metricnames.SLA, metricnames.Service, metricnames.SLO}, slices.Compact(groups)...)
}

func rootRoute(routes []severityRoute, identity []string) alertmanagerRoute {
	agreements := alertmanagerRoute{
		Matchers: []string{metricnames.SLA + `=~".+"`},
		GroupBy:  identity,
	}
	for _, r := range routes {
		if r.belowUnmatched {
			agreements.Receiver = receiverPrefix + r.severity
		}
		agreements.Routes = append(agreements.Routes, alertmanagerRoute{
			Receiver:       receiverPrefix + r.severity,
			Matchers:       []string{equals(metricnames.Severity, r.severity)},
			GroupWait:      r.wait,
			GroupInterval:  r.interval,
			RepeatInterval: r.repeat,
		})
	}
	return alertmanagerRoute{
		Receiver: otherReceiver,
		GroupBy:  []string{"alertname"},
		Routes:   []alertmanagerRoute{agreements},
	}
}

// pageInhibitsTicket keeps one outage from being told twice: while a page tier
// of a level fires, the slower tiers and the forecast that it sets off too are
// held back. A spent budget and a lost measurement are other news.
func pageInhibitsTicket(identity []string) inhibitRule {
	return inhibitRule{
		SourceMatchers: []string{equals("alertname", rulegen.AlertBudgetBurn), equals(metricnames.Severity, "page")},
		TargetMatchers: []string{
			`alertname=~"` + rulegen.AlertBudgetBurn + `|` + rulegen.AlertBudgetForecast + `"`, equals(metricnames.Severity, "ticket"),
		},
		Equal: identity,
	}
}

// matcherEscapes are the only escapes of Alertmanager's quoted values.
var matcherEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func equals(label, value string) string {
	return label + `="` + matcherEscapes.Replace(value) + `"`
}

// writeReceivers writes the receivers by hand, because what each needs most is
// the comment that shows how to fill it in.
func writeReceivers(out *bytes.Buffer, routes []severityRoute) error {
	out.WriteString("receivers:\n")
	for _, r := range routes {
		if err := writeReceiver(out, receiverPrefix+r.severity); err != nil {
			return err
		}
		fmt.Fprintf(out, "    # Fill in who %s, for example:\n", r.who)
		for _, line := range r.example {
			fmt.Fprintf(out, "    # %s\n", line)
		}
	}
	out.WriteString("  # Alerts that carry no sla label, so are not of an agreement.\n")
	return writeReceiver(out, otherReceiver)
}

func writeReceiver(out *bytes.Buffer, name string) error {
	item, err := yaml.Marshal([]namedReceiver{{Name: name}})
	if err != nil {
		return fmt.Errorf("receiver %q: %w", name, err)
	}
	for line := range strings.Lines(string(item)) {
		out.WriteString("  " + line)
	}
	return nil
}
