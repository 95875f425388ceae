// Package routing says which notifications an Alertmanager would send, when and to
// whom, for alerts whose times are known: its routes, groups, inhibitions, time
// intervals and repetitions, in simulated time. Matchers and time intervals are
// Alertmanager's own code. The loop over time is modelled on its dispatcher, which
// waits for a real clock and brings in the clients of every receiver.
package routing

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// Config is the part of an Alertmanager configuration that decides who is notified and
// when.
type Config struct {
	route     *route
	receivers map[string][]Integration
	inhibit   []inhibitRule
	times     *timeinterval.Intervener
}

// Integration is one way in which a receiver is notified.
type Integration struct {
	Kind         string // "webhook", "email"…; "" for a receiver without any yet
	SendResolved bool   // notify of the end, too
}

// The text of a configuration. Alertmanager itself checks the other parts.
type (
	configText struct {
		Route     *routeText     `yaml:"route"`
		Receivers []receiverText `yaml:"receivers"`
		Inhibit   []inhibitText  `yaml:"inhibit_rules"`
		Times     []timesText    `yaml:"time_intervals"`
		OldTimes  []timesText    `yaml:"mute_time_intervals"` // the former name
	}
	routeText struct {
		at             place
		Receiver       string            `yaml:"receiver"`
		Match          map[string]string `yaml:"match"`
		MatchRE        map[string]string `yaml:"match_re"`
		Matchers       []string          `yaml:"matchers"`
		GroupBy        []string          `yaml:"group_by"`
		GroupWait      *duration         `yaml:"group_wait"`
		GroupInterval  *duration         `yaml:"group_interval"`
		RepeatInterval *duration         `yaml:"repeat_interval"`
		Continue       bool              `yaml:"continue"`
		Mute           []string          `yaml:"mute_time_intervals"`
		Active         []string          `yaml:"active_time_intervals"`
		Routes         []*routeText      `yaml:"routes"`
	}
	receiverText struct {
		name         string
		integrations []Integration
	}
	inhibitText struct {
		at             place
		SourceMatch    map[string]string `yaml:"source_match"`
		SourceMatchRE  map[string]string `yaml:"source_match_re"`
		SourceMatchers []string          `yaml:"source_matchers"`
		TargetMatch    map[string]string `yaml:"target_match"`
		TargetMatchRE  map[string]string `yaml:"target_match_re"`
		TargetMatchers []string          `yaml:"target_matchers"`
		Equal          []string          `yaml:"equal"`
	}
	timesText struct {
		Name      string                      `yaml:"name"`
		Intervals []timeinterval.TimeInterval `yaml:"time_intervals"`
	}
	duration time.Duration
	place    struct{ line, column int }
)

// placed is an error at a place of the text.
type placed struct {
	place
	message, remedy string
}

func (e *placed) Error() string { return e.message }

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

func (r *routeText) UnmarshalYAML(n *yaml.Node) error {
	type plain routeText
	r.at = placeOf(n)
	return n.Decode((*plain)(r))
}

func (r *inhibitText) UnmarshalYAML(n *yaml.Node) error {
	type plain inhibitText
	r.at = placeOf(n)
	return n.Decode((*plain)(r))
}

func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	parsed, err := model.ParseDuration(n.Value)
	if err != nil {
		return &placed{placeOf(n), fmt.Sprintf("%q is no duration", n.Value), "write it as 30s, 5m or 4h"}
	}
	*d = duration(parsed)
	return nil
}

// quiet are the kinds of receivers that get no notification of an end by default, as in
// Alertmanager's config/notifiers.go.
var quiet = []string{"email", "slack", "rocketchat", "wechat"}

func (r *receiverText) UnmarshalYAML(n *yaml.Node) error {
	var keys map[string]yaml.Node
	if err := n.Decode(&keys); err != nil {
		return err
	}
	if name := keys["name"]; name.Kind == yaml.ScalarNode {
		r.name = name.Value
	}
	for i := 0; i+1 < len(n.Content); i += 2 { // in order of the text
		kind, ok := strings.CutSuffix(n.Content[i].Value, "_configs")
		if !ok {
			continue
		}
		var all []struct {
			SendResolved *bool `yaml:"send_resolved"`
		}
		if err := n.Content[i+1].Decode(&all); err != nil {
			return err
		}
		for _, one := range all {
			sends := !slices.Contains(quiet, kind)
			if one.SendResolved != nil {
				sends = *one.SendResolved
			}
			r.integrations = append(r.integrations, Integration{kind, sends})
		}
	}
	return nil
}

// most bounds a configuration, in bytes and in the depth of its routes.
const (
	mostBytes = 10 << 20
	mostDepth = 50
)

// Read reads an Alertmanager configuration. A receiver without integrations counts as
// one that is notified of everything. The error is a finding with its place in the
// file.
func Read(file string, text []byte) (*Config, error) {
	if len(text) > mostBytes {
		return nil, found(file, place{1, 1}, fmt.Sprintf("%d bytes, more than the %d that are read", len(text), mostBytes), "give Alertmanager's configuration")
	}
	var t configText
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&t); err != nil {
		return nil, unreadable(file, err)
	}
	if t.Route == nil {
		return nil, found(file, place{1, 1}, "there is no route", "give Alertmanager's configuration: one file with route and receivers")
	}
	c := &Config{receivers: map[string][]Integration{}}
	for _, r := range t.Receivers {
		c.receivers[r.name] = r.integrations
	}
	times := map[string][]timeinterval.TimeInterval{}
	for _, named := range append(t.Times, t.OldTimes...) {
		times[named.Name] = named.Intervals
	}
	c.times = timeinterval.NewIntervener(times)
	var err error
	if c.route, err = (builder{c.receivers, times}).route(t.Route, nil, 0); err == nil {
		c.inhibit, err = inhibitRules(t.Inhibit)
	}
	if err != nil {
		return nil, unreadable(file, err)
	}
	return c, nil
}

// yamlLine matches the place in an error of the YAML parser.
var yamlLine = regexp.MustCompile(`(?:^yaml: |^yaml: unmarshal errors:\n +)line (\d+): `)

func unreadable(file string, err error) error {
	if at, ok := errors.AsType[*placed](err); ok {
		return found(file, at.place, at.message, at.remedy)
	}
	p, message := place{1, 1}, err.Error()
	if in := yamlLine.FindStringSubmatch(message); in != nil {
		p.line, _ = strconv.Atoi(in[1]) // digits
		message, _, _ = strings.Cut(message[len(in[0]):], "\n")
	}
	return found(file, p, strings.TrimPrefix(message, "yaml: "), "let Alertmanager's own check pass first: amtool check-config "+file)
}

func found(file string, p place, message, remedy string) error {
	return sla.Findings{{
		Severity: sla.Error, Rule: "alertmanager-configuration", Message: message, Remedy: remedy,
		Pos: sla.Position{File: file, Line: p.line, Column: p.column},
	}}
}
