//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/filetree"
)

// program is a running upheld.
type program struct {
	*exec.Cmd
	stderr *bufio.Reader
	dir    string
}

func startProgram(t *testing.T, dir string, args ...string) program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a test that fails ends, too
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env, cmd.Dir = append(os.Environ(), runsDemo+"=1", "TMPDIR="+dir), dir
	if _, err := cmd.StdinPipe(); err != nil { // on which nothing comes
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return program{cmd, bufio.NewReader(stderr), dir}
}

// awaitReader waits until a FIFO is opened for reading, and opens its other end.
func awaitReader(t *testing.T, fifo string) *os.File {
	t.Helper()
	for range 60_000 {
		fd, err := syscall.Open(fifo, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), fifo)
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("nobody opens the FIFO")
	return nil
}

// ends sends a signal and demands that the program ends by it, and says so.
func (p program) ends(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	text, _ := p.stderr.ReadString(0)
	_ = p.Wait() // the exit code is asked below
	if code := p.ProcessState.ExitCode(); code != exitSignal+int(s) || !strings.Contains(text, "ended by a signal: "+s.String()) {
		t.Errorf("%v exited with %d and said %q", p.Args[1:], code, text)
	}
}

// nothingLeft demands that a directory holds no temporary file.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".upheld-") && d.Name() != filetree.ManifestName {
			t.Errorf("%s is left behind", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func writeSpec(t *testing.T, file, name string, levels int) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: %s}\nspec:\n  serviceLevels:\n", name)
	for i := range levels {
		fmt.Fprintf(&b, "    - {name: up-%d, indicator: {probe: {tcp: \"a.example:%d\"}}, target: \"99\"}\n", i, 1000+i)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A verb ends by a signal also while it waits for a file that says nothing.
func TestSignalsEndVerbsThatWait(t *testing.T) {
	for i, args := range [][]string{{"check", "pipe"}, {"explain", "pipe"}, {"generate", "pipe", "-o", "out"}, {"check", "pipe", "-"}} {
		dir := t.TempDir()
		pipe := filepath.Join(dir, "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		p := startProgram(t, dir, args...)
		other := awaitReader(t, pipe)
		if args[len(args)-1] == "-" {
			other.Close() // it goes on to standard input
		} else {
			defer other.Close()
		}
		p.ends(t, []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2])
		if _, err := os.Stat(filepath.Join(dir, "out")); !os.IsNotExist(err) {
			t.Errorf("%v made a directory: %v", args, err)
		}
	}
}

// A verb that waits for its turn says so, and ends by a signal without a trace.
func TestSignalsEndTheWaitForATurn(t *testing.T) {
	dir := t.TempDir()
	writeSpec(t, filepath.Join(dir, "spec.yaml"), "web", 1)
	stage, err := filetree.Open(t.Context(), filepath.Join(dir, "out"), filetree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Discard()
	p := startProgram(t, dir, "generate", "spec.yaml", "-o", "out")
	if line, err := p.stderr.ReadString('\n'); err != nil || line != "another upheld generate has out; waiting for it to end\n" {
		t.Errorf("it says %q, %v", line, err)
	}
	p.ends(t, syscall.SIGINT)
	if entries, err := os.ReadDir(filepath.Join(dir, "out")); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A signal in the middle of generating leaves the directory as it was.
func TestSignalsLeaveNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	writeSpec(t, filepath.Join(dir, "spec.yaml"), "web", 2000)
	p := startProgram(t, dir, "generate", "spec.yaml", "-o", "out")
	for begun := false; !begun; time.Sleep(time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(out, "rules", "*"))
		if err != nil {
			t.Fatal(err)
		}
		begun = len(files) > 0
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = p.stderr.ReadString(0)
	_ = p.Wait() // it may have come to its end before
	switch code := p.ProcessState.ExitCode(); code {
	case exitSignal + int(syscall.SIGTERM):
		if _, err := os.Stat(out); !os.IsNotExist(err) {
			t.Errorf("the directory that was not there is: %v", err)
		}
	case exitDone:
		nothingLeft(t, out)
	default:
		t.Errorf("it exited with %d", code)
	}
}

// Two at once on one directory take turns, and all is there in the end.
func TestGeneratingTwiceAtOnce(t *testing.T) {
	dir := t.TempDir()
	var running []program
	for i := range 4 {
		file := fmt.Sprintf("%d.yaml", i)
		writeSpec(t, filepath.Join(dir, file), fmt.Sprintf("web-%d", i), 20)
		running = append(running, startProgram(t, dir, "generate", file, "-o", "out", "--outputs=rules"))
	}
	for i, p := range running {
		text, _ := p.stderr.ReadString(0)
		if err := p.Wait(); err != nil {
			t.Errorf("%v, %s", err, text)
		}
		if _, err := os.Stat(filepath.Join(dir, "out", "rules", fmt.Sprintf("web-%d.yaml", i))); err != nil {
			t.Error(err)
		}
	}
	nothingLeft(t, filepath.Join(dir, "out"))
	p := startProgram(t, dir, "generate", dir, "-o", "out", "--outputs=rules", "--verify")
	text, _ := p.stderr.ReadString(0)
	if err := p.Wait(); err != nil || text != "4 files in out up to date\n" {
		t.Errorf("%v, %s", err, text)
	}
}

// Watching is shown again and again, and no failure when it is ended. While the server
// does not answer it says so, above what was seen last.
func TestWatchingStatusEndsWell(t *testing.T) {
	var away atomic.Bool
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		if strings.Contains(query, "sla_service_level_info") {
			asked <- struct{}{}
			if away.Swap(true) {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
		}
		result := `[]`
		if strings.Contains(query, "sla_service_level_info") {
			result = `[{"metric":{"__name__":"sla_service_level_info","sla":"shop","service":"web","slo":"up","period":"30d","target":"99"},"value":[1200,"1"]}]`
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":%s}}`, result)
	}))
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "status", "--watch", "--interval=1s", "--prometheus.url="+server.URL)
	var stdout, stderr strings.Builder
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), runsDemo+"=1", "NO_PROXY=*"), &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the third time, the second was printed
		<-asked
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("it ended with %v, and said %q", err, stderr.String())
	}
	for _, want := range []string{"unknown  -      web/up", "What follows is what it said last."} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is not in:\n%s", want, stdout.String())
		}
	}
}
