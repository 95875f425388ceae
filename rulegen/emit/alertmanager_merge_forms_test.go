package emit_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// blockOf is a block of a merge with the line that it stands in place of.
var blockOf = regexp.MustCompile(`(?s)[ ]*# BEGIN upheld [a-z ]+ \([^\n]*\n(?:[ ]*# in place of: ([^\n]*\n))?.*?# END upheld [a-z ]+\r?\n`)

// unmerged cuts what was merged out of a text again.
func unmerged(text []byte) string { return blockOf.ReplaceAllString(string(text), "$1") }

// oneAgreement needs nothing of a file but that it is a configuration.
func oneAgreement() []*sla.Agreement {
	agreements := twoAgreements()
	agreements[1].Levels[0].Alerting.Tiers[0].Labels = map[string]string{"team": "bank"}
	return agreements
}

const receiverA = "receivers:\n  - name: a\n"

// Each way to write a configuration is edited, and nothing else of it changes.
func TestMergeKnowsWaysToWriteAConfiguration(t *testing.T) {
	for name, base := range map[string]string{
		"empty routes":                "route:\n  receiver: a\n  routes: []\n" + receiverA,
		"empty routes with a comment": "route:\n  routes:  [ ]\t# none yet\n  receiver: a\n" + receiverA,
		"null routes":                 "route:\n  receiver: a\n  routes: null\n" + receiverA,
		"tilde routes":                "route:\n  receiver: a\n  \"routes\": ~\n" + receiverA,
		"tagged empty routes":         "route:\n  receiver: a\n  routes: !!seq []\n" + receiverA,
		"routes without value":        "route:\n  receiver: a\n  routes:\n" + receiverA,
		"no routes":                   "route:\n  receiver: a\n" + receiverA,
		"anchored routes":             "route:\n  receiver: a\n  routes: &r\n    - receiver: a\n      matchers: [x=y]\n" + receiverA,
		"tagged routes":               "route:\n  receiver: a\n  routes: !!seq\n  - receiver: a\n    matchers: [x=y]\n" + receiverA,
		"anchor on a line of its own": "route:\n  receiver: a\n  routes:\n    &r\n    - receiver: a\n      matchers: [x=y]\n" + receiverA,
		"anchored route":              "route: &r\n  receiver: a\n" + receiverA,
		"anchored route, below":       "route:\n  &r\n  receiver: a\n" + receiverA,
		"tagged top":                  "!!map\nroute:\n  receiver: a\n" + receiverA,
		"anchored items":              "route:\n  receiver: a\n  routes:\n    - &x\n      receiver: a\n      continue: true\n    -\n      # below\n      receiver: a\nreceivers:\n-   &y\n    name: a\n",
		"wide dashes":                 "route:\n    receiver: a\n    routes:\n    -    receiver: a\n         continue: true\n    -    receiver: a\nreceivers:\n-    name: a\n",
		"lists in one line that nothing is put into": "route:\n  receiver: a\ninhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d]}]\nreceivers: [{name: a}, {name: upheld-page}, {name: upheld-ticket}]\n",
		"empty inhibit rules":                        "route:\n  receiver: a\ninhibit_rules: []\n" + receiverA,
		"empty everything":                           "route:\n  receiver: a\n  routes: []\ninhibit_rules: []\ntime_intervals: []\ntemplates: []\n" + receiverA,
		"Windows":                                    strings.ReplaceAll("route:\n  receiver: a\n  routes: []\ninhibit_rules: []\n"+receiverA, "\n", "\r\n"),
		"ends of lines of both kinds":                "route:\r\n  receiver: a\n  routes: []\n" + receiverA,
		"byte-order mark":                            "\ufeffroute:\n  receiver: a\n" + receiverA,
		"no newline at the end":                      "receivers:\n  - name: a\nroute:\n  receiver: a\n  routes: []",
		"no newline, and blocks there":               "route:\n  receiver: a\nreceivers:\n  - name: a",
		"marked end":                                 "---\nroute:\n  receiver: a\n" + receiverA + "...\n# over\n",
		"separators of lines in a text":              "# a\u2028# b\nroute:\n  receiver: a # \u0085\n  routes: []\n" + receiverA,
		"templates in texts":                         "route:\n  receiver: a\nreceivers:\n  - name: a\n    webhook_configs:\n      - url: 'http://a'\n    slack_configs:\n      - api_url: http://a/\n        channel: '{{ .CommonLabels.team }}'\n        text: |\n          {{ range .Alerts }}\n          {{ .Annotations.summary }}\n          {{ end }}\n",
		"merge key":                                  "x-wait: &w {group_wait: 10s}\nroute:\n  <<: *w\n  receiver: a\n" + receiverA,
		"receiver by a merge key":                    "x-wait: &w {receiver: a}\nroute:\n  <<: [*w]\n" + receiverA,
		"an old notation":                            "route:\n  receiver: a\n  routes:\n  - match: {service: x}\n    match_re:\n      severity: ^(a|b)$\n    receiver: a\n" + receiverA,
	} {
		t.Run(name, func(t *testing.T) {
			merged, _, findings := emit.MergeAlertmanager("am.yml", []byte(base), oneAgreement())
			if findings.HasErrors() {
				t.Fatalf("%v\n%s", findings, base)
			}
			if rest := unmerged(merged); rest != base && rest != base+"\n" {
				t.Errorf("without the blocks it is not what it was:\n%q, want\n%q", rest, base)
			}
			if again := merge(t, "am.yml", merged, oneAgreement()); string(again) != string(merged) {
				t.Errorf("merged again it is another:\n%s", again)
			}
			if strings.Contains(base, "x-") {
				return // which yaml merges need, and Alertmanager refuses
			}
			path := filepath.Join(t.TempDir(), "am.yml")
			write(t, path, merged)
			run(t, tool(t, "amtool"), "check-config", path)
		})
	}
}

// Whatever a configuration is like, it is refused with a place and a remedy, or
// merged so that Alertmanager takes it, to merge again changes nothing, and
// every other byte is as it was.
func TestMergeOfAnyConfiguration(t *testing.T) {
	amtool, _ := exec.LookPath("amtool") // without it, Alertmanager is not asked
	dir := t.TempDir()
	edited, refused, asked := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		base := drawConfiguration(t)
		merged, _, findings := emit.MergeAlertmanager("am.yml", []byte(base), oneAgreement())
		if findings.HasErrors() {
			refused++
			for _, f := range findings {
				if f.Remedy == "" || f.Pos.Line < 1 || f.Pos.Column < 1 || f.Pos.Line > strings.Count(base, "\n")+2 || strings.Contains(f.Message+f.Remedy, "fault") {
					t.Fatalf("%+v\n%s", f, base)
				}
			}
			return
		}
		edited++
		if rest := unmerged(merged); rest != base && rest != base+"\n" && rest != base+"\r\n" {
			t.Fatalf("without the blocks it is not what it was:\n%q, want\n%q", rest, base)
		}
		again, _, _ := emit.MergeAlertmanager("am.yml", merged, oneAgreement())
		if string(again) != string(merged) {
			t.Fatalf("merged again it is another:\n%s\nof\n%s", again, merged)
		}
		if asked++; asked > 40 || amtool == "" {
			return // to start a program for each takes long
		}
		for name, text := range map[string][]byte{"base.yml": []byte(base), "merged.yml": merged} {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(amtool, "check-config", path).CombinedOutput(); err != nil {
				t.Fatalf("%s: %s\n%s", name, out, text)
			}
		}
	})
	if edited < 20 || refused < 5 {
		t.Errorf("%d were edited and %d refused: the test looks at too few", edited, refused)
	}
}

// drawConfiguration is a configuration that Alertmanager takes, written in many
// ways.
func drawConfiguration(t *rapid.T) string {
	pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	pad := pick("indent", "  ", "    ", " ")
	comment := func() string { return pick("comment", "", "", "", "# a comment\n", "\n", pad+"# deeper\n") }
	route := func() string {
		dash := pick("dash", "- ", "-   ", "- &x"+fmt.Sprint(rapid.IntRange(0, 1<<30).Draw(t, "anchor"))+" ")
		if dash = pick("own line", dash, dash, strings.TrimRight(dash, " ")+"\n"+pad+pad+pad); strings.HasSuffix(dash, pad) && strings.Contains(dash, "\n") {
			return pad + pad + dash + "receiver: a\n"
		}
		if strings.Contains(dash, "&") {
			return pad + pad + dash + "{receiver: a, continue: " + pick("continue", "true", "false") + "}\n"
		}
		under := strings.Repeat(" ", 2*len(pad)+len(dash))
		return pad + pad + dash + "receiver: a\n" + pick("more", "", under+"continue: true\n", under+"matchers: [ team = \"x\" ]\n", under+"match: {sla: shop}\n", under+"match_re: {alertname: SLA.*}\n"+under+"# and\n")
	}
	routes := pick("routes", "", pad+"routes: []\n", pad+"routes: []  # none\n", pad+"routes:\n", pad+"routes: null\n", pad+"routes: ~\n", pad+"routes: [{receiver: a}]\n", "list", "list", "list")
	if routes == "list" {
		routes = pad + "routes:" + pick("property", "", "", " &r", " !!seq", " # these") + "\n"
		for range rapid.IntRange(1, 3).Draw(t, "number") {
			routes += comment() + route()
		}
	}
	head := "route:" + pick("property of route", "", "", " &route", " # all") + "\n"
	parts := []string{head + pad + "receiver: a\n" + routes, head + routes + pad + "receiver: a\n"}
	sections := []string{
		pick("route", parts...),
		pick("receivers", "receivers:\n- name: a\n", "receivers:\n  - name: a\n", "receivers:\n-   name: a\n    webhook_configs:\n    -   url: http://a/\n", "receivers: [{name: a}]\n",
			"receivers:\n  - name: a\n  - name: upheld-page\n    webhook_configs: [{url: http://a/}]\n"),
		pick("inhibit rules", "", "inhibit_rules: []\n", "inhibit_rules:\n", "inhibit_rules:\n- source_matchers: [a=b]\n  target_matchers: [c=d]\n"),
		pick("times", "", "time_intervals: []\n", "time_intervals:\n  - name: n\n    time_intervals: []\n"),
		pick("templates", "", "templates: ['*.tmpl']\n"),
	}
	text := pick("start", "", "", "---\n", "# head\n", "\ufeff")
	for _, s := range rapid.Permutation(sections).Draw(t, "order") {
		text += s + comment()
	}
	text += pick("end", "", "", "...\n", "# the end\n")
	if pick("newline", "yes", "yes", "no") == "no" {
		text = strings.TrimRight(text, "\n")
	}
	if pick("lines", "unix", "unix", "windows") == "windows" {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

// Routes of the file that take alerts of agreements, or were made for them and
// lose them, are named; others are not.
func TestMergeNamesRoutesThatTakeOrLoseAlerts(t *testing.T) {
	agreements := oneAgreement()
	agreements[0].Levels[0].GroupBy.Labels = []string{"tenant"}
	base := func(routes string) string { return "route:\n  receiver: a\n  routes:\n" + routes + receiverA }
	above := func(route string) string { // the block stands below the route
		text := string(merge(t, "am.yml", []byte(base("    - {receiver: a, continue: true}\n    - {receiver: a, matchers: [x=none]}\n")), agreements))
		text = strings.Replace(text, "    - {receiver: a, matchers: [x=none]}\n", "", 1)
		return strings.Replace(text, "    - {receiver: a, continue: true}\n", route, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"takes all":                {above("    - {receiver: a}\n"), "am.yml:4:7: this route stands above that of upheld and takes alerts of agreements, such as SLABudgetBurn of shop/storefront/availability"},
		"takes pages":              {above("    - {receiver: a, match: {severity: page}}\n"), "takes alerts of agreements"},
		"takes by a label of ours": {above("    - {receiver: a, matchers: ['team=~\"ba.*\"']}\n"), "takes alerts of agreements, such as SLABudgetBurn of bank/"},
		"can take a group":         {above("    - {receiver: a, matchers: ['tenant=\"acme\"']}\n"), "can take alerts of agreements, such as SLABudgetBurn of shop/"},
		"anchored regex":           {above("    - {receiver: a, match_re: {alertname: SLA}}\n"), ""},
		"another team":             {above("    - {receiver: a, matchers: [team=dba]}\n"), ""},
		"goes on":                  {above("    - {receiver: a, continue: true}\n"), ""},
		"loses by name":            {base("    - {receiver: a, match_re: {alertname: 'SLA.*'}}\n"), "am.yml:4:7: this route names alerts of agreements, such as SLABudgetBurn of shop/storefront/availability"},
		"loses by agreement":       {base("    - {receiver: a, match: {sla: bank}}\n"), "this route names alerts of agreements, such as SLABudgetBurn of bank/"},
		"loses below":              {base("    - receiver: a\n      matchers: [severity=ticket]\n      routes:\n      - {receiver: a, matchers: ['{alertname=SLABudgetBurn}']}\n"), "such as SLABudgetBurn of shop/"},
		"general":                  {base("    - {receiver: a, matchers: [severity=page]}\n    - {receiver: a, matchers: ['alertname!=Watchdog', 'sla!=\"\"']}\n"), ""},
		"another's sla":            {base("    - {receiver: a, matchers: ['sla=\"gold\"', 'team=\"dba\"']}\n"), ""},
		"unreadable":               {base("    - {receiver: a, matchers: ['a=~\"(\"']}\n"), "this route cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			text, _, findings := emit.MergeAlertmanager("am.yml", []byte(c.text), agreements)
			var got []string
			for _, f := range findings {
				got = append(got, fmt.Sprintf("%s: %s", f.Pos, f.Message))
				if f.Remedy == "" || f.Severity != sla.Warning {
					t.Errorf("%+v", f)
				}
			}
			if text == nil || c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Who is told by a receiver that is empty is said, and no longer when it is not.
func TestMergeNamesEmptyReceivers(t *testing.T) {
	base := "route:\n  receiver: a\nreceivers:\n  - name: a\n  - name: upheld-page\n"
	for text, want := range map[string]string{
		base: "[upheld-page upheld-ticket]",
		base + "    webhook_configs: [{url: http://a/}]\n": "[upheld-ticket]",
	} {
		_, empty, findings := emit.MergeAlertmanager("am.yml", []byte(text), twoAgreements())
		if got := fmt.Sprint(empty); got != want || len(findings) > 0 {
			t.Errorf("%s, want %s; %v", got, want, findings)
		}
	}
}

// Whatever a file holds, it is refused with a remedy, or every byte of it stays
// and merging again changes nothing.
func FuzzMergeAlertmanager(f *testing.F) {
	files, err := filepath.Glob("testdata/merge/*.yml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{"route:\n  receiver: a\n  routes: []\n" + receiverA, "? route\n: receiver: a\n" + receiverA, "a: &a\n  <<: {<<: *a}\n", "route: {{ a }}\n", "...\n---\n", "\ufeff# BEGIN upheld routes (generated; do not edit; 0000000000000000)\n# END upheld routes\n"} {
		f.Add([]byte(text))
	}
	agreements := oneAgreement()
	f.Fuzz(func(t *testing.T, text []byte) {
		merged, _, findings := emit.MergeAlertmanager("am.yml", text, agreements)
		if merged == nil != findings.HasErrors() {
			t.Fatal(findings)
		}
		for _, f := range findings {
			if f.Remedy == "" || f.Pos.Line < 1 || f.Pos.Column < 1 {
				t.Fatalf("%+v", f)
			}
		}
		if merged == nil || strings.Contains(string(text), "upheld") {
			return // which may hold blocks, that are taken out
		}
		if rest := unmerged(merged); !strings.HasPrefix(rest, string(text)) || strings.Trim(strings.TrimPrefix(rest, string(text)), "\r\n") != "" {
			t.Fatalf("without the blocks it is not what it was:\n%q, want\n%q", rest, text)
		}
		if again, _, _ := emit.MergeAlertmanager("am.yml", merged, agreements); string(again) != string(merged) {
			t.Fatalf("merged again it is another:\n%q", again)
		}
	})
}

// The configurations that Alertmanager's own tests read are refused with a
// remedy or merged, and what it takes of them it takes of them merged.
func TestMergeOfAlertmanagersOwnConfigurations(t *testing.T) {
	amtool := tool(t, "amtool")
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/alertmanager").Output()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"config/testdata/*.yml", "doc/examples/*.yml", "examples/*/*.yml", "examples/*/*.yaml", "cli/testdata/*.yml"} {
		found, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	taken := 0
	for _, file := range files {
		text := read(t, file)
		name := filepath.Base(file)
		merged, _, findings := emit.MergeAlertmanager(name, text, oneAgreement())
		for _, f := range findings {
			if f.Remedy == "" || f.Pos.Line < 1 || strings.Contains(f.Message, "written in a way") {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if merged == nil {
			t.Logf("refused: %v", findings)
			continue
		}
		if rest := unmerged(merged); strings.TrimRight(rest, "\n") != strings.TrimRight(string(text), "\n") {
			t.Errorf("%s: without the blocks it is not what it was:\n%s", name, rest)
		}
		path := filepath.Join(t.TempDir(), name)
		write(t, path, text)
		if exec.Command(amtool, "check-config", path).Run() != nil {
			continue // it is there to be refused, or is of a newer version
		}
		taken++
		write(t, path, merged)
		run(t, amtool, "check-config", path)
	}
	if taken < 10 {
		t.Errorf("only %d of %d files were tried", taken, len(files))
	}
}
