//go:build linux

// Command report measures what `upheld report` costs for a month of samples: time, CPU
// and memory, by remote read and by queries, from a Prometheus on this machine's
// loopback. make bench-report runs it. It prints a table in Markdown. It needs Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
)

type options struct {
	upheld, prometheus string
	levels, locations  int
	days               int
}

const scrape = 15 * time.Second

// last is the end of the period, the same in every run.
var last = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

func main() {
	var o options
	flag.StringVar(&o.upheld, "upheld", "bin/upheld", "`path` of upheld")
	flag.StringVar(&o.prometheus, "prometheus", "bin/tools/prometheus", "`path` of prometheus")
	flag.IntVar(&o.levels, "levels", 20, "levels, of one probe each")
	flag.IntVar(&o.locations, "locations", 3, "locations of each probe, of two series each")
	flag.IntVar(&o.days, "days", 30, "days of the period")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "bench-report-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	n, err := store(ctx, filepath.Join(dir, "data"), o)
	if err != nil {
		return fmt.Errorf("samples cannot be stored: %w", err)
	}
	spec := filepath.Join(dir, "spec.yaml")
	if err := os.WriteFile(spec, []byte(specification(o)), 0o600); err != nil {
		return err
	}
	server, stop, err := start(ctx, o.prometheus, dir)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("%d levels with %d locations, %d days of samples every %s: %.1f million samples in the period\n\n", o.levels, o.locations, o.days, scrape, float64(n)/1e6)
	fmt.Println("| read by | time | CPU of upheld | its memory | million samples a second |\n|---|---|---|---|---|")
	for _, by := range []struct {
		name string
		args []string
	}{{"remote read", nil}, {"queries (JSON)", []string{"--prometheus.remote-read=false"}}} {
		if err := report(ctx, o, by.name, n, append([]string{
			"report", spec, "--prometheus.url=" + server,
			fmt.Sprintf("--period=%dd to %s", o.days, last.Format(time.DateOnly)), "--format=json",
		}, by.args...)); err != nil {
			return err
		}
	}
	return nil
}

// specification is one agreement with the levels.
func specification(o options) string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: bench}\nspec:\n  serviceLevels:\n")
	for i := range o.levels {
		fmt.Fprintf(&b, "    - {name: up, service: s%d, indicator: {probe: {http: \"https://s%d.example/\", interval: 15s}}, target: \"99.9\", period: %dd}\n", i, i, o.days)
	}
	return b.String()
}

// store writes the samples of the period and some hours around it, as blocks of two
// days. A target is down for some minutes a day, at one location after another.
func store(ctx context.Context, dir string, o options) (inPeriod int, err error) {
	type counter struct {
		of    labels.Labels
		place int
		good  bool
		n     float64
	}
	var counters []*counter
	for level := range o.levels {
		for location := range o.locations {
			for _, outcome := range []string{"good", "bad"} {
				counters = append(counters, &counter{place: level + location, good: outcome == "good", of: labels.FromStrings(
					labels.MetricName, "upheld_probe_results_total", "job", "upheld", "instance", fmt.Sprintf("l%d:9710", location),
					"sla", "bench", "service", fmt.Sprintf("s%d", level), "slo", "up", "target", fmt.Sprintf("https://s%d.example/", level),
					"location", fmt.Sprintf("l%d", location), "outcome", outcome)})
			}
		}
	}
	first, end := last.AddDate(0, 0, -o.days), last.Add(3*time.Hour)
	for t := first.Add(-3 * time.Hour); t.Before(end); {
		until := t.Truncate(48 * time.Hour).Add(48 * time.Hour)
		if until.After(end) {
			until = end
		}
		w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, (48 * time.Hour).Milliseconds())
		if err != nil {
			return 0, err
		}
		for at := t; at.Before(until); at = at.Add(scrape) {
			app := w.Appender(ctx)
			for _, c := range counters {
				if down := at.Hour() == c.place%24 && at.Minute() < 5; down != c.good {
					c.n++
				}
				if _, err := app.Append(0, c.of, at.UnixMilli(), c.n); err != nil {
					return 0, err
				}
				if !at.Before(first) && at.Before(last) {
					inPeriod++
				}
			}
			if err := app.Commit(); err != nil {
				return 0, err
			}
		}
		if _, err := w.Flush(ctx); err != nil {
			return 0, err
		}
		if err := w.Close(); err != nil {
			return 0, err
		}
		t = until
	}
	return inPeriod, nil
}

// start runs a server with the stored samples.
func start(ctx context.Context, path, dir string) (server string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := listener.Addr().String()
	listener.Close()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {scrape_interval: 15s}\n"), 0o600); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, path, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--storage.tsdb.retention.time=100y")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		_ = cmd.Wait()
	}
	for range 240 {
		if r, err := http.Get("http://" + address + "/-/ready"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return "http://" + address, stop, nil
			}
		}
		time.Sleep(250 * time.Millisecond)
	}
	stop()
	return "", nil, errors.New("prometheus is not ready within a minute")
}

// report runs upheld and prints a line of the table.
func report(ctx context.Context, o options, name string, samples int, args []string) error {
	cmd := exec.CommandContext(ctx, o.upheld, args...)
	cmd.Stdout = io.Discard
	var notes strings.Builder
	cmd.Stderr = &notes
	begun := time.Now()
	err := cmd.Run()
	took := time.Since(begun)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) { // 3: an agreement was breached
		return fmt.Errorf("%s: %w\n%s", name, err, notes.String())
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Printf("| %s | %.1f s | %.1f s | %d MB | %.1f |\n", name, took.Seconds(), cpu.Seconds(), used.Maxrss>>10, float64(samples)/1e6/took.Seconds())
	return nil
}
