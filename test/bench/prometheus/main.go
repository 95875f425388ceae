//go:build linux

// Command prometheus measures what generated rules cost a Prometheus server that
// evaluates them: memory, CPU, the time of rule groups and missed evaluations.
// Everything runs on this machine's loopback; make bench-prometheus runs it. It prints
// a table in Markdown. It needs Linux.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	upheld, prometheus string
	levels             int
	groups             string
	window             time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.upheld, "upheld", "bin/upheld", "`path` of upheld")
	flag.StringVar(&o.prometheus, "prometheus", "bin/tools/prometheus", "`path` of prometheus")
	flag.IntVar(&o.levels, "levels", 10_000, "service levels, of two series each")
	flag.StringVar(&o.groups, "group-sizes", "0,1000", "values of --rules.group-size to compare")
	flag.DurationVar(&o.window, "window", 6*time.Minute, "how long each is measured, after as long as the first evaluations need")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Println("| --rules.group-size | groups | rules | memory | CPU | slowest group | all groups, a minute | missed |\n|---|---|---|---|---|---|---|---|")
	for size := range strings.SplitSeq(o.groups, ",") {
		if err := measure(ctx, o, size); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

// specification is one agreement with the levels.
func specification(levels int) string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: bench}\nspec:\n  serviceLevels:\n")
	for i := range levels {
		fmt.Fprintf(&b, `    - name: requests
      service: s%[1]d
      indicator: {events: {bad: 'requests_total{service="s%[1]d",code="500"}', total: 'requests_total{service="s%[1]d"}'}}
      target: "99.9"
`, i)
	}
	return b.String()
}

// services answers scrapes with two counters for each level.
func services(levels int) http.Handler {
	begun := time.Now()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(time.Since(begun).Seconds())
		out := bufio.NewWriter(w)
		defer out.Flush()
		fmt.Fprintln(out, "# TYPE requests_total counter")
		for i := range levels {
			fmt.Fprintf(out, "requests_total{service=\"s%d\",code=\"200\"} %d\nrequests_total{service=\"s%d\",code=\"500\"} %d\n", i, n*(100+i%7), i, n*(i%3)/100)
		}
	})
}

const config = `
global: {scrape_interval: 15s, evaluation_interval: 1m}
rule_files: [%q]
scrape_configs:
  - job_name: services
    scrape_timeout: 14s
    static_configs: [{targets: [%q]}]
`

func measure(ctx context.Context, o options, size string) (err error) {
	dir, err := os.MkdirTemp("", "bench-prometheus-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	target := httptest.NewServer(services(o.levels))
	defer target.Close()
	if err := os.WriteFile(filepath.Join(dir, "spec.yaml"), []byte(specification(o.levels)), 0o600); err != nil {
		return err
	}
	generate := exec.CommandContext(ctx, o.upheld, "generate", filepath.Join(dir, "spec.yaml"), "-o", dir, "--rules.group-size="+size)
	if out, err := generate.CombinedOutput(); err != nil {
		return fmt.Errorf("generate: %w\n%s", err, out)
	}
	text := fmt.Sprintf(config, filepath.Join(dir, "rules", "*.yaml"), target.Listener.Addr())
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(text), 0o600); err != nil {
		return err
	}
	server, stop, err := start(ctx, o.prometheus, dir)
	if err != nil {
		return err
	}
	defer stop()
	// The last groups begin within their interval of five minutes.
	if err := wait(ctx, 5*time.Minute); err != nil {
		return err
	}
	before, err := read(server)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := wait(ctx, o.window); err != nil {
		return err
	}
	after, err := read(server)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %.0f | %.0f | %.2f GB | %.2f cores | %.2f s | %.1f s | %.0f of %.0f |\n", size, after.groups, after.rules,
		after.memory/1e9, (after.cpu-before.cpu)/time.Since(begun).Seconds(), after.slowest, after.evaluating,
		after.missed-before.missed, after.iterations-before.iterations)
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// readyWithin is how long a server may take to load its rules: those of 10,000 levels
// have taken eight minutes on two busy cores.
const readyWithin = 30 * time.Minute

// start runs a server until stop, and waits until it is ready.
func start(ctx context.Context, path, dir string) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(path, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		_ = cmd.Wait()
		_ = log.Close()
	}
	for end := time.Now().Add(readyWithin); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Second) {
		if answer, err := http.Get("http://" + address + "/-/ready"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return "http://" + address, stop, nil
			}
		}
	}
	stop()
	written, _ := os.ReadFile(log.Name())
	return "", nil, fmt.Errorf("%s does not answer; its log:\n%s", path, written)
}

// figures are a server's metrics about itself.
type figures struct {
	groups, rules, memory, cpu, slowest, missed, iterations float64
	evaluating                                              float64 // seconds of evaluations a minute
}

// read takes the figures from the server's own metrics.
func read(server string) (figures, error) {
	answer, err := http.Get(server + "/metrics")
	if err != nil {
		return figures{}, err
	}
	defer answer.Body.Close()
	var f figures
	durations, intervals := map[string]float64{}, map[string]float64{} // by group
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, ok := sample(lines.Text())
		if !ok {
			continue
		}
		base, group, _ := strings.Cut(name, "{")
		switch base {
		case "process_resident_memory_bytes":
			f.memory = value
		case "process_cpu_seconds_total":
			f.cpu = value
		case "prometheus_rule_group_rules":
			f.groups, f.rules = f.groups+1, f.rules+value
		case "prometheus_rule_group_last_duration_seconds":
			f.slowest = max(f.slowest, value)
			durations[group] = value
		case "prometheus_rule_group_interval_seconds":
			intervals[group] = value
		case "prometheus_rule_group_iterations_missed_total":
			f.missed += value
		case "prometheus_rule_group_iterations_total":
			f.iterations += value
		}
	}
	for group, seconds := range durations {
		f.evaluating += seconds * 60 / intervals[group]
	}
	return f, lines.Err()
}

// sample splits a line of the text format.
func sample(line string) (name string, value float64, ok bool) {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 || strings.HasPrefix(line, "#") {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(line[at+1:], 64)
	return line[:at], value, err == nil
}
