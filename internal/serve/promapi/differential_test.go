package promapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/tsdb"
)

// TestSameAsPrometheus asks a real Prometheus, over the same samples, what the
// API is asked, and compares. The one in the environment variable PROMETHEUS is
// taken, or else the one in PATH; versions from 2.42 are fit, because the calls
// leave out what came later.
func TestSameAsPrometheus(t *testing.T) {
	binary := os.Getenv("PROMETHEUS")
	if binary == "" {
		binary = "prometheus"
	}
	binary, err := exec.LookPath(binary)
	if err != nil {
		t.Skipf("no Prometheus to compare with: %v; name one in PROMETHEUS", err)
	}
	base := startPrometheus(t, binary)
	handler := newWorld(t)
	compared := 0
	for name, group := range calls {
		for _, c := range group {
			if !c.floats {
				continue
			}
			compared++
			ours := httptest.NewRecorder()
			handler.ServeHTTP(ours, c.request(""))
			status, theirs := ask(t, c, base)
			if status != ours.Code {
				t.Errorf("%s: %s\nstatus is %d, Prometheus answers %d: %s", name, c, ours.Code, status, theirs)
				continue
			}
			if diff := cmp.Diff(essence(t, theirs), essence(t, ours.Body.Bytes())); diff != "" {
				t.Errorf("%s: %s (-Prometheus +ours):\n%s", name, c, diff)
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d calls were compared", compared)
	}
}

// startPrometheus runs the binary over a block of what appendFloats writes and
// returns its URL.
func startPrometheus(t *testing.T, binary string) string {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	writer, err := tsdb.NewBlockWriter(promslog.NewNopLogger(), data, (2 * time.Hour).Milliseconds())
	if err != nil {
		t.Fatal(err)
	}
	app := writer.Appender(context.Background())
	appendFloats(t, app)
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	var log bytes.Buffer
	cmd := exec.Command(binary, "--config.file="+config, "--storage.tsdb.path="+data,
		"--storage.tsdb.retention.time=100y", "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus said:\n%s", log.String())
		}
	})
	base := "http://" + address
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(base + "/-/ready")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return base
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus did not become ready: %v", err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func ask(t *testing.T, c call, base string) (status int, body []byte) {
	t.Helper()
	r := c.request(base)
	r.RequestURI = ""
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// essence is an answer as every version gives it: of errors the kind, whose
// words change from one to the next; of vectors and lists of series the members
// in one order, which is only promised for sorted queries.
func essence(t *testing.T, body []byte) any {
	t.Helper()
	parsed, err := parse(body)
	if err != nil {
		return string(body)
	}
	answer, ok := parsed.(map[string]any)
	if !ok {
		return parsed
	}
	delete(answer, "infos") // since 3.0
	if answer["status"] == "error" {
		delete(answer, "error")
		return answer
	}
	switch data := answer["data"].(type) {
	case []any:
		sortByText(t, data)
	case map[string]any:
		if members, ok := data["result"].([]any); ok && data["resultType"] != "scalar" && data["resultType"] != "string" {
			sortByText(t, members)
		}
	}
	return answer
}

func sortByText(t *testing.T, items []any) {
	t.Helper()
	text := func(v any) string {
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	slices.SortFunc(items, func(a, b any) int { return strings.Compare(text(a), text(b)) })
}
