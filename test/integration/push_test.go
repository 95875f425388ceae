//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// pushedSpec has levels of counters, of latency, in service hours, and of probes whose missing data is bad, and a
// composite of two of them: groups of every layer, of calendars and of parts.
const pushedSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: web}
spec:
  calendars:
    office: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "18:00"}]}
  serviceLevels:
    - {name: requests, service: api, target: "99.9", period: [30d, month], indicator: {events: {bad: 'requests_total{code=~"5..",path!="a  b"}', total: requests_total}}}
    - {name: latency, service: api, target: "95", indicator: {latency: {histogram: duration_seconds, threshold: 300ms}}}
    - {name: orders, service: api, serviceHours: office, target: "99", indicator: {events: {bad: 'orders_total{code="lost"}', total: orders_total}}}
    - {name: page, service: web, target: "99", missingData: bad, indicator: {probe: {http: "http://127.0.0.1:9/"}}}
    - {name: whole, service: web, target: "99", indicator: {composite: {any: [web/page, api/requests]}}}
`

// pushTest brings specifications into a Cortex.
type pushTest struct {
	cortex
	upheld, spec string // paths
}

// push calls the program, which must end with a code. The options are those besides the place and the tenant.
func (p pushTest) push(t *testing.T, tenant string, want int, options ...string) (stdout, stderr string) {
	t.Helper()
	args := []string{"push", "cortex", p.spec, "--ruler.url=http://" + p.address}
	if tenant != "" {
		args = append(args, "--tenant="+tenant)
	}
	cmd := exec.CommandContext(t.Context(), p.upheld, append(args, options...)...)
	var out, notes bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &notes
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("push %v ends with %d, want %d\n%s%s", options, got, want, &out, &notes)
	}
	return out.String(), notes.String()
}

// requests are the lines of the output that say "set namespace/group" or "delete ...", after a word like "would ".
func requests(stdout, before string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^`+before+`((?:set|delete) .*)$`).FindAllStringSubmatch(stdout, -1) {
		all = append(all, m[1])
	}
	return all
}

func wantText(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("it says\n%s\nand not %s", text, pattern)
	}
}

// TestPushToCortex brings rules into a real ruler, step after step.
func TestPushToCortex(t *testing.T) {
	t.Parallel() // with what mostly waits, too
	p := pushTest{startCortex(t), build(t).upheld, filepath.Join(t.TempDir(), "web.yaml")}
	put(t, p.spec, pushedSpec)
	for _, step := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"a call without --apply changes nothing", p.testDry},
		{"applied, the ruler has what generate writes, and a second call nothing to do", p.testApplied},
		{"the ruler evaluates it", p.testHealth},
		{"a change sets the groups of its level only", p.testChange},
		{"what others wrote stays, and ours that is gone is deleted", p.testOthers},
		{"tenants are apart", p.testTenants},
		{"limits are errors with a remedy", p.testLimits},
		{"calls that are wrong are errors with a remedy", p.testWrong},
	} {
		if !t.Run(step.name, step.do) {
			return // the next step begins where this one ends
		}
	}
}

func (p pushTest) testDry(t *testing.T) {
	stdout, stderr := p.push(t, "shop", 3)
	wantText(t, stdout, `(?m)^web api/requests is new, with [0-9]+ recording rules and [0-9]+ alerts$`)
	wantText(t, stdout, `(?m)^would set upheld-web/upheld:web:api:requests$`)
	wantText(t, stderr, `groups would be set and 0 deleted in .*; --apply does it`)
	if have := p.groups(t, "shop"); len(have) > 0 {
		t.Errorf("the ruler has %v", have)
	}
}

func (p pushTest) testApplied(t *testing.T) {
	planned, _ := p.push(t, "shop", 3)
	stdout, _ := p.push(t, "shop", 0, "--apply")
	if d := cmp.Diff(requests(planned, "would "), requests(stdout, "")); d != "" {
		t.Errorf("what was planned is not what was done:\n%s", d)
	}
	if d := cmp.Diff(map[string]map[string]ruleGroup{"upheld-web": p.generated(t)}, p.groups(t, "shop")); d != "" {
		t.Errorf("the ruler has other rules than the file:\n%s", d)
	}
	for _, options := range [][]string{nil, {"--apply"}} {
		stdout, stderr := p.push(t, "shop", 0, options...)
		if stdout != "" {
			t.Errorf("a second push has\n%s", stdout)
		}
		wantText(t, stderr, "has these rules, nothing to do")
	}
}

// generated are the groups of the file that generate writes for Cortex.
func (p pushTest) generated(t *testing.T) map[string]ruleGroup {
	t.Helper()
	text := output(t, p.upheld, "generate", p.spec, "--outputs=rules", "--rules.format=cortex", "-o", "-")
	var file struct{ Groups []ruleGroup }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return byName(file.Groups)
}

// testHealth also reads back a recorded series: the target shares of all levels.
func (p pushTest) testHealth(t *testing.T) {
	rules, biggest := 0, 0
	for _, g := range p.groups(t, "shop")["upheld-web"] {
		n := len(g["rules"].([]any))
		rules, biggest = rules+n, max(biggest, n)
	}
	if biggest > 20 {
		t.Errorf("a group has %d rules", biggest)
	}
	await(t, 2*time.Minute, "all rules are healthy", func() error { return p.unhealthy("shop", rules) })
	await(t, settle, "every level's target share is stored", func() error {
		answer, err := p.ask(http.MethodGet, "/prometheus/api/v1/query?query=count(sla:target:ratio)", "shop", nil)
		if err == nil && !strings.Contains(string(answer), `,"5"]`) {
			err = fmt.Errorf("%s", answer)
		}
		return err
	})
	t.Logf("%d rules are healthy, the biggest group has %d", rules, biggest)
}

func (p pushTest) testChange(t *testing.T) {
	before := p.groups(t, "shop")["upheld-web"]
	p.edit(t, `latency, service: api, target: "95"`, `latency, service: api, target: "96"`)
	stdout, _ := p.push(t, "shop", 3)
	wantText(t, stdout, `(?m)^  changed sla:target:ratio: target share 95 % -> 96 %$`)
	stdout, _ = p.push(t, "shop", 0, "--apply")
	set := requests(stdout, "")
	if len(set) == 0 || slices.ContainsFunc(set, func(s string) bool { return !strings.HasPrefix(s, "set upheld-web/upheld:web:api:latency") }) {
		t.Errorf("a change of api/latency makes\n%s", stdout)
	}
	after := p.groups(t, "shop")["upheld-web"]
	for name := range after {
		changed := !cmp.Equal(before[name], after[name])
		if sent := slices.Contains(set, "set upheld-web/"+name); sent != changed {
			t.Errorf("group %s was sent: %v, and is different: %v", name, sent, changed)
		}
	}
	if d := cmp.Diff(p.generated(t), after); d != "" {
		t.Errorf("the ruler has other rules than the file:\n%s", d)
	}
}

// testOthers has groups of others beside ours, in our namespace and in one of their own, and takes a level out.
func (p pushTest) testOthers(t *testing.T) {
	theirs := "\n  interval: 1m\n  rules: [{record: theirs, expr: vector(1)}]"
	for namespace, name := range map[string]string{"upheld-web": "by-hand/and \"odd\"", "theirs": "upheld:web:api:latency", "upheld-gone": "upheld:gone:a:b"} {
		if _, err := p.ask(http.MethodPost, "/api/v1/rules/"+namespace, "shop", strings.NewReader("  name: '"+name+"'"+theirs)); err != nil {
			t.Fatal(err)
		}
	}
	before := p.groups(t, "shop")
	p.edit(t, `    - {name: latency.*\n`, "")
	stdout, stderr := p.push(t, "shop", 3)
	wantText(t, stdout, `(?m)^web api/latency is gone, with `)
	wantText(t, stderr, `2 other groups left as they are: upheld-web/by-hand/and "odd", upheld-gone/upheld:gone:a:b`)
	stdout, _ = p.push(t, "shop", 0, "--apply")
	for _, s := range requests(stdout, "") {
		if !strings.HasPrefix(s, "delete upheld-web/upheld:web:api:latency") {
			t.Errorf("a level less makes: %s", s)
		}
		delete(before["upheld-web"], strings.TrimPrefix(s, "delete upheld-web/"))
	}
	if d := cmp.Diff(before, p.groups(t, "shop")); d != "" {
		t.Errorf("besides the deleted groups these changed:\n%s", d)
	}
	stdout, _ = p.push(t, "shop", 0, "--apply", "--prune")
	if got := requests(stdout, ""); !slices.Equal(got, []string{"delete upheld-gone/upheld:gone:a:b"}) {
		t.Errorf("--prune makes %q", got)
	}
	delete(before, "upheld-gone")
	if d := cmp.Diff(before, p.groups(t, "shop")); d != "" {
		t.Errorf("besides the pruned group these changed:\n%s", d)
	}
}

func (p pushTest) testTenants(t *testing.T) {
	before := p.groups(t, "shop")
	p.edit(t, `target: "99.9"`, `target: "99.5"`)
	p.push(t, "other", 0, "--apply")
	if d := cmp.Diff(map[string]map[string]ruleGroup{"upheld-web": p.generated(t)}, p.groups(t, "other")); d != "" {
		t.Errorf("the other tenant has other rules than the file:\n%s", d)
	}
	if d := cmp.Diff(before, p.groups(t, "shop")); d != "" {
		t.Errorf("rules of another tenant changed:\n%s", d)
	}
}

func (p pushTest) testLimits(t *testing.T) {
	_, stderr := p.push(t, "big", 1, "--apply", "--rules.part-size=100", "--rules.interval=1m")
	wantText(t, stderr, `^upheld: http://[0-9.:]+: set upheld-web/\S+: 400 Bad Request: per-user rules per rule group limit \(limit: 20 actual: [0-9]+\) exceeded; [0-9]+ of [0-9]+ requests are done, call it again to go on; name the limit of the server with --rules.part-size\n$`)
	// Then with groups that fit, which also replaces and deletes what is left of that.
	p.push(t, "big", 0, "--apply")
	if d := cmp.Diff(map[string]map[string]ruleGroup{"upheld-web": p.generated(t)}, p.groups(t, "big")); d != "" {
		t.Errorf("the ruler has other rules than the file:\n%s", d)
	}

	_, stderr = p.push(t, "few", 1, "--apply")
	wantText(t, stderr, `^upheld: http://[0-9.:]+: set upheld-web/\S+: 400 Bad Request: per-user rule groups limit \(limit: 4 actual: 5\) exceeded; 4 of [0-9]+ requests are done, call it again to go on; raise ruler_max_rule_groups_per_tenant to one more than you need, .*\n$`)
	if n := len(p.groups(t, "few")["upheld-web"]); n != cortexFew {
		t.Errorf("the ruler has %d groups", n)
	}
}

func (p pushTest) testWrong(t *testing.T) {
	_, stderr := p.push(t, "", 1)
	wantText(t, stderr, `^upheld: http://[0-9.:]+: 401 Unauthorized: no org id; name the tenant with --tenant\n$`)
	_, stderr = p.push(t, "shop", 1, "--ruler.path=/nowhere")
	wantText(t, stderr, `^upheld: http://[0-9.:]+: 404 Not Found: .*; is the ruler's API enabled, and --ruler.path right\?\n$`)
	// The path at which Prometheus' API is, below which rules are shown and not set.
	_, stderr = p.push(t, "shop", 1, "--ruler.path=/prometheus/api/v1/rules")
	wantText(t, stderr, `^upheld: http://[0-9.:]+: \S+ did not answer with rule groups by namespace: .*\n$`)
}

// edit changes the specification; what it finds is a regular expression that must be there.
func (p pushTest) edit(t *testing.T, find, replace string) {
	t.Helper()
	text, err := os.ReadFile(p.spec)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(find).ReplaceAll(text, []byte(replace))
	if bytes.Equal(text, changed) {
		t.Fatalf("the specification has no %s", find)
	}
	put(t, p.spec, string(changed))
}
