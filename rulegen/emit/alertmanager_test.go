package emit_test

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

type route struct {
	Receiver       string   `yaml:"receiver"`
	Matchers       []string `yaml:"matchers"`
	GroupBy        []string `yaml:"group_by"`
	GroupWait      string   `yaml:"group_wait"`
	GroupInterval  string   `yaml:"group_interval"`
	RepeatInterval string   `yaml:"repeat_interval"`
	Continue       bool     `yaml:"continue"`
	Active         []string `yaml:"active_time_intervals"`
	Mute           []string `yaml:"mute_time_intervals"`
	Routes         []route  `yaml:"routes"`
}

type alertmanagerFile struct {
	Templates    []string `yaml:"templates"`
	Route        route    `yaml:"route"`
	InhibitRules []struct {
		Source []string `yaml:"source_matchers"`
		Target []string `yaml:"target_matchers"`
		Equal  []string `yaml:"equal"`
	} `yaml:"inhibit_rules"`
	Times     []any `yaml:"time_intervals"`
	Receivers []struct {
		Name string `yaml:"name"`
	} `yaml:"receivers"`
}

func parseAlertmanager(t *testing.T, text []byte) alertmanagerFile {
	t.Helper()
	var file alertmanagerFile
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return file
}

func TestAlertmanagerGolden(t *testing.T) {
	got, _, err := emit.Alertmanager(twoAgreements())
	golden.Equal(t, "testdata/alertmanager.yml", must(t, got, err))
}

func TestAlertmanagerRoutesBySeverity(t *testing.T) {
	got, _, err := emit.Alertmanager(twoAgreements())
	file := parseAlertmanager(t, must(t, got, err))
	if len(file.Route.Routes) != 1 {
		t.Fatalf("want one route for agreements, got %+v", file.Route.Routes)
	}
	agreements := file.Route.Routes[0]
	if want := []string{"sla", "service", "slo"}; !slices.Equal(agreements.GroupBy, want) {
		t.Errorf("grouped by %v, want %v", agreements.GroupBy, want)
	}
	bySeverity := map[string]string{}
	for _, r := range agreements.Routes {
		bySeverity[strings.Join(r.Matchers, ",")] = r.Receiver
	}
	for matcher, receiver := range map[string]string{`severity="page"`: "upheld-page", `severity="ticket"`: "upheld-ticket"} {
		if bySeverity[matcher] != receiver {
			t.Errorf("%s goes to %q, want %q", matcher, bySeverity[matcher], receiver)
		}
	}
	if len(file.InhibitRules) > 0 {
		t.Errorf("inhibitions, which keep the end of an alert from people: %+v", file.InhibitRules)
	}
}

// A stopped exporter loses the measurement of all levels: that is one
// notification for an agreement, and not one for each level.
func TestAlertmanagerGathersLostMeasurements(t *testing.T) {
	got, _, err := emit.Alertmanager(twoAgreements())
	file := parseAlertmanager(t, must(t, got, err))
	for _, r := range file.Route.Routes[0].Routes {
		if len(r.Routes) != 1 || !slices.Equal(r.Routes[0].Matchers, []string{`alertname="SLAMeasurementLost"`}) || !slices.Equal(r.Routes[0].GroupBy, []string{"sla"}) {
			t.Errorf("lost measurements below %v go by %+v", r.Matchers, r.Routes)
		}
	}
}

// An outage of all groups is one notification.
func TestAlertmanagerGathersGroups(t *testing.T) {
	agreements := twoAgreements()
	agreements[0].Levels[0].GroupBy.Labels = []string{"tenant", "region"}
	agreements[1].Levels[0].GroupBy.Labels = []string{"tenant"}
	got, _, err := emit.Alertmanager(agreements)
	file := parseAlertmanager(t, must(t, got, err))
	if by, want := file.Route.Routes[0].GroupBy, []string{"sla", "service", "slo"}; !slices.Equal(by, want) {
		t.Errorf("notifications gather by %v, want %v: an outage would be one for each group", by, want)
	}
}

// customSeverities has severities that need quoting in YAML and in matchers.
func customSeverities() []*sla.Agreement {
	agreements := twoAgreements()
	for i, severity := range []string{"warning: \"#1\"", `back\slash`, "warning: \"#1\"", "yes"} {
		agreements[1].Levels[0].Alerting.Tiers[i].Severity = severity
	}
	return agreements
}

func TestEveryReceiverOfARouteExists(t *testing.T) {
	got, _, err := emit.Alertmanager(customSeverities())
	file := parseAlertmanager(t, must(t, got, err))
	var defined []string
	for _, r := range file.Receivers {
		defined = append(defined, r.Name)
	}
	for _, name := range []string{"upheld-page", "upheld-ticket", `upheld-warning: "#1"`, `upheld-back\slash`, "upheld-yes"} {
		if n := len(slices.DeleteFunc(slices.Clone(defined), func(s string) bool { return s != name })); n != 1 {
			t.Errorf("receiver %q is defined %d times, want once", name, n)
		}
	}
	var walk func(route)
	walk = func(r route) {
		if !slices.Contains(defined, r.Receiver) {
			t.Errorf("route %v goes to %q, which is not defined", r.Matchers, r.Receiver)
		}
		for _, child := range r.Routes {
			walk(child)
		}
	}
	walk(file.Route)
}

func TestAmtoolAcceptsTheConfiguration(t *testing.T) {
	amtool := tool(t, "amtool")
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	got, _, err := emit.Alertmanager(customSeverities())
	write(t, path, must(t, got, err))
	run(t, amtool, "check-config", path)
	for _, test := range []struct {
		receiver string
		labels   []string
	}{
		{"upheld-page", []string{"alertname=SLABudgetBurn", "sla=shop", "service=storefront", "slo=availability", "severity=page"}},
		{"upheld-ticket", []string{"alertname=SLABudgetBurn", "sla=shop", "service=storefront", "slo=availability", "severity=ticket"}},
		{"upheld-ticket", []string{"alertname=SLAMeasurementLost", "sla=shop", "severity=ticket"}},
		{`upheld-back\slash`, []string{"alertname=SLABudgetBurn", "sla=bank", `severity="back\\slash"`}},
		{"upheld-ticket", []string{"alertname=SLABudgetBurn", "sla=shop", "severity=unheard-of"}},
		{"upheld-ticket", []string{"alertname=DiskFull", "severity=page"}},
	} {
		args := append([]string{"config", "routes", "test", "--config.file=" + path, "--verify.receivers=" + test.receiver}, test.labels...)
		run(t, amtool, args...)
	}
}

// The examples in the receivers' comments are proven too: with their "# " taken
// off, the configuration must still be good.
func TestAmtoolAcceptsTheFilledInExamples(t *testing.T) {
	amtool := tool(t, "amtool")
	got, _, err := emit.Alertmanager(customSeverities())
	must(t, got, err)
	filled := regexp.MustCompile(`(?m)^    # ((?:\w+_configs:|  ).*)$`).ReplaceAll(got, []byte("    $1"))
	if bytes.Equal(filled, got) || !bytes.Contains(filled, []byte("\n    webhook_configs:\n")) {
		t.Fatalf("no example was found to fill in:\n%s", got)
	}
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	write(t, path, filled)
	run(t, amtool, "check-config", path)
}
