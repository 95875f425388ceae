//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cost is what one good result costs a process, including scrapes.
type cost struct {
	cpu    time.Duration
	allocs float64
	rate   float64 // good results a second
}

// pace is how many probes a second both exporters get at the same pace.
const pace = 500

// every is the interval between scrapes of both exporters. At the same pace it is also
// the interval of the targets: blackbox_exporter returns each result to the server at
// once, so each result of upheld-exporter is scraped as well.
const every = 5 * time.Second

// scrapes is how many scrapes the cost is measured for, after one to warm up.
const scrapes = 2

// way is how probes are requested.
type way struct {
	name     string
	targets  int // of upheld-exporter
	interval time.Duration
	paced    bool // blackbox_exporter gets as many requests a second as pace, otherwise as many as it answers
	clients  int  // concurrent clients of it
	goal     bool
}

// ways are all measured, because none is fair alone: at the same pace both exporters
// sleep between probes and are woken for each, as in production; back to back,
// blackbox_exporter never sleeps; saturated, neither does.
var ways = []way{
	{name: "the same pace", targets: pace * int(every/time.Second), interval: every, paced: true, clients: 8, goal: true},
	{name: "requests back to back", targets: pace * int(every/time.Second), interval: every, clients: 1},
	{name: "both saturated", targets: 10_000, interval: time.Second, clients: 32},
}

// one is the cost of one probe: everything that the process does, divided by the good
// results.
func (b *bench) one(ctx context.Context, kind string) ([]row, error) {
	var rows []row
	for _, w := range ways {
		var own, other []cost
		for range b.rounds {
			c, err := b.ownCost(ctx, kind, w.targets, w.interval)
			if err != nil {
				return nil, err
			}
			own = append(own, c)
			if b.blackbox == "" {
				continue
			}
			if c, err = b.blackboxCost(ctx, kind, w); err != nil {
				return nil, err
			}
			other = append(other, c)
		}
		rows = append(rows, b.compare(kind, w, median(own), other))
	}
	return rows, nil
}

func median(all []cost) cost {
	slices.SortFunc(all, func(a, b cost) int { return int(a.cpu - b.cpu) })
	return all[len(all)/2]
}

func (b *bench) compare(kind string, w way, own cost, others []cost) row {
	name := strings.ToUpper(kind)
	r := row{"CPU of a good " + name + " probe, " + w.name, own.String(), ""}
	if len(others) == 0 {
		return r
	}
	other := median(others)
	ratio := float64(own.cpu) / float64(other.cpu)
	r.beside = fmt.Sprintf("%s (ours: %.2f of it)", other, ratio)
	if w.goal {
		b.promise(atMost("CPU of a good "+name+" probe at most 0.4 of blackbox_exporter's at the same pace", ratio, 0.4, "%.2f"))
	}
	return r
}

func (c cost) String() string {
	return fmt.Sprintf("%s, %.0f allocations, %.0f a second", micros(c.cpu), c.allocs, c.rate)
}

// ownCost is the cost of a good result of upheld-exporter.
func (b *bench) ownCost(ctx context.Context, kind string, targets int, interval time.Duration) (cost, error) {
	p, err := b.start(ctx, kind, targets, interval)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	time.Sleep(every)
	return p.measure(every, scrapes, goodResults)
}

// goodResults is how many good results a scrape of upheld-exporter has.
func goodResults(scrape []byte) (float64, error) {
	return sum(scrape, "upheld_probe_results_total", `outcome="good"`)
}

// measure scrapes a running process several times, and divides what it uses meanwhile
// by the good results that arrive.
func (p *process) measure(interval time.Duration, times int, good func(scrape []byte) (float64, error)) (cost, error) {
	count := func() (n, mallocs float64, err error) {
		text, _, err := p.scrape(acceptText)
		if err != nil {
			return 0, 0, err
		}
		n, failed := good(text)
		mallocs, err = sum(text, "go_memstats_mallocs_total", "")
		return n, mallocs, errors.Join(failed, err)
	}
	n, mallocs, err := count()
	if err != nil {
		return cost{}, err
	}
	cpu, began := p.cpu(), time.Now()
	var after, mallocsAfter float64
	for i := range times {
		time.Sleep(time.Until(began.Add(time.Duration(i+1) * interval)))
		if after, mallocsAfter, err = count(); err != nil {
			return cost{}, err
		}
	}
	cpu, took, more := p.cpu()-cpu, time.Since(began), after-n
	if more == 0 {
		return cost{}, errors.New("no result was good")
	}
	return cost{time.Duration(float64(cpu) / more), (mallocsAfter - mallocs) / more, more / took.Seconds()}, nil
}

// blackboxCost is the cost of a good result of blackbox_exporter, requested as by
// Prometheus, over connections that are kept.
func (b *bench) blackboxCost(ctx context.Context, kind string, w way) (cost, error) {
	p, err := b.launchBlackbox(ctx)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	p.client.Transport.(*http.Transport).MaxIdleConnsPerHost = w.clients + 1
	query := p.probeQuery(kind, b.servers.address)
	var good atomic.Int64
	began, done := time.Now(), make(chan struct{})
	var all sync.WaitGroup
	for i := range w.clients {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				if w.paced {
					time.Sleep(time.Until(began.Add(time.Duration(n*w.clients+i) * time.Second / pace)))
				}
				if _, err := p.ask(query); err == nil {
					good.Add(1)
				}
			}
		})
	}
	defer all.Wait()
	defer close(done)
	time.Sleep(every)
	return p.measure(every, scrapes, func([]byte) (float64, error) { return float64(good.Load()), nil })
}

// probeQuery is the query to blackbox_exporter for a probe of an address.
func (p *process) probeQuery(kind, address string) string {
	target := address
	if kind == "http" {
		target = "http://" + target + "/health"
	}
	return p.url + "/probe?" + url.Values{"module": {kind}, "target": {target}}.Encode()
}

// secure is the cost of HTTPS compared with a bare client of net/http.
func (b *bench) secure(ctx context.Context) ([]row, error) {
	const perSecond = 100
	var ratios []float64
	var own, bare []cost
	for range b.rounds {
		c, err := b.ownCost(ctx, "https", perSecond*int(every/time.Second), every)
		if err != nil {
			return nil, err
		}
		client, err := b.bareClient(perSecond, scrapes*every)
		if err != nil {
			return nil, err
		}
		own, bare = append(own, c), append(bare, cost{cpu: client})
		ratios = append(ratios, float64(c.cpu)/float64(client))
	}
	slices.Sort(ratios)
	ratio := ratios[len(ratios)/2]
	b.promise(atMost("HTTPS at most 1.1 of a bare client in Go", ratio, 1.1, "%.2f"))
	return []row{{"CPU of a good HTTPS probe; of a bare client of net/http at the same pace", fmt.Sprintf("%s; %s (ours: %.2f of it)", micros(median(own).cpu), micros(median(bare).cpu), ratio), ""}}, nil
}

// bareClient is the CPU time of one request with its own connection.
func (b *bench) bareClient(perSecond int, window time.Duration) (time.Duration, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // of a test server
	}}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	cpu, n := ownCPU(), 0
	for began := time.Now(); time.Since(began) < window; n++ {
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
