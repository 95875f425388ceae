//go:build integration

package integration

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// root is the module's folder, seen from this package.
const root = "../.."

// process is a server that the test started.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended, after err is set
	err  error

	ended bool // by the test itself
}

// start runs a server until the test ends. It is then asked to end by SIGTERM,
// and must do so in good order within ten seconds; what it wrote is shown if the
// test failed. Should the test itself be killed, the kernel ends the server.
func start(t *testing.T, name, path string, args ...string) *process {
	t.Helper()
	logName := filepath.Join(t.TempDir(), name+".log")
	log, err := os.Create(logName)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			showTail(t, name, logName)
		}
	})
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: sending %s: %v", p.name, s, err)
	}
}

// end stops a server before the test ends.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.stop(t)
	p.ended = true
}

func (p *process) stop(t *testing.T) {
	if p.ended {
		return
	}
	select {
	case <-p.done:
		t.Errorf("%s ended before it was asked to: %v", p.name, p.err)
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may end by itself just now
	select {
	case <-p.done:
		if p.err != nil {
			t.Errorf("%s: after SIGTERM: %v", p.name, p.err)
		}
	case <-time.After(10 * time.Second):
		t.Errorf("%s: still there ten seconds after SIGTERM", p.name)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func showTail(t *testing.T, name, logName string) {
	log, err := os.ReadFile(logName)
	if err != nil {
		t.Logf("%s: %v", name, err)
		return
	}
	const enough = 6000
	if len(log) > enough {
		log = append([]byte("...\n"), log[len(log)-enough:]...)
	}
	t.Logf("%s wrote:\n%s", name, log)
}

// run runs a program to its end and returns its output; it fails the test if
// the program fails.
func run(t *testing.T, dir, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", path, strings.Join(args, " "), err, &out)
	}
	return out.String()
}

// program is the path of a program that has to be there.
func program(t *testing.T, path, remedy string) string {
	t.Helper()
	path, err := exec.LookPath(path)
	if err != nil {
		t.Fatalf("%v: %s", err, remedy)
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddress is a loopback address that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await asks until ok says nil, and fails the test with the last answer when
// that takes longer than limit.
func await(t *testing.T, limit time.Duration, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// awaitReady waits until a server answers 200 at its readiness page.
func awaitReady(t *testing.T, p *process, address string) {
	t.Helper()
	await(t, 30*time.Second, p.name+" is ready", func() error {
		select {
		case <-p.done:
			t.Fatalf("%s ended: %v", p.name, p.err)
		default:
		}
		resp, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", resp.Status)
		}
		return nil
	})
}
