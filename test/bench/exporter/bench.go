//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/upheld-sla/upheld/exporter"
)

const (
	acceptText  = "text/plain;version=0.0.4"
	acceptProto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

type bench struct {
	options
	dir     string
	servers *servers
	bare    time.Duration // the floor for each probe
	goals   []goal
}

// perFile is how many levels go into one file, because the size of files is bounded.
const perFile = 10_000

// check is a probe of one of the servers, as YAML.
func (b *bench) check(kind string, i int) string {
	switch kind {
	case "tcp":
		return fmt.Sprintf("tcp: %q", b.servers.address)
	case "https":
		return fmt.Sprintf("http: \"https://%s/health/%d\", insecureSkipVerify: true", b.servers.secure, i)
	}
	return fmt.Sprintf("http: \"http://%s/health/%d\"", b.servers.address, i)
}

// specificationOf writes n levels with a check each, and returns the folder.
func (b *bench) specificationOf(check func(int) string, n int, interval time.Duration) (string, error) {
	dir, err := os.MkdirTemp(b.dir, "spec-")
	if err != nil {
		return "", err
	}
	for from := 0; from < n; from += perFile {
		var s strings.Builder
		fmt.Fprintf(&s, "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: bench-%d}\nspec:\n  serviceLevels:\n", from/perFile)
		for i := from; i < min(n, from+perFile); i++ {
			fmt.Fprintf(&s, "    - {name: availability, service: storefront-%d, target: \"99\", indicator: {probe: {%s, interval: %s, timeout: %s}}}\n", i, check(i), interval, min(interval, 5*time.Second))
		}
		if err := writeFile(filepath.Join(dir, fmt.Sprintf("bench-%d.yaml", from/perFile)), s.String()); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }

func (b *bench) start(ctx context.Context, kind string, n int, interval time.Duration) (*process, error) {
	path, err := b.specificationOf(func(i int) string { return b.check(kind, i) }, n, interval)
	if err != nil {
		return nil, err
	}
	return launch(ctx, b.exporter, "/-/ready", "--spec.file="+path)
}

// floor is what the kernel and Go's network poller need for a connection with one
// request and its response: no HTTP, no measuring.
func (b *bench) floor(context.Context) ([]row, error) {
	request := []byte("GET / HTTP/1.0\r\n\r\n")
	before := ownCPU()
	for range b.probes {
		conn, err := net.Dial("tcp", b.servers.address)
		if err != nil {
			return nil, err
		}
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			return nil, err
		}
		conn.Close()
	}
	b.bare = (ownCPU() - before) / time.Duration(b.probes)
	return []row{{"CPU of a bare connection, request and answer (the floor)", micros(b.bare), ""}}, nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func micros(d time.Duration) string { return fmt.Sprintf("%d us", d.Microseconds()) }

// load probes many targets, and scrapes them: when each has been probed a few times,
// and again when the memory of results is full.
func (b *bench) load(ctx context.Context) ([]row, error) {
	p, err := b.start(ctx, "http", b.targets, b.interval)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	began := time.Now()
	time.Sleep(b.interval + 2*time.Second) // probes every target once
	quiet := p.share(b.window)
	rate := float64(b.targets) / b.interval.Seconds()
	calm, loading := p.resident(), p.peak()
	p.forgetPeak()
	var rows []row
	for _, format := range formats {
		one, err := p.scrapes(format.accept, quiet)
		if err != nil {
			return nil, err
		}
		all := quiet + one.cpu/b.interval.Seconds()
		over := all - rate*b.bare.Seconds()
		b.promise(atMost(fmt.Sprintf("%d HTTP targets every %s, scraped as often as %s, at most 0.4 cores over the floor", b.targets, b.interval, format.name), over, 0.4, "%.2f cores"))
		rows = append(rows,
			row{fmt.Sprintf("%d HTTP targets every %s, scraped as often as %s", b.targets, b.interval, format.name), fmt.Sprintf("%.2f cores, %.2f over the floor", all, over), ""},
			row{
				fmt.Sprintf("a scrape of them as %s, gzip included", format.name),
				fmt.Sprintf("%.3f s of CPU, %.1f MB, %.1f MB sent", one.cpu, float64(one.size)/1e6, float64(one.sent)/1e6), "",
			},
		)
	}
	after := p.resident()
	time.Sleep(time.Until(began.Add(time.Duration(exporter.RecentResults+1) * b.interval)))
	full := p.resident()
	for _, format := range formats {
		if _, err := p.scrapes(format.accept, quiet); err != nil {
			return nil, err
		}
	}
	most := p.peak()
	b.promise(atMost(fmt.Sprintf("%d HTTP targets within 160 MB resident, also during scrapes", b.targets), float64(most)/1e6, 160, "%.0f MB"))
	rows = append(rows,
		row{"resident before those scrapes, and after", megabytes(calm) + ", " + megabytes(after), ""},
		row{fmt.Sprintf("resident after %d results of each, before as many scrapes, and after", exporter.RecentResults), megabytes(full) + ", " + megabytes(p.resident()), ""},
		row{"resident at most: while the specification is loaded, and during scrapes", megabytes(loading) + ", " + megabytes(most), ""},
	)
	outcomes, err := b.outcomes(p)
	return append(rows, outcomes), err
}

func megabytes(n int) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// formats are those of scrapes.
var formats = []struct{ name, accept string }{{"text", acceptText}, {"protobuf", acceptProto}}

// scraped is the cost of one of several consecutive scrapes.
type scraped struct {
	cpu        float64 // seconds
	size, sent int     // bytes, before gzip and after
}

// scrapes scrapes ten times in a row; quiet is how many cores the process uses
// otherwise.
func (p *process) scrapes(accept string, quiet float64) (one scraped, err error) {
	const times = 10
	began, cpu := time.Now(), p.cpu()
	for range times {
		body, sent, err := p.scrape(accept)
		if err != nil {
			return one, err
		}
		one.size, one.sent = len(body), sent
	}
	one.cpu = ((p.cpu() - cpu).Seconds() - quiet*time.Since(began).Seconds()) / times
	return one, nil
}

// share is how many cores the process uses in the window.
func (p *process) share(window time.Duration) float64 {
	began, cpu := time.Now(), p.cpu()
	time.Sleep(window)
	return (p.cpu() - cpu).Seconds() / time.Since(began).Seconds()
}

func (b *bench) outcomes(p *process) (row, error) {
	var parts []string
	for _, outcome := range []string{"good", "bad", "inconclusive", "missed"} {
		n, err := p.figure("upheld_probe_results_total", `outcome="`+outcome+`"`)
		if err != nil {
			return row{}, err
		}
		if outcome == "bad" {
			text, _, _ := p.scrape(acceptText)
			b.promise(goal{"no false failure from the start on", fmt.Sprintf("%.0f %s", n, reasonsIn(text)), n == 0})
		}
		parts = append(parts, fmt.Sprintf("%.0f %s", n, outcome))
	}
	return row{"what became of their probes since the start, of a healthy server", strings.Join(parts, ", "), ""}, nil
}

// longest is the longest interval that a specification may have.
const longest = 75 * time.Second

// memory measures how much memory an idle target takes. With the longest interval,
// nearly all targets are idle when the process has just started.
func (b *bench) memory(ctx context.Context) ([]row, error) {
	var resident [2]int
	for i, n := range []int{1, b.idle} {
		p, err := b.start(ctx, "http", n, longest)
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Second)
		resident[i] = p.resident()
		p.stop()
	}
	each := float64(resident[1]-resident[0]) / float64(b.idle) / 1e3
	b.promise(atMost("an idle target at most 3 KB resident", each, 3, "%.1f KB"))
	return []row{{fmt.Sprintf("resident for each of %d idle targets", b.idle), fmt.Sprintf("%.1f KB", each), ""}}, nil
}

// reasonsIn returns the reasons in a scrape, each once.
func reasonsIn(text []byte) string {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`reason="([a-z_]+)"`).FindAllSubmatch(text, -1) {
		found[string(m[1])] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}
