//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a measured program.
type process struct {
	command *exec.Cmd
	url     string
	client  *http.Client
	ended   chan struct{} // closed when it ends
	log     *bytes.Buffer // its output; read it only after the end
}

// launch starts a program that listens on an address of its own, passed by
// --web.listen-address, and waits until it answers at path.
func launch(ctx context.Context, path, ready string, args ...string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	p := &process{
		command: exec.CommandContext(ctx, path, append(args, "--web.listen-address="+address)...),
		url:     "http://" + address,
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}, Timeout: time.Minute},
	}
	log := new(bytes.Buffer)
	p.command.Stderr, p.log = log, log
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = p.command.Wait()
		close(ended)
	}()
	p.ended = ended
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		select {
		case <-ended:
			return nil, fmt.Errorf("%s ended; its log:\n%s", path, log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if answer, err := p.client.Get(p.url + ready); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return p, nil
			}
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not answer; its log:\n%s", path, log.String())
}

func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	<-p.ended
}

// cpu is the CPU time of the process' threads, user and system, to the nanosecond: a
// process with five targets uses less than a tick of /proc/PID/stat in a minute. Go
// ends no thread of its own.
func (p *process) cpu() (all time.Duration) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.command.Process.Pid))
	if err != nil || len(threads) == 0 {
		panic(fmt.Sprint("no schedstat: ", err))
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			panic(err)
		}
		n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			panic(err)
		}
		all += time.Duration(n)
	}
	return all
}

// resident is the memory in use by the process, in bytes.
func (p *process) resident() int { return p.status("VmRSS") }

// peak is the most resident memory since the process began, or since forgetPeak.
func (p *process) peak() int { return p.status("VmHWM") }

func (p *process) forgetPeak() {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.command.Process.Pid), []byte("5"), 0); err != nil {
		panic(err)
	}
}

// status is a size of /proc/PID/status, in bytes.
func (p *process) status(name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				panic(err)
			}
			return n << 10
		}
	}
	panic("no " + name)
}

// scrape requests metrics like Prometheus, and returns the size on the wire.
func (p *process) scrape(accept string) (body []byte, sent int, err error) {
	r, err := http.NewRequest(http.MethodGet, p.url+"/metrics", nil)
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	packed, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, 0, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, 0, err
	}
	body, err = io.ReadAll(z)
	return body, len(packed), err
}

// figure is the sum of the series of a metric whose labels contain part.
func (p *process) figure(metric, part string) (float64, error) {
	text, _, err := p.scrape(acceptText)
	if err != nil {
		return 0, err
	}
	return sum(text, metric, part)
}

// sum is the sum of the series of a metric in a scrape whose labels contain part.
func sum(scrape []byte, metric, part string) (float64, error) {
	sum := 0.0
	for lines := bufio.NewScanner(bytes.NewReader(scrape)); lines.Scan(); {
		line := lines.Text()
		rest, ok := strings.CutPrefix(line, metric)
		if !ok || rest[0] != '{' && rest[0] != ' ' || !strings.Contains(rest, part) {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}
