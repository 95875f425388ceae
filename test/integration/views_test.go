//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// views are levels that are each in another state, and stay in it.
type views struct {
	program, spec, scrape, generated, storage string

	server     prometheus
	want       map[string]sla.State // by the level's name
	born, dies *scraped             // what the levels "first" and "lost" are counted from
}

// Whatever a level's state is, the recorded series, the page, the terminal and the boards
// name the same one: of a level in its first minute, of one whose measurement is lost, and
// before a restart and after it. Only what is down pages. Once the server is away, the
// terminal says that and nothing else.
func TestEveryViewNamesTheSameState(t *testing.T) {
	t.Parallel() // it mostly waits
	v := newViews(t)
	p := v.start(t)
	await(t, 3*time.Minute, "every view names the states", v.agree)
	v.born.there.Store(true)
	v.dies.there.Store(false)
	v.want["first"], v.want["lost"] = sla.StateUp, sla.StateUnknown
	await(t, 3*time.Minute, "every view names the state of what is measured now, and of what no longer is", v.agree)
	await(t, 5*time.Minute, "what is down pages", v.page)
	since := v.since(t)
	p.end(t)
	p = v.start(t)
	await(t, 3*time.Minute, "every view names the states after a restart", v.agree)
	if again := v.since(t); again.Sub(since).Abs() > 2*time.Minute {
		t.Errorf("before the restart it was down since %s, after it since %s", since, again)
	}
	p.end(t)
	v.checkAway(t)
}

// checkAway compares what the terminal says of a server that is away.
func (v *views) checkAway(t *testing.T) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(v.program, "status", v.spec, "--prometheus.url=http://"+v.server.address)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("status of a server that is away: %v, want exit code 1", err)
	}
	said := errs.String()
	if out.Len() > 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, v.server.address) {
		t.Errorf("status of a server that is away prints %q and %q, want one line that names it", &out, said)
	}
}

// scraped is a server of metrics that may be away.
type scraped struct {
	address string
	there   atomic.Bool
}

func newScraped(t *testing.T, metrics string, there bool) *scraped {
	t.Helper()
	s := &scraped{}
	s.there.Store(there)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !s.there.Load() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, metrics)
	}))
	t.Cleanup(server.Close)
	s.address = server.Listener.Addr().String()
	return s
}

func newViews(t *testing.T) *views {
	t.Helper()
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(good.Close)
	reached, refused, now := good.Listener.Addr().String(), refusedAddress(t), time.Now().UTC()
	dir := t.TempDir()
	v := &views{
		program: build(t).upheld, spec: filepath.Join(dir, "views.yaml"), scrape: filepath.Join(dir, "scrape.yaml"), generated: filepath.Join(dir, "generated"), storage: filepath.Join(dir, "data"),
		server: prometheus{freeAddress(t)},
		want: map[string]sla.State{
			"up": sla.StateUp, "down": sla.StateDown, "degraded": sla.StateDegraded, "unknown": sla.StateUnknown,
			"closed": sla.StateOutOfHours, "works": sla.StateMaintenance, "all": sla.StateDown, "either": sla.StateUp,
			"first": sla.StateUnknown, "lost": sla.StateUp,
		},
		born: newScraped(t, "probe_success 1\n", false), dies: newScraped(t, "probe_success 1\n", true),
	}
	probe := func(name, keys string, targets ...string) string {
		return fmt.Sprintf("    - {name: %s, service: api, target: \"99\", exclusions: [], %s indicator: {probe: {http: \"http://${target}/\", interval: 1s, targets: {static: [%s]}}}}\n", name, keys, `"`+strings.Join(targets, `", "`)+`"`)
	}
	text := fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: views}
spec:
  timeZone: UTC
  calendars:
    elsewhen: {weekly: [{days: [%s], from: "00:00", to: "24:00"}]}
  exclusions:
    - {name: works, category: other, effect: remove_from_agreed_time, windows: [{from: %q, to: %q}]}
  serviceLevels:
`, now.AddDate(0, 0, 3).Format("Mon"), now.Add(-time.Hour).Format("2006-01-02T15:04"), now.Add(24*time.Hour).Format("2006-01-02T15:04")) +
		probe("up", "", reached) + probe("down", "", refused) + probe("degraded", "", reached, refused) +
		probe("closed", "serviceHours: elsewhen,", refused) +
		strings.Replace(probe("works", "", refused), "exclusions: []", "exclusions: [works]", 1) + `
    - {name: unknown, service: api, target: "99", exclusions: [], indicator: {events: {bad: 'nothing_total{code="500"}', total: nothing_total}}}
    - {name: first, service: api, target: "99", exclusions: [], indicator: {blackbox: {success: 'probe_success{job="first"}'}}}
    - {name: lost, service: api, target: "99", exclusions: [], indicator: {blackbox: {success: 'probe_success{job="lost"}'}}}
    - {name: all, service: api, target: "97", exclusions: [], indicator: {composite: {all: [api/up, api/down]}}}
    - {name: either, service: api, target: "99", exclusions: [], indicator: {composite: {any: [api/up, api/down]}}}
`
	jobs := fmt.Sprintf("scrape_configs:\n  - {job_name: first, static_configs: [{targets: [%q]}]}\n  - {job_name: lost, static_configs: [{targets: [%q]}]}\n", v.born.address, v.dies.address)
	for path, content := range map[string]string{v.spec: text, v.scrape: jobs} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, root, v.program, "generate", v.spec, "-o", v.generated)
	return v
}

func (v *views) start(t *testing.T) *process {
	t.Helper()
	p := start(t, "upheld serve", v.program, "serve", v.spec, "--web.listen-address="+v.server.address,
		"--storage.path="+v.storage, "--scrape.interval=1s", "--rules.interval=1s", "--scrape.config.file="+v.scrape)
	awaitReady(t, p, v.server.address)
	return p
}

// agree reports a view that names another state than the level is in.
func (v *views) agree() error {
	for name, of := range map[string]func() (map[string]string, error){
		"series": v.recorded, "terminal": v.terminal, "page": v.pages, "board of a level": v.levelBoards, "overview board": v.overviewBoard,
	} {
		got, err := of()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for level, want := range v.want {
			if got[level] != want.String() {
				return fmt.Errorf("%s: %s is %q, want %q", name, level, got[level], want)
			}
		}
	}
	return nil
}

func (v *views) recorded() (map[string]string, error) {
	samples, err := v.server.query("sla:service:state")
	all := map[string]string{}
	for _, s := range samples {
		if state, ok := sla.StateOf(s.value()); ok {
			all[s.Metric["slo"]] = state.String()
		}
	}
	return all, err
}

// status is what upheld status prints of each level.
type status struct {
	Level, State string
	Since        time.Time
	Alerts       []struct{ Name, Severity string }
}

func (v *views) status() ([]status, error) {
	out, err := exec.Command(v.program, "status", v.spec, "--prometheus.url=http://"+v.server.address, "--format=json").Output()
	if err != nil {
		return nil, err
	}
	var all struct{ Levels []status }
	return all.Levels, json.Unmarshal(out, &all)
}

func (v *views) terminal() (map[string]string, error) {
	levels, err := v.status()
	all := map[string]string{}
	for _, l := range levels {
		all[l.Level] = l.State
	}
	return all, err
}

// headState is the state that the head of a level's page names.
var headState = regexp.MustCompile(`(?s)<h1>.*?<span class="mark [a-z]+">(?:<svg.*?</svg>)?([^<]+)</span>`)

func (v *views) pages() (map[string]string, error) {
	all := map[string]string{}
	for level := range v.want {
		resp, err := http.Get("http://" + v.server.address + "/level/views/api/" + level)
		if err != nil {
			return nil, err
		}
		page, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		found := headState.FindSubmatch(page)
		if found == nil {
			return nil, fmt.Errorf("the page of %s names no state", level)
		}
		all[level] = stateNamed(string(found[1]))
	}
	return all, nil
}

// page reports a level that pages though it is not down, or does not though it is.
func (v *views) page() error {
	levels, err := v.status()
	if err != nil {
		return err
	}
	for _, l := range levels {
		pages := false
		for _, a := range l.Alerts {
			pages = pages || a.Name == sla.AlertBudgetBurn.Name && a.Severity == "page"
		}
		down := v.want[l.Level] == sla.StateDown || v.want[l.Level] == sla.StateDegraded
		if pages != down {
			return fmt.Errorf("%s is %s: pages %t", l.Level, l.State, pages)
		}
	}
	return nil
}

// since is when the level that is down went down, as the terminal says.
func (v *views) since(t *testing.T) time.Time {
	t.Helper()
	levels, err := v.status()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range levels {
		if l.Level == "down" {
			return l.Since
		}
	}
	t.Fatal("the terminal does not name the level that is down")
	return time.Time{}
}
