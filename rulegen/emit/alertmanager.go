package emit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// receiverPrefix begins the name of every receiver: upheld-page, upheld-ticket.
const receiverPrefix = "upheld-"

// otherReceiver gets the alerts that are not of an agreement.
const otherReceiver = receiverPrefix + "other"

// The parts of Alertmanager's configuration that are written; all are known to
// Alertmanager 0.22 and later, hours to 0.25 and later.
type (
	alertmanagerRoute struct {
		Receiver       string              `yaml:"receiver,omitempty"`
		Matchers       []string            `yaml:"matchers,omitempty"`
		GroupBy        []string            `yaml:"group_by,omitempty,flow"`
		GroupWait      string              `yaml:"group_wait,omitempty"`
		GroupInterval  string              `yaml:"group_interval,omitempty"`
		RepeatInterval string              `yaml:"repeat_interval,omitempty"`
		Continue       bool                `yaml:"continue,omitempty"`
		Active         []string            `yaml:"active_time_intervals,omitempty,flow"`
		Mute           []string            `yaml:"mute_time_intervals,omitempty,flow"`
		Routes         []alertmanagerRoute `yaml:"routes,omitempty"`
	}
	inhibitRule struct {
		SourceMatchers []string `yaml:"source_matchers"`
		TargetMatchers []string `yaml:"target_matchers"`
		Equal          []string `yaml:"equal,flow,omitempty"`
	}
	alertmanagerConfig struct {
		Route        alertmanagerRoute `yaml:"route"`
		InhibitRules []inhibitRule     `yaml:"inhibit_rules"`
		Times        []namedInterval   `yaml:"time_intervals,omitempty"`
	}
	namedReceiver struct {
		Name string `yaml:"name"`
	}
)

// notifying is what agreements need of an Alertmanager's configuration.
type notifying struct {
	route     alertmanagerRoute // of all alerts of agreements
	inhibit   []inhibitRule
	times     []namedInterval
	receivers []receiver
}

func notifyingOf(agreements []*sla.Agreement) notifying {
	severities := severitiesOf(agreements)
	return notifying{
		route:     agreementsRoute(agreements, severities),
		inhibit:   inhibitRules(agreements),
		times:     namedIntervals(agreements),
		receivers: slices.Concat(severityReceivers(severities), contactReceivers(agreements)),
	}
}

// Alertmanager is a complete, small alertmanager.yml: alerts of agreements are
// routed by severity and by the agreements' escalations, one notification per
// service level, or group of one; inhibitions keep one outage from being told twice. The
// receivers are named and empty, which Alertmanager accepts: alerts show in its
// own pages and nobody is called until somebody fills them in.
func Alertmanager(agreements []*sla.Agreement) ([]byte, error) {
	n := notifyingOf(agreements)
	var head comment
	head.line("%s from %s. Do not edit by hand.", Marker, names(agreements))
	head.line("")
	version := "0.22"
	if len(n.times) > 0 {
		version = "0.25"
	}
	head.line("A complete configuration for Alertmanager %s and later. Copy it, fill in the", version)
	head.line("receivers at its end, and keep your copy: this file is written anew each time.")
	head.line("For an Alertmanager that has other work, let upheld generate write into its")
	head.line("configuration: --alertmanager.merge=FILE keeps everything else in it as it is.")
	var out bytes.Buffer
	top, err := document(head, alertmanagerConfig{
		Route:        alertmanagerRoute{Receiver: otherReceiver, GroupBy: []string{"alertname"}, Routes: []alertmanagerRoute{n.route}},
		InhibitRules: n.inhibit,
		Times:        n.times,
	})
	if err != nil {
		return nil, fmt.Errorf("alertmanager configuration: %w", err)
	}
	out.Write(top)
	out.WriteString("receivers:\n")
	others := receiver{name: otherReceiver, above: "Alerts that carry no sla label, so are not of an agreement."}
	for _, r := range append(n.receivers, others) {
		if err := r.write(&out, "  "); err != nil {
			return nil, fmt.Errorf("alertmanager configuration: %w", err)
		}
	}
	return out.Bytes(), nil
}
