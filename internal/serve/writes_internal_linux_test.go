package serve

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// While the disk is full no samples are taken, which the log says once and a metric
// says; those that come after there is space survive a process that is killed.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	dir := filepath.Join(disk, "data")
	db, err := openStorage(dir, 24*time.Hour, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := newWrites(db, dir, logger, prometheus.NewRegistry())
	now := time.Now().Add(-time.Hour).UnixMilli()
	write := func() error {
		now += 1000
		app := w.Appender(context.Background())
		for i := range 200 {
			if _, err := app.Append(0, labels.FromStrings("__name__", "x", "i", strings.Repeat("i", i+1)), now, float64(now%7919)); err != nil {
				t.Fatal(err)
			}
		}
		return app.Commit()
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	for range 200 {
		if err := write(); err != nil {
			t.Fatalf("a full disk is written to: %v", err)
		}
	}
	if kept, n := testutil.ToFloat64(w.kept), countSamples(t, db, now-100_000, now); kept != 0 || n != 0 {
		t.Errorf("on a full disk %d samples are taken, the metric says %v", n, kept)
	}
	if !strings.Contains(w.notice(), "disk is full") {
		t.Errorf("the pages say %q", w.notice())
	}
	if n := strings.Count(log.String(), "takes no samples"); n != 1 {
		t.Errorf("the log says it %d times:\n%s", n, log.String())
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := write(); err != nil {
			t.Fatalf("with space again: %v", err)
		}
	}
	if kept := testutil.ToFloat64(w.kept); kept != 1 || w.notice() != "" || !strings.Contains(log.String(), "takes samples again") {
		t.Errorf("with space again the metric says %v, the log\n%s", kept, log.String())
	}
	if n := samplesAfterKill(t, dir, now-4000, now); n != 5*200 {
		t.Errorf("%d of the 1000 samples after there was space again survive a kill", n)
	}
}

// samplesAfterKill counts samples of what another process would find if this one
// were killed now.
func samplesAfterKill(t *testing.T, dir string, from, to int64) int {
	t.Helper()
	left := filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("cp", "-r", dir, left).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = os.Remove(filepath.Join(left, "lock"))
	db, err := openStorage(left, 24*time.Hour, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	return countSamples(t, db, from, to)
}

func countSamples(t *testing.T, db *tsdb.DB, from, to int64) int {
	t.Helper()
	q, err := db.Querier(from, to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Close() }()
	n, set := 0, q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "x"))
	for set.Next() {
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			n++
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return n
}
