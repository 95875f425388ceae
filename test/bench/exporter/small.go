//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A small user's targets, and how long they are measured, after a scrape to warm up.
const (
	smallTargets  = 5
	smallInterval = 15 * time.Second
	smallScrapes  = 12
)

// small measures what a few targets cost, including scrapes. Both exporters are
// measured at the same time, so that other load on the machine affects both.
func (b *bench) small(ctx context.Context) ([]row, error) {
	own, err := b.start(ctx, "http", smallTargets, smallInterval)
	if err != nil {
		return nil, err
	}
	defer own.stop()
	var other *process
	if b.blackbox != "" {
		if other, err = b.launchBlackbox(ctx); err != nil {
			return nil, err
		}
		defer other.stop()
		stop := other.askRegularly(other.probeQuery("http", b.servers.address), smallTargets, smallInterval)
		defer stop()
	}
	time.Sleep(smallInterval)
	var texts [2]string
	var perMinute [2]float64 // ms of CPU
	var faults [2]error
	var both sync.WaitGroup
	for i, p := range []*process{own, other} {
		if p == nil {
			continue
		}
		both.Go(func() {
			cpu, began := p.cpu(), time.Now()
			for n := range smallScrapes {
				time.Sleep(time.Until(began.Add(time.Duration(n+1) * smallInterval)))
				if _, _, err := p.scrape(acceptText); err != nil {
					faults[i] = err
					return
				}
			}
			perMinute[i] = float64((p.cpu() - cpu).Microseconds()) / 1e3 / time.Since(began).Minutes()
			texts[i] = fmt.Sprintf("%.1f ms of CPU a minute, %s resident", perMinute[i], megabytes(p.resident()))
		})
	}
	both.Wait()
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	if other != nil {
		ratio := perMinute[0] / perMinute[1]
		texts[1] += fmt.Sprintf(" (ours: %.2f of the CPU)", ratio)
		b.promise(atMost("a few targets take no more CPU than with blackbox_exporter", ratio, 1, "%.2f"))
	}
	return []row{{fmt.Sprintf("%d HTTP targets every %s, scraped as often", smallTargets, smallInterval), texts[0], texts[1]}}, nil
}

// askRegularly requests n probes from blackbox_exporter in each interval, evenly
// spread, until the returned function is called.
func (p *process) askRegularly(query string, n int, interval time.Duration) (stop func()) {
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		tick := time.NewTicker(interval / time.Duration(n))
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_, _ = p.ask(query)
			}
		}
	})
	return func() {
		close(done)
		asking.Wait()
	}
}
