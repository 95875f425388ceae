//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// timing is one probe: the measured duration, and the server's time by its own clock.
type timing struct {
	measured time.Duration
	real     span
	marked   bool // the exporter says that it was late
}

// bound is how far a duration may be wrong.
func (t timing) bound() time.Duration { return max(t.real.least/20, 2*time.Millisecond) }

func (t timing) off() time.Duration { return max(t.measured-t.real.most, t.real.least-t.measured, 0) }

// precision compares measured durations with the own measurements of a server, with few
// probes in flight and with 200.
func (b *bench) precision(ctx context.Context) ([]row, error) {
	var rows []row
	for _, inFlight := range []int{20, 200} {
		own, err := b.ownTimings(ctx, inFlight)
		if err != nil {
			return nil, err
		}
		var other []timing
		if b.blackbox != "" {
			if other, err = b.blackboxTimings(ctx, inFlight); err != nil {
				return nil, err
			}
		}
		under := fmt.Sprintf("%d probes in flight of a server that takes 50 ms: ", inFlight)
		rows = append(rows, row{under + "it took, by its own clock", distribution(own, taken), distribution(other, taken)},
			row{under + "measured", distribution(own, measured), distribution(other, measured)},
			row{under + "marked as not known, and the others off by more than 5 % and 2 ms", verdicts(own), verdicts(other)})
		sure := slices.DeleteFunc(slices.Clone(own), func(t timing) bool { return t.marked })
		wrong := 0
		for _, t := range sure {
			if t.off() > t.bound() {
				wrong++
			}
		}
		b.promise(goal{
			fmt.Sprintf("with %d probes in flight every duration is within 5 %% or 2 ms, or marked", inFlight),
			fmt.Sprintf("%d of %d are neither, %d are marked", wrong, len(own), len(own)-len(sure)), wrong == 0 && len(own) > 0,
		})
	}
	return rows, nil
}

func measured(t timing) time.Duration { return t.measured }
func taken(t timing) time.Duration    { return t.real.least }

// distribution prints the least value, the median and the high percentiles.
func distribution(all []timing, of func(timing) time.Duration) string {
	if len(all) == 0 {
		return "-"
	}
	sorted := make([]time.Duration, len(all))
	for i, t := range all {
		sorted[i] = of(t)
	}
	slices.Sort(sorted)
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))].Seconds() * 1e3 }
	return fmt.Sprintf("min %.1f, p50 %.1f, p90 %.1f, p99 %.1f ms", at(0), at(0.5), at(0.9), at(0.99))
}

func verdicts(all []timing) string {
	if len(all) == 0 {
		return "-"
	}
	marked, wrong, worst := 0, 0, time.Duration(0)
	for _, t := range all {
		switch {
		case t.marked:
			marked++
		case t.off() > t.bound():
			wrong++
			worst = max(worst, t.off())
		}
	}
	text := fmt.Sprintf("%d of %d, and %d", marked, len(all), wrong)
	if wrong > 0 {
		text += fmt.Sprintf(", by up to %.1f ms", worst.Seconds()*1e3)
	}
	return text
}

// precisionTime is how long each run takes.
const precisionTime = 12 * time.Second

// ownTimings reads the durations from the log, which has every result at level debug.
func (b *bench) ownTimings(ctx context.Context, inFlight int) ([]timing, error) {
	if _, err := b.served(); err != nil { // drop earlier ones
		return nil, err
	}
	n := int(float64(inFlight) / delay.Seconds()) // probes a second
	path, err := b.specificationOf(func(i int) string { return fmt.Sprintf("http: \"http://%s/p/%d\"", b.servers.delayed, i) }, n, time.Second)
	if err != nil {
		return nil, err
	}
	p, err := launch(ctx, b.exporter, "/-/ready", "--spec.file="+path, "--log.level=debug")
	if err != nil {
		return nil, err
	}
	time.Sleep(precisionTime)
	p.stop()
	taken, err := b.served()
	if err != nil {
		return nil, err
	}
	of, broken := map[string][]timing{}, map[string]bool{}
	result := regexp.MustCompile(`msg="probe result" .*target=http://[^/ ]+(/p/\d+) outcome=(\S+) .*detail=("[^"]*"|\S*) duration=(\S+)`)
	for lines := bufio.NewScanner(strings.NewReader(p.log.String())); lines.Scan(); {
		m := result.FindStringSubmatch(lines.Text())
		if m == nil || m[2] == "missed" {
			continue
		}
		if m[2] != "good" { // we do not know whether the server counted it, so the following ones cannot be matched
			broken[m[1]] = true
		}
		took, err := time.ParseDuration(m[4])
		if err != nil {
			return nil, err
		}
		of[m[1]] = append(of[m[1]], timing{measured: took, marked: strings.Contains(m[3], "exporter's own")})
	}
	maps.DeleteFunc(of, func(path string, _ []timing) bool { return broken[path] })
	return pair(of, taken)
}

// pair matches each probe with the time that the server took for it: the first probe of
// a path with the first of that path on the server. The last of each may have been cut
// short.
func pair(of map[string][]timing, taken map[string][]span) ([]timing, error) {
	var all []timing
	for path, timings := range of {
		for i, t := range timings[:min(len(timings), len(taken[path]))] {
			t.real = taken[path][i]
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no probe is both in the log and in the server's account (%d and %d paths)", len(of), len(taken))
	}
	return all, nil
}

// served is how long the server took for each path since the last call.
func (b *bench) served() (map[string][]span, error) {
	answer, err := http.Get("http://" + b.servers.told)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	taken := map[string][]span{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		var path string
		var took span
		if _, err := fmt.Sscan(lines.Text(), &path, (*int64)(&took.least), (*int64)(&took.most)); err != nil {
			return nil, err
		}
		taken[path] = append(taken[path], took)
	}
	return taken, lines.Err()
}

// blackboxTimings keeps inFlight requests for probes running.
func (b *bench) blackboxTimings(ctx context.Context, inFlight int) ([]timing, error) {
	p, err := b.launchBlackbox(ctx)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	p.client.Transport.(*http.Transport).MaxIdleConnsPerHost = inFlight
	var mu sync.Mutex
	of, failed := map[string][]timing{}, error(nil)
	end := time.Now().Add(precisionTime)
	var clients sync.WaitGroup
	for i := range inFlight {
		path := fmt.Sprintf("/b/%d", i)
		query := p.url + "/probe?" + url.Values{"module": {"http"}, "target": {"http://" + b.servers.delayed + path}}.Encode()
		clients.Go(func() {
			for time.Now().Before(end) {
				took, err := p.ask(query)
				mu.Lock()
				if err != nil {
					failed = err
				}
				of[path] = append(of[path], timing{measured: took})
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	if failed != nil {
		return nil, failed
	}
	taken, err := b.served()
	if err != nil {
		return nil, err
	}
	return pair(of, taken)
}

var probeDuration = regexp.MustCompile(`(?m)^probe_duration_seconds (\S+)$`)

// ask requests a probe from blackbox_exporter, which must succeed, and returns its
// duration as reported.
func (p *process) ask(query string) (time.Duration, error) {
	answer, err := p.client.Get(query)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	m := probeDuration.FindSubmatch(text)
	if err != nil || m == nil || !strings.Contains(string(text), "probe_success 1\n") {
		return 0, fmt.Errorf("a probe failed: %w: %s", err, text)
	}
	seconds, err := strconv.ParseFloat(string(m[1]), 64)
	return time.Duration(seconds * float64(time.Second)), err
}

// launchBlackbox starts blackbox_exporter with the modules to compare.
func (b *bench) launchBlackbox(ctx context.Context) (*process, error) {
	config := filepath.Join(b.dir, "blackbox.yml")
	modules := "modules:\n  http: {prober: http, timeout: 5s}\n  tcp: {prober: tcp, timeout: 5s}\n"
	if err := writeFile(config, modules); err != nil {
		return nil, err
	}
	return launch(ctx, b.blackbox, "/-/healthy", "--config.file="+config, "--log.level=error")
}
