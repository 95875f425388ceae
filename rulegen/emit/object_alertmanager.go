package emit

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// The parts of an AlertmanagerConfig object that are written.
type (
	alertmanagerObject struct {
		APIVersion string                 `yaml:"apiVersion"`
		Kind       string                 `yaml:"kind"`
		Metadata   objectMeta             `yaml:"metadata"`
		Spec       alertmanagerObjectSpec `yaml:"spec"`
	}
	alertmanagerObjectSpec struct {
		Route     objectRoute      `yaml:"route"`
		Receivers []namedReceiver  `yaml:"receivers"`
		Times     []objectInterval `yaml:"muteTimeIntervals,omitempty"`
	}
	objectRoute struct {
		Receiver       string          `yaml:"receiver,omitempty"`
		Matchers       []objectMatcher `yaml:"matchers,omitempty"`
		GroupBy        []string        `yaml:"groupBy,omitempty,flow"`
		GroupWait      string          `yaml:"groupWait,omitempty"`
		GroupInterval  string          `yaml:"groupInterval,omitempty"`
		RepeatInterval string          `yaml:"repeatInterval,omitempty"`
		Continue       bool            `yaml:"continue,omitempty"`
		Active         []string        `yaml:"activeTimeIntervals,omitempty,flow"`
		Mute           []string        `yaml:"muteTimeIntervals,omitempty,flow"`
		Routes         []objectRoute   `yaml:"routes,omitempty"`
	}
	objectMatcher struct {
		Name  string    `yaml:"name"`
		Type  matchType `yaml:"matchType"`
		Value string    `yaml:"value"`
	}
	objectInterval struct {
		Name      string               `yaml:"name"`
		Intervals []objectTimeInterval `yaml:"timeIntervals"`
	}
	objectTimeInterval struct {
		Times    []objectTimeRange `yaml:"times,omitempty"`
		Weekdays []string          `yaml:"weekdays,omitempty,flow"`
		Days     []objectDayRange  `yaml:"daysOfMonth,omitempty"`
		Months   []string          `yaml:"months,omitempty,flow"`
		Years    []string          `yaml:"years,omitempty,flow"`
	}
	objectTimeRange struct {
		Start string `yaml:"startTime"`
		End   string `yaml:"endTime"`
	}
	objectDayRange struct {
		Start int `yaml:"start"`
		End   int `yaml:"end"`
	}
)

// matchType is the operator of a matcher. A bare = has a special meaning in YAML 1.1.
type matchType string

// MarshalYAML puts the operator into quotes.
func (m matchType) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: string(m)}, nil
}

// AlertmanagerObject is an AlertmanagerConfig of the Prometheus operator with the routes of
// Alertmanager. Its receivers are empty, like those of the file.
func AlertmanagerObject(agreements []*sla.Agreement, object OperatorObject) ([]byte, error) {
	n := notifyingOf(agreements)
	route, err := objectRouteOf(n.route)
	if err != nil {
		return nil, err
	}
	times, err := objectIntervals(n.times)
	if err != nil {
		return nil, err
	}
	spec := alertmanagerObjectSpec{Route: route, Times: times}
	for _, r := range n.receivers {
		spec.Receivers = append(spec.Receivers, namedReceiver{r.name})
	}
	var head comment
	head.line("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements))
	head.line("")
	head.line("NOBODY IS NOTIFIED YET: the receivers at the end are empty. Fill in a copy, or")
	head.line("patch them, for example with kustomize.")
	head.line("")
	head.line("The operator adds the matcher namespace=<that of this object> to the first route, which")
	head.line("alerts of these rules have only if they were generated with --rules.label=namespace=...")
	head.line("Or let the Alertmanager object say alertmanagerConfigMatcherStrategy: {type: None}.")
	return document(head, alertmanagerObject{
		APIVersion: "monitoring.coreos.com/v1alpha1",
		Kind:       "AlertmanagerConfig",
		Metadata:   objectMeta{Name: "upheld", Namespace: object.Namespace, Labels: object.Labels},
		Spec:       spec,
	})
}

// matcherText is a matcher of a route; these are always quoted.
var matcherText = regexp.MustCompile(`(?s)^([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"(.*)"$`)

func objectRouteOf(r alertmanagerRoute) (objectRoute, error) {
	o := objectRoute{
		Receiver: r.Receiver, GroupBy: r.GroupBy, GroupWait: r.GroupWait, GroupInterval: r.GroupInterval,
		RepeatInterval: r.RepeatInterval, Continue: r.Continue, Active: r.Active, Mute: r.Mute,
	}
	for _, text := range r.Matchers {
		m := matcherText.FindStringSubmatch(text)
		if m == nil {
			return o, fmt.Errorf("alertmanager object: %q is no matcher, a fault of upheld", text)
		}
		o.Matchers = append(o.Matchers, objectMatcher{Name: m[1], Type: matchType(m[2]), Value: unescapeMatcher.Replace(m[3])})
	}
	for _, below := range r.Routes {
		child, err := objectRouteOf(below)
		if err != nil {
			return o, err
		}
		o.Routes = append(o.Routes, child)
	}
	return o, nil
}

// objectIntervals are time intervals in the object's form, or an error where it has none.
func objectIntervals(all []namedInterval) ([]objectInterval, error) {
	var out []objectInterval
	for _, named := range all {
		o := objectInterval{Name: named.Name}
		for _, i := range named.Intervals {
			if i.Location != "" {
				return nil, fmt.Errorf("the calendar %s has the zone %s, and AlertmanagerConfig objects know UTC only: leave objects out of --outputs and give Alertmanager the file alertmanager.yml",
					strings.TrimPrefix(strings.TrimSuffix(named.Name, "/not"), receiverPrefix), i.Location)
			}
			converted, err := objectTimes(i)
			if err != nil {
				return nil, err
			}
			o.Intervals = append(o.Intervals, converted)
		}
		out = append(out, o)
	}
	return out, nil
}

func objectTimes(i timeInterval) (objectTimeInterval, error) {
	o := objectTimeInterval{Weekdays: i.Weekdays, Months: i.Months}
	for _, t := range i.Times {
		o.Times = append(o.Times, objectTimeRange(t))
	}
	for _, days := range i.Days {
		from, to, err := numbers(days)
		if err != nil {
			return o, err
		}
		o.Days = append(o.Days, objectDayRange{from, to})
	}
	for _, years := range i.Years {
		from, to, err := numbers(years)
		if err != nil {
			return o, err
		}
		from, to = max(from, 2000), min(to, 2999) // the object knows no others
		if from > to {
			continue
		}
		o.Years = append(o.Years, fmt.Sprintf("%d:%d", from, to))
	}
	return o, nil
}

// numbers are both ends of a range, as in 1:5, or the same number twice.
func numbers(text string) (from, to int, err error) {
	first, last, several := strings.Cut(text, ":")
	if from, err = strconv.Atoi(first); err == nil && several {
		to, err = strconv.Atoi(last)
		return from, to, err
	}
	return from, from, err
}
