//go:build integration

package integration

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs are those under test, built once.
type programs struct{ upheld, exporter string }

func build(t *testing.T) programs {
	t.Helper()
	dir := t.TempDir()
	run(t, root, "go", "build", "-o", dir+string(filepath.Separator), "./cmd/...")
	return programs{upheld: filepath.Join(dir, "upheld"), exporter: filepath.Join(dir, "upheld-exporter")}
}

// TestLoop runs the whole loop, once on an old Prometheus that users still have
// and once on a current one.
func TestLoop(t *testing.T) {
	t.Parallel() // with what mostly waits, too
	const install = "install the packages prometheus and prometheus-alertmanager"
	alertmanager := program(t, "prometheus-alertmanager", install)
	servers := map[string]string{
		"distribution": program(t, "/usr/bin/prometheus", install),
		"current":      program(t, root+"/bin/tools/prometheus", "run make prometheus-tools"),
	}
	built := build(t)
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Log(strings.SplitN(run(t, ".", server, "--version"), "\n", 2)[0])
			newLoop(t, built, server, alertmanager).test(t)
		})
	}
}

// loop is the fixture with everything around it.
type loop struct {
	built     programs
	fixture   *fixture
	desk      *desk
	spec      string // path
	generated string // path
	addresses struct{ exporter, prometheus, alertmanager string }

	server  prometheus
	process *process // of the server
}

func newLoop(t *testing.T, built programs, server, alertmanager string) *loop {
	dir := t.TempDir()
	l := &loop{
		built: built, fixture: newFixture(t), desk: newDesk(t),
		spec: filepath.Join(dir, "spec.yaml"), generated: filepath.Join(dir, "generated"),
	}
	l.addresses.exporter, l.addresses.prometheus, l.addresses.alertmanager = freeAddress(t), freeAddress(t), freeAddress(t)
	l.write(t, `{grade: silver}`)
	l.generate(t)
	run(t, root, "scripts/check-generated", l.generated)

	startAlertmanager(t, alertmanager, l.generated, l.addresses.alertmanager, l.desk)
	// The server is there first and has tried to scrape, which it begins to do
	// some seconds after its start: so it sees the exporter's counters from their
	// beginning and can be held to what the fixture has counted.
	l.server, l.process = startPrometheus(t, server, l.generated, l.addresses.prometheus, l.fixture.http.Listener.Addr().String())
	await(t, settle, "the server scrapes", func() error {
		jobs, err := l.server.query("up")
		if err == nil && len(jobs) != 2 {
			err = fmt.Errorf("%d of 2 jobs have been tried", len(jobs))
		}
		return err
	})
	exporter := start(t, "upheld-exporter", built.exporter, "--spec.file="+l.spec, "--web.listen-address="+l.addresses.exporter)
	awaitReady(t, exporter, l.addresses.exporter)
	return l
}

func (l *loop) write(t *testing.T, labels string) {
	t.Helper()
	if err := os.WriteFile(l.spec, []byte(l.fixture.specification(labels)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (l *loop) generate(t *testing.T) {
	t.Helper()
	run(t, ".", l.built.upheld, "check", l.spec)
	run(t, ".", l.built.upheld, "generate", l.spec, "-o", l.generated,
		"--rules.interval=1s", "--scrape.interval=1s",
		"--exporter.address="+l.addresses.exporter, "--alertmanager.address="+l.addresses.alertmanager)
}

func (l *loop) test(t *testing.T) {
	await(t, 2*time.Minute, "all series of all levels", func() error {
		all, err := l.server.series()
		if err != nil {
			return err
		}
		return missing(all)
	})
	// Long enough for some hundred probes, whose shares are then nearly exact.
	time.Sleep(settle)
	l.checkValues(t)
	l.checkAccount(t)
	l.server.checkRules(t)
	l.checkAgainst(t)
	l.checkByPint(t)
	l.checkAlerts(t)
	l.checkPages(t)
	l.checkLabelEdit(t)
}

// truth is what a level's fixture decides: the bad share, how exactly it can be
// known, and how many events (or known seconds) there have been.
type truth struct {
	bad       float64
	tolerance float64
	events    float64
	slack     float64 // of events: what two scrapes may bring
	budget    float64 // 1 - target
	alerting  float64 // 1 - objective
	byTime    bool    // events are known seconds
}

const (
	exact = 1e-9 // what is computed from the same numbers
	near  = 0.05 // shares of some hundred probes, of which one is under way
)

func (l *loop) truths() map[string]truth {
	f := l.fixture
	probed := func(path string, weight, budget float64) truth {
		asked, failed := f.seen(path)
		return truth{bad: float64(failed) / float64(asked), tolerance: near, events: float64(asked) * weight, slack: 6 * weight, budget: budget, alerting: budget, byTime: weight != 1}
	}
	const interval = 0.5 // seconds that a probe stands for
	n := float64(f.counted())
	// Counters that grow in step have a constant share, but a scrape that is
	// stored between the evaluations of bad and total is in one alone (docs/rules.md).
	const errors, slow = float64(errorsPerScrape) / requestsPerScrape, float64(slowPerScrape) / timedPerScrape
	step := func(share float64) float64 { return exact + share/n }
	all := map[string]truth{
		"probes/healthy": probed("/ok", interval, 0.001),
		"probes/broken":  probed("/broken", interval, 0.001),
		"probes/flaky":   probed("/flaky", 1, 0.01),
		"probes/uneven":  probed("/uneven", interval, 0.001),
		"probes/port":    probed("tcp", interval, 0.001),
		"api/errors":     {errors, step(errors), n * requestsPerScrape, 3 * requestsPerScrape, 0.1, 0.1, false},
		"api/successes":  {errors, step(errors), n * requestsPerScrape, 3 * requestsPerScrape, 0.1, 0.1, false},
		"api/response":   {slow, step(slow), n * timedPerScrape, 3 * timedPerScrape, 0.1, 0.075, false},
		"clean/errors":   {0, 0, n * requestsPerScrape, 3 * requestsPerScrape, 0.001, 0.001, false},
	}
	fast := all["probes/uneven"] // every other answer takes too long
	fast.bad, fast.budget, fast.alerting = 0.5, 0.05, 0.05
	all["probes/fast"] = fast
	refused := all["probes/broken"] // nobody there can count, but it is asked as often
	all["probes/refused"] = refused
	for _, never := range []string{"probes/healthy", "probes/broken", "probes/uneven", "probes/port", "probes/refused"} {
		one := all[never]
		one.tolerance = step(one.bad)
		all[never] = one
	}
	return all
}

// names that every level with events must have.
var names = func() []string {
	all := []string{
		"sla:total:rate5m", "sla:bad:rate5m", "sla:target:ratio", "sla:objective:ratio", "sla_service_level_info",
		"sla:error:ratio_period", "sla:budget_remaining:ratio_period", "sla:burn_rate:ratio_period",
	}
	for _, window := range windows {
		all = append(all, "sla:error:ratio_rate"+window)
	}
	return all
}()

var windows = []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"}

// idle is the level whose counters stand still.
const idle = "idle/errors"

// missing says which series of which levels are not there yet.
func missing(all recorded) error {
	var absent []string
	for _, l := range levels {
		for _, name := range names {
			if _, ok := all[l][name]; !ok {
				absent = append(absent, l+" "+name)
			}
		}
	}
	if len(absent) > 0 {
		return fmt.Errorf("%d of %d series are missing: %s and more", len(absent), len(levels)*len(names), strings.Join(absent[:min(3, len(absent))], ", "))
	}
	return nil
}

var levels = []string{
	"probes/healthy", "probes/broken", "probes/flaky", "probes/uneven", "probes/fast", "probes/port", "probes/refused",
	"api/errors", "api/successes", "api/response", "clean/errors",
}

// checkValues compares every recorded figure with the fixture's truth.
func (l *loop) checkValues(t *testing.T) {
	t.Helper()
	all, err := l.server.series()
	if err != nil {
		t.Fatal(err)
	}
	if err := missing(all); err != nil {
		t.Fatal(err)
	}
	truths := l.truths()
	for _, name := range levels {
		got, want := all[name], truths[name]
		expect := func(series string, want, tolerance float64) {
			t.Helper()
			if v := got[series]; math.Abs(v-want) > tolerance {
				t.Errorf("%s: %s is %v, want %v ± %v", name, series, v, want, tolerance)
			}
		}
		for _, window := range windows {
			expect("sla:error:ratio_rate"+window, want.bad, want.tolerance)
		}
		expect("sla:error:ratio_period", want.bad, want.tolerance)
		expect("sla:target:ratio", 1-want.budget, exact)
		expect("sla:objective:ratio", 1-want.alerting, exact)
		expect("sla_service_level_info", 1, 0)
		expect("sla:burn_rate:ratio_period", want.bad/want.budget, want.tolerance/want.budget+exact/want.budget)
		// The base rate is over five minutes, although less time has passed.
		expect("sla:total:rate5m", want.events/300, (0.05*want.events+want.slack)/300)
		expect("sla:bad:rate5m", want.bad*want.events/300, (0.05*want.events+want.slack)*want.bad/300+want.tolerance*want.events/300)
		l.expectBudget(t, name, got["sla:budget_remaining:ratio_period"], want)
		t.Logf("%-15s bad %.4f (truth %.4f), events/5m %.1f (truth %.1f), budget left %.5f", name,
			got["sla:error:ratio_rate1h"], want.bad, got["sla:total:rate5m"]*300, want.events, got["sla:budget_remaining:ratio_period"])
	}
	l.checkIdle(t, all[idle])
	if others := len(all) - len(levels) - 1; others != 0 {
		t.Errorf("%d levels too many are recorded: %v", others, slices.Sorted(maps.Keys(all)))
	}
}

// expectBudget holds the budget to plain arithmetic: the bad share of the time
// that is known, over what 30 days allow. Levels by time know the seconds that
// their five-minute rates have brought in, and a rate brings an event in as it
// ages: after T of less than five minutes that is T²/(2·300 s). Levels by event
// know all the time since the first evaluation.
func (l *loop) expectBudget(t *testing.T, name string, got float64, want truth) {
	t.Helper()
	const (
		period = 30 * 24 * 3600.0
		base   = 300.0
		late   = 8.0 // seconds that the second tier and a scrape may be behind
	)
	known := func(seconds float64) float64 {
		seconds = max(seconds, 0)
		switch {
		case !want.byTime:
			return seconds
		case seconds < base:
			return seconds * seconds / (2 * base)
		}
		return seconds - base/2
	}
	seconds := float64(l.fixture.counted())
	if want.byTime {
		seconds = want.events
	}
	left := func(bad, seconds float64) float64 { return 1 - bad*known(seconds)/(want.budget*period) }
	lowest := left(want.bad+want.tolerance, seconds+late)
	highest := left(max(want.bad-want.tolerance, 0), seconds-late)
	if got < lowest-exact || got > highest+exact {
		t.Errorf("%s: the budget left is %v, want between %v and %v after %.0f s", name, got, lowest, highest, seconds)
	}
}

// checkIdle holds the level without traffic to "no events", which is neither
// good nor bad and no share at all.
func (l *loop) checkIdle(t *testing.T, got map[string]float64) {
	t.Helper()
	for _, name := range []string{"sla:total:rate5m", "sla:bad:rate5m"} {
		if v, ok := got[name]; !ok || v != 0 {
			t.Errorf("%s: %s is %v (there: %t), want 0", idle, name, v, ok)
		}
	}
	for name, v := range got {
		if strings.HasPrefix(name, "sla:error:ratio") || strings.HasPrefix(name, "sla:burn_rate") {
			t.Errorf("%s: %s is %v, want no series", idle, name, v)
		}
	}
}

// checkAccount holds the exporter's counters to what its targets have counted.
func (l *loop) checkAccount(t *testing.T) {
	t.Helper()
	unbalanced, err := l.server.query(`sum by (service, slo) (upheld_probe_results_total) != sum by (service, slo) (upheld_probe_scheduled_total)`)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range unbalanced {
		t.Errorf("%s: the outcomes sum to %v, which is not what was owed", level(s.Metric), s.value())
	}
	owed, err := l.server.query(`upheld_probe_scheduled_total`)
	if err != nil {
		t.Fatal(err)
	}
	if len(owed) != 6 {
		t.Errorf("%d targets are probed, want 6", len(owed))
	}
	// On a busy machine the exporter may be late now and then, and says so: that
	// is its own fault, so inconclusive, and must stay rare.
	late, err := l.server.query(`sum(upheld_probe_results_total{outcome!~"good|bad"}) / sum(upheld_probe_scheduled_total)`)
	if err != nil {
		t.Fatal(err)
	}
	if len(late) != 1 || late[0].value() > 0.1 {
		t.Errorf("the share of probes without a conclusion is %v, want one under 10 %%", late)
	}
	reasons, err := l.server.query(`sum by (service, slo, reason) (upheld_probe_failures_total{reason!~"late|starved|overlap|overload"}) > 0`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range reasons {
		got[level(s.Metric)] += s.Metric["reason"]
	}
	want := map[string]string{"probes/broken": "status", "probes/flaky": "status", "probes/refused": "connect_refused"}
	if !maps.Equal(got, want) {
		t.Errorf("reasons of failure are %v, want %v", got, want)
	}
}

// tiers of the SRE workbook for 30 days.
var tiers = []struct {
	name   string
	factor float64
}{{"page-fast", 14.4}, {"page-slow", 6}, {"ticket-fast", 3}, {"ticket-slow", 1}}

// checkAlerts compares the tiers that burn with those that the truth demands:
// all of them, and no others.
func (l *loop) checkAlerts(t *testing.T) {
	t.Helper()
	want := map[string]bool{}
	for name, truth := range l.truths() {
		for _, tier := range tiers {
			if truth.bad > min(tier.factor*truth.alerting, 0.9) {
				want[name+" "+tier.name] = true
			}
		}
	}
	await(t, settle, "the right tiers burn", func() error {
		got, err := l.server.burning()
		if err != nil {
			return err
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("burning\n%v, want\n%v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		return nil
	})
	t.Logf("%d tiers burn, as they should", len(want))
}

// checkPages waits until the desk has been paged for every level that deserves
// it, by the page receiver, and for no other.
func (l *loop) checkPages(t *testing.T) {
	t.Helper()
	want := []string{"probes/broken", "probes/fast", "probes/flaky", "probes/refused"}
	await(t, 90*time.Second, "the desk is paged", func() error {
		paged := map[string]bool{}
		for _, n := range l.desk.received() {
			for _, a := range n.Alerts {
				if n.Receiver != "upheld-"+a.Labels["severity"] {
					t.Fatalf("an alert with severity %s came by the receiver %s: %v", a.Labels["severity"], n.Receiver, a.Labels)
				}
				if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
					t.Fatalf("an alert came without a summary or description: %v", a)
				}
				if n.Receiver == "upheld-page" && a.Status == "firing" {
					paged[level(a.Labels)] = true
				}
			}
		}
		if got := slices.Sorted(maps.Keys(paged)); !slices.Equal(got, want) {
			return fmt.Errorf("paged for %v, want %v", got, want)
		}
		return nil
	})
	t.Logf("paged for %v", want)
}

// checkLabelEdit changes a label in the specification, has everything reload,
// and expects all figures to go on as if nothing had happened.
func (l *loop) checkLabelEdit(t *testing.T) {
	t.Helper()
	l.write(t, `{grade: gold, region: north}`)
	l.generate(t)
	resp, err := http.Post("http://"+l.addresses.exporter+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the exporter's reload: %s", resp.Status)
	}
	l.process.signal(t, syscall.SIGHUP)
	await(t, settle, "the edited label", func() error {
		got, err := l.server.query(`sla_service_level_info{slo="healthy",label_grade="gold",label_region="north"}`)
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("%d series carry it", len(got))
		}
		return err
	})
	time.Sleep(settle / 3) // two evaluations of the second tier
	l.checkValues(t)
	l.checkAccount(t)
	l.server.checkRules(t)
}
