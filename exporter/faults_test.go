package exporter_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// balanced fails unless a scrape's account holds, and gives its parts.
func balanced(t *testing.T, text string) map[probe.Outcome]float64 {
	t.Helper()
	parts, all := map[probe.Outcome]float64{}, 0.0
	for _, o := range probe.Outcomes {
		parts[o] = counter(t, text, "upheld_probe_results_total", `outcome="`+string(o)+`"`)
		all += parts[o]
	}
	if owed := counter(t, text, "upheld_probe_scheduled_total"); owed != all {
		t.Errorf("%v were owed, the outcomes are %v", owed, parts)
	}
	return parts
}

const starvedVariable = "UPHELD_TEST_WITHOUT_DESCRIPTORS"

// TestWithoutDescriptorsNobodyIsBlamed runs an exporter in a process that may
// open fewer files than it has probes under way, against a server that is well.
func TestWithoutDescriptorsNobodyIsBlamed(t *testing.T) {
	if url := os.Getenv(starvedVariable); url != "" {
		probeWithoutDescriptors(t, url)
		return
	}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(500 * time.Millisecond) }))
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWithoutDescriptorsNobodyIsBlamed$")
	child.Env = append(os.Environ(), starvedVariable+"="+srv.URL)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := string(out)
	parts := balanced(t, text)
	if parts[probe.Bad] > 0 || parts[probe.Good] == 0 {
		t.Errorf("outcomes: %v", parts)
	}
	if n := counter(t, text, "upheld_probe_failures_total", `reason="no_fd"`); n == 0 {
		t.Errorf("descriptors never ran out; outcomes: %v", parts)
	}
}

// probeWithoutDescriptors is the child's part; it prints a scrape.
func probeWithoutDescriptors(t *testing.T, url string) {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 40, Max: 40}); err != nil {
		t.Skip(err)
	}
	e := exporter.New(exporter.Options{})
	// Some 50 are under way at once, of one descriptor each, and have six times
	// as long as the server takes.
	if err := e.Apply(manyTargets(300, url, 3*time.Second)); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	text := ""
	within(t, time.Minute, "a good result, and one without descriptors", func() bool {
		text = scrape(t, e.Metrics())
		return counter(t, text, "upheld_probe_failures_total", `reason="no_fd"`) > 0 && counter(t, text, "upheld_probe_results_total", `outcome="good"`) > 0
	})
	fmt.Print(text)
}

// TestThousandsOfTargetsGoDownAtOnce hangs every target: the kernel takes
// connections until its queue is full and then drops them, and nothing is ever
// answered, so that each probe lasts until its timeout. How many probes are run
// in time is the machine's affair; the account, the reasons and the bounds hold
// on any.
func TestThousandsOfTargetsGoDownAtOnce(t *testing.T) {
	const interval = 3 * time.Second
	n, slots := testsize.Of(1000, 5000), testsize.Of(100, 500)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	targets := manyTargets(n, "http://"+l.Addr().String(), interval)
	for i := range targets {
		targets[i].Probe.Timeout = 500 * time.Millisecond
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	e := exporter.New(exporter.Options{MaxConcurrency: slots})
	if err := e.Apply(targets); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	began, done := time.Now(), make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	most := 0
	accounted := func(times float64) func() bool {
		return func() bool {
			most = max(most, runtime.NumGoroutine())
			text := scrape(t, e.Metrics())
			return counter(t, text, "upheld_probe_scheduled_total") >= times*float64(n) && counter(t, text, "upheld_probe_results_total", `outcome="bad"`) > 0
		}
	}
	within(t, 2*time.Minute, "an interval to be accounted for", accounted(1))
	if err := e.Apply(targets); err != nil { // a reload in the middle
		t.Fatal(err)
	}
	within(t, 2*time.Minute, "two intervals to be accounted for", accounted(2))
	held := heap() - before
	scrape(t, e.Metrics())
	text := scrape(t, e.Metrics())
	due := float64(n) * (float64(time.Since(began)/interval) + 1) // at most, each on its place of the grid
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	parts := balanced(t, text)
	if parts[probe.Good] > 0 || parts[probe.Bad] == 0 {
		t.Errorf("outcomes: %v", parts)
	}
	if owed := counter(t, text, "upheld_probe_scheduled_total"); owed > due {
		t.Errorf("%v are accounted for, and at most %v were due", owed, due)
	}
	for _, reason := range []probe.Reason{probe.Status, probe.Body, probe.Protocol, probe.DNS, probe.Reset, probe.ConnectRefused} {
		if counter(t, text, "upheld_probe_failures_total", `reason="`+string(reason)+`"`) > 0 {
			t.Errorf("a silent server failed for %s", reason)
		}
	}
	// Each probe has a goroutine and the watch over its connection.
	if most > goroutines+2*slots+100 {
		t.Errorf("%d goroutines for %d slots", most, slots)
	}
	if held > uint64(n)*6000 {
		t.Errorf("%d bytes held for each target", held/uint64(n))
	}
	eventually(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
	t.Logf("%v, at most %d goroutines, %d bytes a target", parts, most, held/uint64(n))
}

// TestReloadsUnderLoad changes targets, intervals and order while probes run
// and scrapes are taken, and checks that the figures within each scrape agree.
func TestReloadsUnderLoad(t *testing.T) {
	url := wellServer(t)
	e := exporter.New(exporter.Options{MaxConcurrency: 20})
	sets := [][2]int{{0, 60}, {20, 80}, {40, 50}, {0, 100}, {0, 0}}
	start(t, e)
	stop := make(chan struct{})
	var scrapers sync.WaitGroup
	for range 2 {
		scrapers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					var body bytes.Buffer
					w := httptest.NewRecorder()
					w.Body = &body
					e.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
					balanced(t, body.String())
				}
			}
		})
	}
	all := manyTargets(100, url, 50*time.Millisecond)
	for i := range 40 {
		set := sets[i%len(sets)]
		targets := manyTargets(100, url, time.Duration(40+10*(i%3))*time.Millisecond)[set[0]:set[1]]
		if err := e.Apply(targets); err != nil {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Millisecond)
	}
	if err := e.Apply(all); err != nil {
		t.Fatal(err)
	}
	eventually(t, "good results of all", func() bool {
		return strings.Count(scrape(t, e.Metrics()), "upheld_probe_last_outcome_good{") == len(all)
	})
	close(stop)
	scrapers.Wait()
	balanced(t, scrape(t, e.Metrics()))
}
