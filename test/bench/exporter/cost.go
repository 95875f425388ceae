//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// cost is what one probe costs a process.
type cost struct {
	cpu    time.Duration
	allocs float64
}

// rounds is how often the two are measured in turn, so that what else happens
// on the machine meets both. The median counts.
const rounds = 3

// pace is probes a second where both are offered the same.
const pace = 500

// clients is how many requests blackbox_exporter is kept busy with where both
// run as much as they can.
const clients = 32

// way is how probes are offered.
type way struct {
	name     string
	own      int  // targets of upheld-exporter, each once a second
	paced    bool // blackbox_exporter gets as many a second; else as many as it answers
	clients  int  // that ask it at once
	promised bool // the goals are of this one
}

// ways are side by side, because none is fair alone: one request after the
// other, blackbox_exporter never sleeps, while a time table wakes up for each
// probe; at the same pace both do; saturated, neither does.
var ways = []way{
	{name: "a time table, beside requests back to back", own: pace, clients: 1, promised: true},
	{name: "500 a second offered to both", own: pace, paced: true, clients: 8},
	{name: "both saturated", own: 10_000, clients: clients},
}

// one is the cost of one probe: everything that the process does, divided by
// the probes.
func (b *bench) one(ctx context.Context, kind string) ([]row, error) {
	var rows []row
	for _, w := range ways {
		var own, other []cost
		for range rounds {
			c, err := b.ownCost(ctx, kind, w)
			if err != nil {
				return nil, err
			}
			own = append(own, c)
			if b.blackbox == "" {
				break
			}
			if c, err = b.blackboxCost(ctx, kind, w); err != nil {
				return nil, err
			}
			other = append(other, c)
		}
		rows = append(rows, b.compare(kind, w, own, other)...)
	}
	return rows, nil
}

func median(all []cost) cost {
	slices.SortFunc(all, func(a, b cost) int { return int(a.cpu - b.cpu) })
	return all[len(all)/2]
}

func (b *bench) compare(kind string, w way, owns, others []cost) []row {
	name, own := strings.ToUpper(kind), median(owns)
	cpu := row{"CPU of one " + name + " probe, " + w.name, micros(own.cpu), ""}
	allocs := row{"allocations of one " + name + " probe", fmt.Sprintf("%.0f", own.allocs), ""}
	if len(others) > 0 {
		other := median(others)
		ratio := float64(own.cpu) / float64(other.cpu)
		cpu.beside = fmt.Sprintf("%s (ours: %.2f of it)", micros(other.cpu), ratio)
		allocs.beside = fmt.Sprintf("%.0f", other.allocs)
		b.promise(atMost("CPU of one "+name+" probe at most 0.3 of blackbox_exporter's, "+w.name, ratio, 0.3, "%.2f"))
	}
	if !w.promised {
		return []row{cpu}
	}
	b.promise(atMost("at most 100 allocations for one "+name+" probe", own.allocs, 100, "%.0f"))
	b.promise(atMost(fmt.Sprintf("CPU of one %s probe at most %d us", name, mostMicros(kind)), float64(own.cpu.Microseconds()), float64(mostMicros(kind)), "%.0f us on this machine"))
	return []row{cpu, allocs}
}

// mostMicros is the goal for the CPU of one probe.
func mostMicros(kind string) int {
	if kind == "http" {
		return 250
	}
	return 120
}

// costTime is how long each is measured.
const costTime = 6 * time.Second

func (b *bench) ownCost(ctx context.Context, kind string, w way) (cost, error) {
	p, err := b.start(ctx, kind, w.own, time.Second)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	time.Sleep(2 * time.Second)
	return p.during(func() (float64, error) { return p.ran() }, func() error { time.Sleep(costTime); return nil })
}

// ran is how many probes ran.
func (p *process) ran() (float64, error) {
	owed, err := p.figure("upheld_probe_owed_total", "")
	if err != nil {
		return 0, err
	}
	missed, err := p.figure("upheld_probe_results_total", `outcome="missed"`)
	return owed - missed, err
}

// during is the cost of each of what is counted while work is done. What the
// scrapes themselves cost is outside.
func (p *process) during(count func() (float64, error), work func() error) (cost, error) {
	mallocs, err := p.figure("go_memstats_mallocs_total", "")
	if err != nil {
		return cost{}, err
	}
	n, err := count()
	if err != nil {
		return cost{}, err
	}
	cpu := p.cpu()
	if err := work(); err != nil {
		return cost{}, err
	}
	cpu = p.cpu() - cpu
	after, err := count()
	if err != nil {
		return cost{}, err
	}
	mallocsAfter, err := p.figure("go_memstats_mallocs_total", "")
	if err != nil {
		return cost{}, err
	}
	return cost{time.Duration(float64(cpu) / (after - n)), (mallocsAfter - mallocs) / (after - n)}, nil
}

// blackboxCost asks blackbox_exporter for probes as Prometheus would, over
// connections that are kept.
func (b *bench) blackboxCost(ctx context.Context, kind string, w way) (cost, error) {
	p, err := b.launchBlackbox(ctx)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	p.client.Transport.(*http.Transport).MaxIdleConnsPerHost = w.clients
	target := b.servers.address
	if kind == "http" {
		target = "http://" + target + "/health"
	}
	query := p.url + "/probe?" + url.Values{"module": {kind}, "target": {target}}.Encode()
	var mu sync.Mutex
	asked, failed := 0, error(nil)
	mallocs, err := p.figure("go_memstats_mallocs_total", "")
	if err != nil {
		return cost{}, err
	}
	cpu, began := p.cpu(), time.Now()
	var all sync.WaitGroup
	for i := range w.clients {
		all.Go(func() {
			for n := 0; time.Since(began) < costTime; n++ {
				if w.paced {
					due := began.Add(time.Duration(n*w.clients+i) * time.Second / pace)
					time.Sleep(time.Until(due))
				}
				_, err := p.ask(query)
				mu.Lock()
				if asked++; err != nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	cpu = p.cpu() - cpu
	if failed != nil {
		return cost{}, failed
	}
	after, err := p.figure("go_memstats_mallocs_total", "")
	return cost{cpu / time.Duration(asked), (after - mallocs) / float64(asked)}, err
}

// secure is the cost of HTTPS beside a bare client of net/http.
func (b *bench) secure(ctx context.Context) ([]row, error) {
	const perSecond = 100
	var ratios []float64
	var own, bare []cost
	for range rounds {
		c, err := b.ownCost(ctx, "https", way{own: perSecond})
		if err != nil {
			return nil, err
		}
		client, err := b.bareClient(perSecond)
		if err != nil {
			return nil, err
		}
		own, bare = append(own, c), append(bare, cost{cpu: client})
		ratios = append(ratios, float64(c.cpu)/float64(client))
	}
	slices.Sort(ratios)
	ratio := ratios[len(ratios)/2]
	b.promise(atMost("HTTPS at most 1.2 of a bare client in Go", ratio, 1.2, "%.2f"))
	return []row{{"CPU of one HTTPS probe; of a bare client of net/http at the same pace", fmt.Sprintf("%s; %s (ours: %.2f of it)", micros(median(own).cpu), micros(median(bare).cpu), ratio), ""}}, nil
}

// bareClient is the CPU that one request takes, with a connection of its own.
func (b *bench) bareClient(perSecond int) (time.Duration, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // of a test server
	}}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	cpu, n := ownCPU(), 0
	for began := time.Now(); time.Since(began) < costTime; n++ {
		<-tick.C
		answer, err := client.Get("https://" + b.servers.secure)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil {
			return 0, err
		}
	}
	return (ownCPU() - cpu) / time.Duration(n), nil
}
