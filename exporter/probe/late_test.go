//go:build linux

package probe_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// The server of these tests is a process of its own: what starves the prober
// must not starve the server.
const sleepyVariable = "UPHELD_TEST_SLEEPY_SERVER"

// heldQuestion asks it for how long it had no CPU itself, at most, since it was
// asked before: so that what else runs on the machine is not taken for a fault
// of the prober.
const heldQuestion = "held\n"

func heldUp(t *testing.T, address string) time.Duration {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, heldQuestion)
	answer, _ := io.ReadAll(conn)
	held, err := time.ParseDuration(strings.TrimSpace(string(answer)))
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func init() {
	delay, err := time.ParseDuration(os.Getenv(sleepyVariable))
	if err != nil {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(os.Stdout, l.Addr().String()+"\n")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var held atomic.Int64 // the longest time for which this process had no CPU
	go func() {
		const beat = 5 * time.Millisecond
		for last := time.Now(); ; last = time.Now() {
			time.Sleep(beat)
			held.Store(max(held.Load(), int64(time.Since(last)-beat)))
		}
	}()
	for {
		conn, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer conn.Close()
			line, _ := bufio.NewReader(conn).ReadString('\n')
			if line == heldQuestion {
				_, _ = fmt.Fprintln(conn, time.Duration(held.Swap(0)))
				return
			}
			time.Sleep(delay)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}()
	}
}

// sleepyServer answers HTTP after a delay.
func sleepyServer(t *testing.T, delay time.Duration) string {
	t.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), sleepyVariable+"="+delay.String())
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = server.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// starve leaves goroutines one processor, and keeps that busy until the test
// ends: each that becomes ready waits for all of the busy ones' turns.
func starve(t *testing.T, busy int) {
	procs := runtime.GOMAXPROCS(1)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range busy {
		wg.Go(func() {
			for n := 0; ; n++ {
				if n%1e6 == 0 {
					select {
					case <-stop:
						return
					default:
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		close(stop)
		wg.Wait()
		runtime.GOMAXPROCS(procs)
	})
}

func probeOnce(t *testing.T, check sla.Check, timeout, most time.Duration) probe.Result {
	t.Helper()
	p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: check, Timeout: timeout, MaxDuration: most})
	if err != nil {
		t.Fatal(err)
	}
	return p.Probe(context.Background(), time.Time{})
}

// TestAStarvedProberIsNotASlowServer lets the server take 30 ms and the prober
// have no CPU for longer than that: the time is not the server's, and the
// result says so.
func TestAStarvedProberIsNotASlowServer(t *testing.T) {
	testsize.Skip(t, "that a prober without a processor does not blame its target with its own time")
	const delay = 30 * time.Millisecond
	address := sleepyServer(t, delay)
	check := get("http://" + address)
	starve(t, 5)
	const rounds = 8
	starved, exact, unknown := 0, 0, 0
	for range rounds {
		heldUp(t, address)
		r := probeOnce(t, check, 5*time.Second, 0)
		if held := heldUp(t, address); held > 4*time.Millisecond {
			t.Logf("the server itself had no CPU for %s", held)
			unknown++
			continue
		}
		if r.Outcome != probe.Good {
			t.Fatalf("a success is one, however late it is read: %+v", r)
		}
		if r.Duration < delay+20*time.Millisecond {
			continue // it got CPU in time
		}
		starved++
		if r.Unsure() && r.Duration-r.Late < delay+5*time.Millisecond { // what else runs on the machine may hold up the server, too
			exact++
		} else {
			t.Logf("took %s, of which %s is said to be the exporter's own; the server took %s", r.Duration, r.Late, delay)
		}
	}
	if unknown == rounds {
		t.Skip("the machine is too busy to have a server that is in time")
	}
	if starved == 0 || exact < starved/2 {
		t.Errorf("starved %d times; it is told %d times that the server took no longer than it did", starved, exact)
	}
}

// TestASlowServerIsNotAStarvedProber is the other way round: nothing is in the
// exporter's way.
func TestASlowServerIsNotAStarvedProber(t *testing.T) {
	check := get("http://" + sleepyServer(t, 150*time.Millisecond))
	sure := 0
	for range 100 { // other work on the machine may disturb most
		r := probeOnce(t, check, 5*time.Second, 0)
		if r.Outcome != probe.Good || r.Duration < 149*time.Millisecond {
			t.Errorf("the server takes longer: %+v", r)
		}
		if !r.Unsure() {
			if sure++; r.Duration-r.Late < 140*time.Millisecond {
				t.Errorf("the server's time is said to be the exporter's: %+v", r)
			}
			if sure == 3 {
				break
			}
		}
	}
	if sure < 3 {
		t.Errorf("only %d of 100 durations are sure", sure)
	}
	if r := probeOnce(t, check, 5*time.Second, 100*time.Millisecond); r.Reason != probe.Slow {
		t.Errorf("a server that is too slow: %+v", r)
	}
	var r probe.Result
	for range 5 { // on a busy machine a deadline may be noticed after the answer has come
		if r = probeOnce(t, check, 100*time.Millisecond, 0); r.Reason == probe.Timeout {
			return
		}
	}
	t.Errorf("a server that does not answer in time: %+v", r)
}

// TestAResetAfterSilenceIsNotTheExportersLateness has a server begin an answer,
// be silent and then reset the connection: a reset arrives without a stamp, and
// that of what was read before says nothing about it.
func TestAResetAfterSilenceIsNotTheExportersLateness(t *testing.T) {
	const silence = 150 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
			time.Sleep(silence)
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}()
	for range 20 { // other work on the machine may make the exporter late indeed
		r := probeOnce(t, get("http://"+l.Addr().String()), 5*time.Second, 0)
		if r.Outcome != probe.Bad || r.Reason != probe.Reset || r.Duration < silence {
			t.Fatalf("%+v", r)
		}
		if !r.Unsure() {
			return
		}
		t.Logf("%s of %s is said to be the exporter's own", r.Late, r.Duration)
	}
	t.Error("the silence of the server is said to be the exporter's own time")
}

// TestStarvedVerdicts are those that would blame a server that was in time.
func TestStarvedVerdicts(t *testing.T) {
	testsize.Skip(t, "that a prober without a processor calls no target too slow")
	const delay, patience = 20 * time.Millisecond, 120 * time.Millisecond
	address := sleepyServer(t, delay)
	check := get("http://" + address)
	starve(t, 16)
	starved, told := 0, 0
	for range 5 {
		heldUp(t, address)
		late := probeOnce(t, check, 5*time.Second, patience)
		short := probeOnce(t, check, patience, 0)
		if held := heldUp(t, address); held > patience/4 {
			t.Logf("the server itself had no CPU for %s", held)
			continue
		}
		told++
		for _, r := range []probe.Result{late, short} {
			switch r.Reason {
			case probe.Starved:
				starved++
			case probe.Slow, probe.Timeout:
				t.Errorf("the server is blamed: %+v", r)
			}
		}
	}
	if starved == 0 && told > 0 {
		t.Error("the prober was not starved once")
	}
}
