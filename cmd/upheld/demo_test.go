package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/testsize"
)

// runsDemo makes the test binary run as upheld.
const runsDemo = "UPHELD_TEST_RUNS_AS_PROGRAM"

func init() {
	if os.Getenv(runsDemo) != "" {
		main()
	}
}

// demoProcess is a running upheld demo.
type demoProcess struct {
	*exec.Cmd
	temp   string // its TMPDIR
	url    string
	ready  time.Time       // when it named its URL
	out    strings.Builder // its standard output after the URL; read it after wait
	stderr strings.Builder
	read   chan struct{}
}

func startDemo(t *testing.T, args ...string) *demoProcess {
	t.Helper()
	p := &demoProcess{temp: t.TempDir(), read: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel) // kills it, should the test have given up
	p.Cmd = exec.CommandContext(ctx, os.Args[0], append([]string{"demo"}, args...)...)
	p.Env = append(os.Environ(), runsDemo+"=1", "TMPDIR="+p.temp)
	p.Stderr = &p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	for p.url == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the demo ended before it named its address: %v, %v\n%s", err, p.Wait(), p.stderr.String())
		}
		_, p.url, _ = strings.Cut(strings.TrimSpace(line), "Upheld is at ")
	}
	p.ready = time.Now()
	go func() {
		defer close(p.read)
		_, _ = io.Copy(&p.out, lines)
	}()
	return p
}

// wait is for the end, which must be clean: exit 0 and nothing left behind.
func (p *demoProcess) wait(t *testing.T) {
	t.Helper()
	<-p.read
	if err := p.Wait(); err != nil {
		t.Errorf("the demo ended with %v\n%s", err, p.stderr.String())
	}
	left, err := os.ReadDir(p.temp)
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v behind (%v)", left, err)
	}
	if !strings.Contains(p.out.String(), "nothing is left behind") {
		t.Errorf("the demo did not say that it ended:\n%s", p.out.String())
	}
}

// eventually asks until there is no complaint any more.
func eventually(t *testing.T, deadline time.Time, what string, complaint func() error) {
	t.Helper()
	start := time.Now()
	for {
		err := complaint()
		if err == nil {
			t.Logf("%s after another %s", what, time.Since(start).Round(100*time.Millisecond))
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time: %v", what, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// values asks Prometheus' API and gives the values by service/slo.
func (p *demoProcess) values(query string) (map[string]float64, error) {
	body, err := fetch(p.url + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, r := range answer.Data.Result {
		v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		values[r.Metric["service"]+"/"+r.Metric["slo"]] = v
	}
	return values, nil
}

func fetch(url string) (string, error) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s\n%s", url, answer.Status, body)
	}
	return string(body), err
}

var demoLevels = []string{
	"storefront/availability", "storefront/response-time", "payments/errors", "payments/latency", "orders/accepting",
	"checkout/paying", "psp-a/availability", "psp-b/availability",
}

// postedPages is an Alertmanager's address that hears of alerts; the channel has
// each page that fires, as service/slo and what it says of components.
func postedPages(t *testing.T) (string, <-chan [2]string) {
	t.Helper()
	pages := make(chan [2]string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var alerts []struct {
			Labels, Annotations map[string]string
			EndsAt              time.Time
		}
		if r.URL.Path != "/api/v2/alerts" || json.NewDecoder(r.Body).Decode(&alerts) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, a := range alerts {
			if l := a.Labels; l["severity"] == "page" && l["escalation"] == "" && a.EndsAt.After(time.Now()) {
				pages <- [2]string{l["service"] + "/" + l["slo"], a.Annotations["components_down"]}
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, pages
}

// The whole loop: real probes and scrapes of services that really break become
// live figures, failures with reasons, burnt budget and a page.
func TestDemoShowsTheWholeLoop(t *testing.T) {
	testsize.Skip(t, "the demo's outage from its first probe to its page, which takes a minute of real time")
	t.Parallel()
	start := time.Now()
	alertmanager, pages := postedPages(t)
	p := startDemo(t, "--web.listen-address=127.0.0.1:0", "--alertmanager.url="+alertmanager)
	// What a user is promised is 30 s and 90 s; a busy machine is given thrice that.
	live, paged := start.Add(90*time.Second), start.Add(270*time.Second)

	simulated := p.budgetsGoOn(t, live)
	eventually(t, live, "every level is live", func() error {
		got, err := p.values("sla:error:ratio_rate5m")
		for _, level := range demoLevels {
			if _, ok := got[level]; !ok && err == nil {
				err = fmt.Errorf("no value of %s yet, only %v", level, got)
			}
		}
		return err
	})
	eventually(t, live, "the page shows them", func() error {
		page, err := fetch(p.url + "/")
		for _, level := range demoLevels {
			if err == nil && !strings.Contains(page, `href="/level/demo-shop/`+level+`"`) {
				err = fmt.Errorf("no link to %s on the page", level)
			}
		}
		if err == nil && strings.Contains(page, "No data") {
			err = fmt.Errorf("some level has no data yet")
		}
		return err
	})
	eventually(t, paged, "the outage pages", func() error {
		got, err := p.values(`ALERTS{alertname="SLABudgetBurn",severity="page",alertstate="firing"}`)
		// The checkout pages for its part, whose own alert it withholds.
		if err == nil && (got["storefront/response-time"] != 1 || got["checkout/paying"] != 1) {
			err = fmt.Errorf("firing: %v", got)
		}
		return err
	})
	eventually(t, paged, "the outage has burnt budget", func() error {
		got, err := p.values("sla:budget_remaining:ratio_period")
		// 35 s of the 2592 s that 30 days allow are 1.35 % in the end, which it nears over
		// the five minutes of the rates that it is summed from.
		burnt := simulated["storefront/availability"] - got["storefront/availability"]
		if err == nil && !(burnt > 0.002 && burnt < 0.02) {
			err = fmt.Errorf("left: %v, of %v", got, simulated)
		}
		if change := got["orders/accepting"] - simulated["orders/accepting"]; err == nil && math.Abs(change) > 0.0005 {
			err = fmt.Errorf("orders have not failed, but their budget went from %v by %v", simulated["orders/accepting"], change)
		}
		return err
	})
	eventually(t, paged, "the failures have a reason", func() error {
		page, err := fetch(p.url + "/level/demo-shop/storefront/availability")
		if err == nil && !regexp.MustCompile(`<td data-name="Reason">status</td><td class="text" data-name="Detail">HTTP 503</td>`).MatchString(page) {
			err = fmt.Errorf("no HTTP 503 among the last failures")
		}
		return err
	})
	p.showsComposite(t, paged, pages)
	p.reportsThePast(t, paged)
	t.Logf("the whole loop was seen %s after the start", time.Since(start).Round(time.Second))

	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
}

// budgetsGoOn returns the budgets that the simulated past has left, and awaits the first
// ones that the live rules record: they are the same, and no alert has begun.
func (p *demoProcess) budgetsGoOn(t *testing.T, deadline time.Time) map[string]float64 {
	t.Helper()
	const budget = `sla:budget_remaining:ratio_period{period="30d"}`
	before, err := p.values(fmt.Sprintf("last_over_time(%s[1h] @ %d)", budget, time.Now().Add(-30*time.Second).Unix()))
	if err != nil || len(before) != len(demoLevels) {
		t.Fatalf("the past has budgets of %v (%v)", before, err)
	}
	eventually(t, deadline, "the live rules go on from it", func() error {
		live, err := p.values("timestamp(" + budget + ") > " + fmt.Sprint(p.ready.Unix()))
		if err == nil && len(live) != len(demoLevels) {
			err = fmt.Errorf("only %v are live", live)
		}
		return err
	})
	after, err := p.values(budget)
	if err != nil {
		t.Fatal(err)
	}
	for level, was := range before {
		if math.Abs(after[level]-was) > 0.002 {
			t.Errorf("the budget of %s was %v in the past, and is %v when the live part begins", level, was, after[level])
		}
	}
	firing, err := p.values(fmt.Sprintf(`ALERTS{alertstate="firing"} @ %d`, p.ready.Add(12*time.Second).Unix()))
	for level, left := range before {
		if left <= 0 { // in the first days of a month, see docs/demo.md: its alert is that of the past
			delete(firing, level)
		}
	}
	if err != nil || len(firing) > 0 {
		t.Errorf("alerts fire before anything broke: %v (%v)", firing, err)
	}
	coverage, err := p.values(`sla:coverage:ratio_period{period="30d"} < 0.998`)
	if err != nil || len(coverage) > 0 {
		t.Errorf("the past does not cover the period: %v (%v)", coverage, err)
	}
	return before
}

// reportsThePast awaits the report of the closed period, which serve makes of the
// simulated past, and what says on pages and in the report that it is simulated.
func (p *demoProcess) reportsThePast(t *testing.T, deadline time.Time) {
	t.Helper()
	eventually(t, deadline, "a closed period was breached, and the running one goes on from the past", func() error {
		page, err := fetch(p.url + "/reports")
		closed := regexp.MustCompile(`href="(/reports/file/[^"]+\.html)"`).FindStringSubmatch(page)
		switch running, _, _ := strings.Cut(page, "Breached"); {
		case err != nil:
			return err
		case closed == nil || !strings.Contains(page, "240.00\u00a0EUR") || !strings.Contains(page, "Simulated by upheld demo"):
			return fmt.Errorf("no report of the past in\n%s", page)
		case !strings.Contains(running, "Met"):
			return fmt.Errorf("the running period is not judged yet")
		}
		made, err := fetch(p.url + closed[1])
		if err == nil && !strings.Contains(made, "simulated by upheld demo") {
			err = fmt.Errorf("%s does not say that it is simulated", closed[1])
		}
		return err
	})
}

// showsComposite awaits what the demo makes of the storefront's outage in the
// composite that it is a part of.
func (p *demoProcess) showsComposite(t *testing.T, deadline time.Time, pages <-chan [2]string) {
	t.Helper()
	eventually(t, deadline, "Alertmanager is told of the composite, and whose fault it is", func() error {
		for {
			select {
			case page := <-pages:
				if page[0] == "checkout/paying" && strings.HasPrefix(page[1], "storefront/availability is down since ") && !strings.Contains(page[1], "psp") {
					return nil
				}
			default:
				return fmt.Errorf("it was not told yet")
			}
		}
	})
	eventually(t, deadline, "the page of the composite names who has spent its budget", func() error {
		page, err := fetch(p.url + "/level/demo-shop/checkout/paying")
		_, spent, _ := strings.Cut(page, "Budget spent by")
		spent, _, _ = strings.Cut(spent, "</dd>")
		if err == nil && (!strings.Contains(spent, "storefront/availability") || !strings.Contains(spent, "psp-b/availability")) {
			err = fmt.Errorf("it says %q", spent)
		}
		return err
	})
	eventually(t, deadline, "of the live part it is the storefront alone", func() error {
		spent := func(component string) (float64, error) {
			blame := fmt.Sprintf("sum by (service, slo) (sla:blame:budget_ratio_period{component=%q} %%s)", component)
			since, err := p.values(fmt.Sprintf(blame, "") + " - " + fmt.Sprintf(blame, fmt.Sprintf("@ %d", p.ready.Unix())))
			if err == nil && len(since) == 0 {
				err = fmt.Errorf("nothing is known of what %s has spent", component)
			}
			return since["checkout/paying"], err
		}
		storefront, err := spent("storefront/availability")
		provider, providerErr := spent("psp-b/availability")
		// 35 s of 12960 s that 30 days allow.
		if err = errors.Join(err, providerErr); err == nil && !(storefront > 0.001 && math.Abs(provider) < 0.0005) {
			err = fmt.Errorf("the storefront has spent %v, and a provider %v", storefront, provider)
		}
		return err
	})
}

func TestDemoEndsByItself(t *testing.T) {
	t.Parallel()
	p := startDemo(t, "--web.listen-address=127.0.0.1:0", "--duration=3s")
	p.wait(t)
}

func TestDemoNamesTheRemedyForATakenPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	temp := t.TempDir()
	cmd := exec.Command(os.Args[0], "demo", "--web.listen-address", taken.Addr().String())
	cmd.Env = append(os.Environ(), runsDemo+"=1", "TMPDIR="+temp)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitFailed || strings.Count(string(out), "\n") != 1 ||
		!strings.Contains(string(out), "--web.listen-address=127.0.0.1:0") {
		t.Errorf("%v, and not one line with the remedy:\n%s", err, out)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
