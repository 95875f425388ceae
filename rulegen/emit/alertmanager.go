package emit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// receiverPrefix begins the name of every receiver: upheld-page, upheld-ticket.
const receiverPrefix = "upheld-"

// The parts of Alertmanager's configuration that are written. Alertmanager
// knows all of them from 0.22 on, hours from 0.25 on.
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
	alertmanagerConfig struct {
		Templates []string          `yaml:"templates,flow"`
		Route     alertmanagerRoute `yaml:"route"`
		Times     []namedInterval   `yaml:"time_intervals,omitempty"`
	}
	namedReceiver struct {
		Name string `yaml:"name"`
	}
)

// notifying is what agreements need in an Alertmanager's configuration.
type notifying struct {
	route     alertmanagerRoute // of all alerts of agreements
	times     []namedInterval
	receivers []receiver
}

func notifyingOf(agreements []*sla.Agreement) notifying {
	severities := severitiesOf(agreements)
	return notifying{
		route:     gatherLost(agreementsRoute(agreements, severities)),
		times:     namedIntervals(agreements),
		receivers: slices.Concat(severityReceivers(severities), contactReceivers(agreements)),
	}
}

// Alertmanager is a complete, small alertmanager.yml: alerts of agreements are
// routed by severity and by the agreements' escalations, with one notification
// per service level. The rules make sure that people are notified once of an
// outage; an inhibition would keep its end from them. Alerts that are not of an
// agreement go to the receiver of the least urgent severity, so that no
// receiver exists that nobody thinks of.
//
// The receivers are named and empty, which Alertmanager accepts: alerts show in
// its own pages and nobody is called until somebody fills them in. empty has
// their names.
func Alertmanager(agreements []*sla.Agreement) (text []byte, empty []string, err error) {
	n := notifyingOf(agreements)
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("NOBODY IS NOTIFIED YET: the receivers at the end are empty.")
	head.line("")
	head.line("If you have an Alertmanager, let upheld generate write into its configuration:")
	head.line("--alertmanager.merge=FILE keeps everything else in it as it is, and leaves alerts")
	head.line("that are not of an agreement alone.")
	head.line("")
	version := "0.22"
	if len(n.times) > 0 {
		version = "0.25"
	}
	head.line("Else this is a complete configuration for Alertmanager %s and later. Copy it,", version)
	head.line("fill in the receivers, and keep your copy: this file is written again each time.")
	head.line("")
	head.line("Copy %s to the same folder. It defines, for the texts of receivers,", TemplateFile)
	head.line(`'{{ template "upheld.title" . }}' and '{{ template "upheld.text" . }}', also of alerts`)
	head.line("that are over. A receiver that uses them sends nothing without that file.")
	var out bytes.Buffer
	top, err := document(head, alertmanagerConfig{
		Templates: []string{TemplateFile},
		Route:     alertmanagerRoute{Receiver: n.route.Receiver, GroupBy: []string{"alertname"}, Routes: []alertmanagerRoute{n.route}},
		Times:     n.times,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("alertmanager configuration: %w", err)
	}
	out.Write(top)
	out.WriteString("receivers:\n")
	for _, r := range n.receivers {
		if r.name == n.route.Receiver {
			r.above = "This one also gets every alert that is not of an agreement."
		}
		if err := r.write(&out, "  "); err != nil {
			return nil, nil, fmt.Errorf("alertmanager configuration: %w", err)
		}
		empty = append(empty, r.name)
	}
	return out.Bytes(), empty, nil
}
