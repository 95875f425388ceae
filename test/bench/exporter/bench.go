package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	acceptText  = "text/plain;version=0.0.4"
	acceptProto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

type bench struct {
	options
	dir     string
	servers *servers
	bare    time.Duration // what the floor is, a probe
}

// perFile is how many levels go into one file: those have a bound on size.
const perFile = 10_000

// specification writes n levels that probe the servers, and gives the folder.
func (b *bench) specification(kind string, n int, interval time.Duration) (string, error) {
	dir, err := os.MkdirTemp(b.dir, "spec-")
	if err != nil {
		return "", err
	}
	for from := 0; from < n; from += perFile {
		var s strings.Builder
		fmt.Fprintf(&s, "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: bench-%d}\nspec:\n  serviceLevels:\n", from/perFile)
		for i := from; i < min(n, from+perFile); i++ {
			target := fmt.Sprintf("http: \"http://%s/health/%d\"", b.servers.address, i)
			if kind == "tcp" {
				target = fmt.Sprintf("tcp: %q", b.servers.address)
			}
			fmt.Fprintf(&s, "    - {name: availability, service: storefront-%d, target: \"99\", indicator: {probe: {%s, interval: %s, timeout: %s}}}\n", i, target, interval, min(interval, 5*time.Second))
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("bench-%d.yaml", from/perFile)), []byte(s.String()), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func (b *bench) start(ctx context.Context, kind string, n int, interval time.Duration) (*process, error) {
	path, err := b.specification(kind, n, interval)
	if err != nil {
		return nil, err
	}
	return launch(ctx, b.exporter, "/-/ready", "--spec.file="+path)
}

// floor is what the kernel and Go's network poller cost for a connection with
// one request and its answer: no HTTP, no measuring.
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

// cost is what one probe costs a process.
type cost struct {
	cpu    time.Duration
	allocs float64
}

// one is the cost of one probe: everything that the process does, divided by
// the probes.
func (b *bench) one(ctx context.Context, kind string) ([]row, error) {
	own, err := b.ownCost(ctx, kind)
	if err != nil {
		return nil, err
	}
	name := strings.ToUpper(kind)
	cpu, allocs := row{"CPU of one " + name + " probe", micros(own.cpu), ""}, row{"allocations of one " + name + " probe", fmt.Sprintf("%.0f", own.allocs), ""}
	if b.blackbox != "" {
		other, err := b.blackboxCost(ctx, kind)
		if err != nil {
			return nil, err
		}
		cpu.beside = fmt.Sprintf("%s (ours: %.2f of it)", micros(other.cpu), float64(own.cpu)/float64(other.cpu))
		allocs.beside = fmt.Sprintf("%.0f", other.allocs)
	}
	return []row{cpu, allocs}, nil
}

func (b *bench) ownCost(ctx context.Context, kind string) (cost, error) {
	const seconds = 10
	p, err := b.start(ctx, kind, b.probes/seconds, time.Second)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	time.Sleep(2 * time.Second)
	return p.during("upheld_probe_owed_total", func() error { time.Sleep(seconds * time.Second); return nil })
}

// during is the cost of each of what a counter counts while work is done.
// What the two scrapes themselves cost is outside.
func (p *process) during(counter string, work func() error) (cost, error) {
	mallocs, err := p.figure("go_memstats_mallocs_total", "")
	if err != nil {
		return cost{}, err
	}
	n, err := p.figure(counter, "")
	if err != nil {
		return cost{}, err
	}
	cpu := p.cpu()
	if err := work(); err != nil {
		return cost{}, err
	}
	cpu = p.cpu() - cpu
	after, err := p.figure(counter, "")
	if err != nil {
		return cost{}, err
	}
	mallocsAfter, err := p.figure("go_memstats_mallocs_total", "")
	if err != nil {
		return cost{}, err
	}
	return cost{time.Duration(float64(cpu) / (after - n)), (mallocsAfter - mallocs) / (after - n)}, nil
}

// blackboxCost asks blackbox_exporter for probes as a Prometheus would, over
// kept-alive connections.
func (b *bench) blackboxCost(ctx context.Context, kind string) (cost, error) {
	config := filepath.Join(b.dir, "blackbox.yml")
	modules := "modules:\n  http: {prober: http, timeout: 1s}\n  tcp: {prober: tcp, timeout: 1s}\n"
	if err := os.WriteFile(config, []byte(modules), 0o644); err != nil {
		return cost{}, err
	}
	p, err := launch(ctx, b.blackbox, "/-/healthy", "--config.file="+config, "--log.level=error")
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	target := b.servers.address
	if kind == "http" {
		target = "http://" + target + "/health"
	}
	query := p.url + "/probe?" + url.Values{"module": {kind}, "target": {target}}.Encode()
	n := b.probes / 2
	mallocs, err := p.figure("go_memstats_mallocs_total", "")
	if err != nil {
		return cost{}, err
	}
	cpu := p.cpu()
	for range n {
		answer, err := p.client.Get(query)
		if err != nil {
			return cost{}, err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || !strings.Contains(string(text), "probe_success 1\n") {
			return cost{}, fmt.Errorf("a probe failed: %w: %s", err, text)
		}
	}
	cpu = p.cpu() - cpu
	after, err := p.figure("go_memstats_mallocs_total", "")
	return cost{cpu / time.Duration(n), (after - mallocs) / float64(n)}, err
}

// load probes many targets, and then scrapes them as well.
func (b *bench) load(ctx context.Context) ([]row, error) {
	p, err := b.start(ctx, "http", b.targets, b.interval)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	time.Sleep(b.interval + 2*time.Second) // every target once
	quiet := p.share(b.window)
	rate := float64(b.targets) / b.interval.Seconds()
	calm := p.memory("VmRSS")
	rows := []row{
		{fmt.Sprintf("%d HTTP targets every %s", b.targets, b.interval), fmt.Sprintf("%.2f cores, %.2f over the floor", quiet, quiet-rate*b.bare.Seconds()), ""},
	}
	for _, format := range []struct{ name, accept string }{{"text", acceptText}, {"protobuf", acceptProto}} {
		const scrapes = 10
		var size, sent int
		began, cpu := time.Now(), p.cpu()
		for range scrapes {
			body, n, err := p.scrape(format.accept)
			if err != nil {
				return nil, err
			}
			size, sent = len(body), n
		}
		spent := (p.cpu() - cpu).Seconds() - quiet*time.Since(began).Seconds()
		rows = append(rows, row{
			fmt.Sprintf("a scrape of them as %s, gzip included", format.name),
			fmt.Sprintf("%.3f s of CPU, %.1f MB, %.1f MB sent", spent/scrapes, float64(size)/1e6, float64(sent)/1e6), "",
		})
	}
	rows = append(rows, row{"resident before those scrapes, and after", fmt.Sprintf("%.0f MB, %.0f MB", float64(calm)/1e6, float64(p.memory("VmRSS"))/1e6), ""})
	outcomes, err := b.outcomes(p)
	return append(rows, outcomes), err
}

// share is the cores that the process uses in the window.
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
		if outcome == "bad" && n > 0 {
			text, _, _ := p.scrape(acceptText)
			return row{}, fmt.Errorf("%w: %.0f times: %s", errFalseFailures, n, reasonsIn(text))
		}
		parts = append(parts, fmt.Sprintf("%.0f %s", n, outcome))
	}
	return row{"what became of their probes since the start, of a healthy server", strings.Join(parts, ", "), ""}, nil
}

// longest is the longest interval that a specification may have.
const longest = 75 * time.Second

// memory is what a target takes that is not being probed: nearly all of them,
// when the interval is the longest and the process has just begun.
func (b *bench) memory(ctx context.Context) ([]row, error) {
	var resident [2]int
	for i, n := range []int{1, b.idle} {
		p, err := b.start(ctx, "http", n, longest)
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Second)
		resident[i] = p.memory("VmRSS")
		p.stop()
	}
	return []row{{fmt.Sprintf("resident for each of %d idle targets", b.idle), fmt.Sprintf("%.1f KB", float64(resident[1]-resident[0])/float64(b.idle)/1e3), ""}}, nil
}

// reasonsIn is the reasons that a scrape tells, each once.
func reasonsIn(text []byte) string {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`reason="([a-z_]+)"`).FindAllSubmatch(text, -1) {
		found[string(m[1])] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}
