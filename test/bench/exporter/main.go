//go:build linux

// Command exporter measures what upheld-exporter costs, as a whole process on this
// machine's loopback, compared with blackbox_exporter. It prints a table in Markdown,
// and which goals were reached; make bench-exporter runs it.
//
// CPU time is user and system time of the measured process, from /proc; the probed
// servers are another process. Both exporters are scraped, too, and their cost is
// printed for each good result. It needs Linux.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

type options struct {
	exporter string
	blackbox string
	targets  int
	interval time.Duration
	window   time.Duration
	idle     int
	probes   int
	rounds   int
	parts    []string
}

func main() {
	if os.Getenv(serverVariable) != "" {
		serveTargets()
		return
	}
	var o options
	flag.StringVar(&o.exporter, "exporter", "bin/upheld-exporter", "`path` of upheld-exporter")
	flag.StringVar(&o.blackbox, "blackbox", "", "`path` of blackbox_exporter; without it there is no comparison")
	flag.IntVar(&o.targets, "targets", 10_000, "targets under load")
	flag.DurationVar(&o.interval, "interval", 10*time.Second, "interval of the targets under load")
	flag.DurationVar(&o.window, "window", 20*time.Second, "how long load is measured")
	flag.IntVar(&o.idle, "idle", 100_000, "idle targets")
	flag.IntVar(&o.probes, "probes", 5000, "probes of which the cost of one is taken")
	flag.IntVar(&o.rounds, "rounds", 3, "how often upheld-exporter and blackbox_exporter are measured in turn, so that what else happens on the machine meets both; the median counts")
	parts := flag.String("parts", "", "`names` of the parts to measure, with commas between; all if empty")
	flag.Parse()
	if *parts != "" {
		o.parts = append(strings.Split(*parts, ","), "the floor") // which other parts are compared with
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct{ what, value, beside string }

func run(ctx context.Context, o options) error {
	servers, err := startServers(ctx)
	if err != nil {
		return err
	}
	defer servers.stop()
	dir, err := os.MkdirTemp("", "bench-exporter-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, servers: servers}
	fmt.Println("| measured | upheld-exporter | blackbox_exporter |\n|---|---|---|")
	began := time.Now()
	for _, part := range []struct {
		name string
		run  func(context.Context) ([]row, error)
	}{
		{"the floor", b.floor},
		{"one HTTP probe", func(ctx context.Context) ([]row, error) { return b.one(ctx, "http") }},
		{"one TCP probe", func(ctx context.Context) ([]row, error) { return b.one(ctx, "tcp") }},
		{"one HTTPS probe", b.secure},
		{"a few targets", b.small},
		{"load and scrapes", b.load},
		{"idle targets", b.memory},
		{"precision", b.precision},
	} {
		if !slices.Contains(o.parts, part.name) && len(o.parts) > 0 {
			continue
		}
		fmt.Fprintf(os.Stderr, "%4.0f s: measuring %s\n", time.Since(began).Seconds(), part.name)
		rows, err := part.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		for _, r := range rows {
			fmt.Printf("| %s | %s | %s |\n", r.what, r.value, cmp.Or(r.beside, "-"))
		}
	}
	fmt.Println()
	for _, g := range b.goals {
		fmt.Println(g)
	}
	return nil
}
