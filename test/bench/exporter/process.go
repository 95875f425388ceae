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
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that is measured.
type process struct {
	command *exec.Cmd
	url     string
	client  *http.Client
	ended   chan struct{} // closed then
	log     *bytes.Buffer // what it wrote, to be read once it has ended
}

// launch starts a program that listens on an address of its own, given to it
// by --web.listen-address, and waits until it answers at path.
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

// ticks are those of /proc/PID/stat a second.
const ticks = 100

// cpu is the time that the process has had.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		panic(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	sum := 0
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			panic(err)
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks
}

// resident is the memory of the process that is in use, in bytes.
func (p *process) resident() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				panic(err)
			}
			return n << 10
		}
	}
	panic("no VmRSS")
}

// scrape asks for metrics as a Prometheus does, and gives the size on the wire.
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

// figure is the sum of the series of a metric whose labels hold part.
func (p *process) figure(metric, part string) (float64, error) {
	body, _, err := p.scrape("text/plain")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
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
