package emit_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// bases are configurations of somebody else's, written in many ways.
func bases(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/merge/*.yml")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	return files
}

func merge(t *testing.T, file string, base []byte, agreements []*sla.Agreement) []byte {
	t.Helper()
	merged, _, findings := emit.MergeAlertmanager(file, base, agreements)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	return merged
}

var block = regexp.MustCompile(`(?ms)^[ ]*# BEGIN upheld ([a-z ]+) \(.*?\)\r?$.*?^[ ]*# END upheld [a-z ]+\r?\n`)

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// What is merged can be cut out again, and then every byte is as it was; to
// merge again changes nothing; less is wanted, and less is there.
func TestMergeLosesNothing(t *testing.T) {
	agreements := told(t)
	for _, file := range bases(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			base := read(t, file)
			merged := merge(t, file, base, agreements)
			rest := block.ReplaceAll(merged, nil)
			if !bytes.Equal(bytes.TrimRight(rest, "\r\n"), bytes.TrimRight(base, "\r\n")) {
				t.Errorf("without the blocks it is not what it was:\n%s", rest)
			}
			if bytes.HasSuffix(base, []byte("\n")) && !bytes.Equal(rest, base) {
				t.Error("its end is not what it was")
			}
			if again := merge(t, file, merged, agreements); !bytes.Equal(again, merged) {
				t.Errorf("merged again it is another:\n%s", again)
			}
			var names []string
			for _, a := range agreements {
				names = append(names, a.Name)
			}
			if got := emit.MergedAgreements(merged); !slices.Equal(got, names) || emit.MergedAgreements(base) != nil {
				t.Errorf("it has the agreements %q, want %q, and none before", got, names)
			}
			fewer := merge(t, file, merged, agreements[2:])
			if !bytes.Equal(fewer, merge(t, file, base, agreements[2:])) {
				t.Errorf("what is no longer wanted is still there:\n%s", fewer)
			}
			if !strings.HasSuffix(file, "crlf.yml") {
				golden.Equal(t, strings.TrimSuffix(file, ".yml")+".merged", merged)
			} else if bytes.Contains(bytes.ReplaceAll(merged, []byte("\r\n"), nil), []byte("\n")) {
				t.Error("lines end in two ways")
			}
		})
	}
}

// Alerts of agreements go where the agreements say, and also where the file
// sends everything first; alerts of others go where they went.
func TestMergedRoutes(t *testing.T) {
	agreements := told(t)
	foreign := []map[string]string{
		{"alertname": "A", "severity": "page"}, {"alertname": "QueueLong", "sla": "gold", "team": "dba"}, {"alertname": "HandWritten", "sla": "shop"}, {"team": "db", "severity": "page"}, {"team": "db"}, {"team": "shop"}, {"job": "x"}, {"team": "x", "severity": "info"}, {"x": "y"},
	}
	first := map[string]func(map[string]string) []string{
		"team.yml": func(map[string]string) []string { return []string{"log"} },
		"all-continue.yml": func(alert map[string]string) []string {
			if alert["job"] == "x" {
				return []string{"a"}
			}
			return nil
		},
	}
	for _, file := range bases(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			merged := filepath.Join(t.TempDir(), "merged.yml")
			write(t, merged, merge(t, file, read(t, file), agreements))
			for _, amtool := range amtools(t) {
				run(t, amtool, "check-config", merged)
			}
			amtool := amtools(t)[0]
			for _, alert := range foreign {
				if was, is := routed(t, amtool, file, alert), routed(t, amtool, merged, alert); !slices.Equal(was, is) {
					t.Errorf("%v went to %v, now to %v", alert, was, is)
				}
			}
			for i, alert := range alertsOf(agreements) {
				if whoIsTold(agreements, nil, alert) == nil || i%testsize.Of(5, 1) > 0 {
					continue
				}
				alert = maps.Clone(alert)
				if i%2 == 0 {
					alert["job"] = "x"
				}
				want := whoIsTold(agreements, []string{"page", "ticket", "urgent"}, alert)
				if before := first[filepath.Base(file)]; before != nil {
					want = append(want, before(alert)...)
				}
				slices.Sort(want)
				if got := routed(t, amtool, merged, alert); !slices.Equal(got, slices.Compact(want)) {
					t.Errorf("%v goes to %v, want %v", alert, got, want)
				}
			}
		})
	}
}

// A block of routes that somebody moved stays where it is.
func TestMergeKeepsWhereTheRoutesStand(t *testing.T) {
	file := "testdata/merge/team.yml"
	merged := string(merge(t, file, read(t, file), told(t)))
	routes := ""
	for _, found := range block.FindAllStringSubmatch(merged, -1) {
		if found[1] == "routes" {
			routes = found[0]
		}
	}
	moved := strings.Replace(merged, routes, "", 1)
	moved = strings.Replace(moved, "\n# who is told\n", "\n"+routes+"# who is told\n", 1)
	if moved == merged || routes == "" {
		t.Fatal("nothing was moved")
	}
	again := string(merge(t, file, []byte(moved), told(t)))
	if again != moved {
		t.Errorf("it was moved back:\n%s", again)
	}
	fewer := string(merge(t, file, []byte(moved), told(t)[:1]))
	if strings.Index(fewer, "BEGIN upheld routes") < strings.Index(fewer, "match: {team: shop}") {
		t.Error("with other content it was moved back")
	}
}

// A receiver that the file defines is not defined again.
func TestMergeTakesReceiversThatAreFilledIn(t *testing.T) {
	merged := string(merge(t, "testdata/merge/small.yml", read(t, "testdata/merge/small.yml"), told(t)))
	for name, want := range map[string]int{"upheld-page": 1, "pagerduty-shop": 1, "upheld-ticket": 1, "upheld-other": 0, "upheld-shop/nobody": 0} {
		if got := strings.Count(merged, "- name: "+name+"\n"); got != want {
			t.Errorf("%s is defined %d times, want %d", name, got, want)
		}
	}
}

func TestMergeMistakes(t *testing.T) {
	const good = "route:\n  receiver: a\nreceivers:\n  - name: a\n  - name: pagerduty-shop\n"
	merged := string(merge(t, "am.yml", []byte(good), told(t)))
	cases := []struct{ name, base, want string }{
		{"empty", "", `am.yml:1:1: error: the file is empty`},
		{"syntax", "route:\n  receiver: [a\n", `am.yml:1:1: error: did not find expected ',' or ']'`},
		{"list", "- a\n", `am.yml:1:1: error: this is no Alertmanager configuration`},
		{"json", `{"route": {"receiver": "a"}, "receivers": [{"name": "a"}]}`, `am.yml:1:1: error: this is no Alertmanager configuration`},
		{"no receivers", "route:\n  receiver: a\n", `am.yml:1:1: error: this Alertmanager configuration has no receivers`},
		{"route in one line", "route: {receiver: a}\nreceivers:\n  - name: a\n", `am.yml:1:8: error: route is not written with a key a line`},
		{"empty list over lines", "route:\n  receiver: a\n  routes: [\n  ]\nreceivers:\n  - name: a\n", `am.yml:3:11: error: routes is not a list with dashes`},
		{"anchored empty list", "route:\n  receiver: a\n  routes: &r []\nreceivers:\n  - name: a\n", `am.yml:3:11: error: routes is not a list with dashes`},
		{"shared routes", strings.Replace(good, "receiver: a\n", "receiver: a\n  routes: &r\n    - receiver: a\n      routes:\n        - receiver: a\n          matchers: [a=b]\nx-more: {routes: *r}\n", 1), `am.yml:3:11: error: routes has the anchor &r, which line 8 repeats`},
		{"merged routes", "x: &x\n  routes:\n    - receiver: a\n" + strings.Replace(good, "receiver: a\n", "<<: *x\n  receiver: a\n", 1), `am.yml:5:3: error: routes comes from here`},
		{"key twice", "route:\n  receiver: a\n  routes: []\n  routes: []\nreceivers:\n  - name: a\n", `am.yml:4:3: error: routes stands in line 3 already`},
		{"key twice deep inside", good + "  - name: b\n    webhook_configs:\n      - url: http://a\n        url: http://b\n", `am.yml:9:9: error: url stands in line 8 already`},
		{"tabs", "route:\n\treceiver: a\n" + receiverA, `am.yml:2:1: error: found character that cannot start any token`},
		{"UTF-16", "\xff\xfer\x00o\x00", `am.yml:1:1: error: this file is not text in UTF-8`},
		{"comments alone", "# nothing\n", `am.yml:1:1: error: the file is empty`},
		{"null", "---\n", `error: this is no Alertmanager configuration`},
		{"a ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: am}\ndata:\n  alertmanager.yml: |\n    route: {receiver: a}\n", `am.yml:2:1: error: this is a Kubernetes ConfigMap, in which a configuration is one text, data.alertmanager.yml`},
		{"a Secret among others", "kind: Service\n---\napiVersion: v1\nkind: Secret\nstringData:\n  alertmanager.yaml: \"route:\"\n", `am.yml:4:1: error: this is a Kubernetes Secret, in which a configuration is one text, stringData.alertmanager.yaml`},
		{"an AlertmanagerConfig", "apiVersion: monitoring.coreos.com/v1alpha1\nkind: AlertmanagerConfig\nspec:\n  route: {receiver: a}\n", `am.yml:2:1: error: this is an AlertmanagerConfig of the Prometheus operator`},
		{"another object", "apiVersion: apps/v1\nkind: StatefulSet\n", `am.yml:2:1: error: this is a Kubernetes object of kind StatefulSet`},
		{"values of kube-prometheus-stack", "grafana: {enabled: true}\nalertmanager:\n  enabled: true\n  config:\n    route:\n      receiver: a\n    receivers:\n    - name: a\n", `am.yml:4:3: error: this file holds an Alertmanager configuration below alertmanager.config`},
		{"values of the alertmanager chart", "config:\n  route:\n    receiver: a\n", `am.yml:1:1: error: this file holds an Alertmanager configuration below config`},
		{"a template that is YAML", strings.Replace(good, "name: a", "name: {{ .Values.receiver }}", 1), `am.yml:4:11: error: this file is a template`},
		{"a template that is none", "{{- if .Values.enabled }}\n" + good + "{{- end }}\n", `am.yml:1:1: error: this file is a template`},
		{"a template of Ansible", strings.Replace(good, "receivers:\n", "receivers:\n{% for r in receivers %}\n", 1), `am.yml:4:1: error: this file is a template`},
		{"Prometheus's configuration", "scrape_configs: []\n", `am.yml:1:1: error: this is a configuration of Prometheus`},
		{"list in one line", "route:\n  receiver: a\nreceivers: [{name: a}]\n", `am.yml:3:12: error: receivers is not a list with dashes`},
		{"alias", "x: &r\n  - name: a\nroute:\n  receiver: a\nreceivers: *r\n", `am.yml:5:12: error: receivers is not a list with dashes`},
		{"two documents", good + "---\nroute: {}\n", `am.yml:7:1: error: a second document begins here`},
		{"unknown receiver", "route:\n  receiver: b\nreceivers:\n  - name: a\n  - name: pagerduty-shop\n", `am.yml:2:13: error: the receiver "b" is not defined`},
		{"receiver twice", good + "  - name: a\n", `am.yml:6:11: error: the name "a" is in line 4 already`},
		{"no root receiver", "route:\n  group_by: [a]\nreceivers:\n  - name: pagerduty-shop\n", `am.yml:2:3: error: the route at the top has no receiver`},
		{"contact's receiver", "route:\n  receiver: a\nreceivers:\n  - name: a\n", `testdata/told.yaml:8:5: error: the contact "on-call" is reached by the receiver "pagerduty-shop", which am.yml does not define`},
		{"time interval taken", good + "time_intervals:\n  - name: upheld-shop/office\n", `am.yml:7:11: error: the time interval "upheld-shop/office" is defined here, and an agreement makes one of that name`},
		{"time interval unknown", strings.Replace(good, "receiver: a\n", "receiver: a\n  routes:\n    - mute_time_intervals: [night]\n", 1), `am.yml:4:29: error: the time interval "night" is not defined`},
		{"edited", strings.Replace(merged, "- name: upheld-ticket\n", "- name: upheld-ticket\n    webhook_configs: [{url: http://a}]\n", 1), `error: the receivers of upheld were edited by hand`},
		{"no end", strings.Replace(merged, "# END upheld receivers\n", "", 1), `error: the beginning of the receivers of upheld, which nothing ends`},
		{"no beginning", good + "# END upheld receivers\n", `am.yml:6:1: error: the end of the receivers of upheld, which nothing begins`},
	}
	for _, c := range cases {
		text, _, findings := emit.MergeAlertmanager("am.yml", []byte(c.base), told(t))
		var got []string
		for _, f := range findings {
			got = append(got, fmt.Sprintf("%s: %s: %s", f.Pos, f.Severity, f.Message))
		}
		if len(got) != 1 || !strings.Contains(got[0], c.want) || findings[0].Remedy == "" || text != nil {
			t.Errorf("%s: %q, want one of %q", c.name, got, c.want)
		}
	}
}
