package serve

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"
)

// On a disk that is small, and full before a compaction is done, no sample is lost
// that was taken, what is half written goes, the pages and a metric say that nothing
// is recorded; with room again the compaction ends and samples are taken.
func TestCompactionOnAFullDisk(t *testing.T) {
	const series, scrape = 1500, 15 * time.Second
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=60m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir, filler := filepath.Join(disk, "data"), filepath.Join(disk, "filler")
	db, err := openStorage(dir, 24*time.Hour, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.DisableCompactions() // but for those that the test wants
	compact := func() error {
		db.EnableCompactions()
		defer db.DisableCompactions()
		return db.Compact(context.Background())
	}
	w := newWrites(db, dir, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	random := rand.New(rand.NewPCG(1, 2)) // so that nothing is small
	// From the beginning of a block on: a block of less than two hours could fit into
	// what is left, and what it frees would be room for the next.
	start := time.Now().Add(-4 * time.Hour).Truncate(2 * time.Hour)
	at := start
	write := func(until time.Time) {
		for ; at.Before(until); at = at.Add(scrape) {
			app := w.Appender(context.Background())
			for i := range series {
				if _, err := app.Append(0, labels.FromStrings("__name__", "x", "i", strconv.Itoa(i)), at.UnixMilli(), random.Float64()); err != nil {
					t.Fatal(err)
				}
			}
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(time.Now())
	// fill leaves so much of the disk beside what is reserved.
	fill := func(file string, but int64) {
		free, size, err := space(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, int64(free)-int64(reserve(size))-but), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fill(filler, 1<<20)
	if err := compact(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("compaction without room: %v", err)
	}
	fill(filler+"-2", -1<<20)
	write(time.Now().Add(10 * scrape))
	if kept := testutil.ToFloat64(w.kept); kept != 0 || !strings.Contains(w.notice(), "disk is full") {
		t.Errorf("without room the metric says %v, the pages %q", kept, w.notice())
	}
	taken := countSamples(t, db, start.UnixMilli(), at.UnixMilli())
	if n := samplesAfterKill(t, dir, start.UnixMilli(), at.UnixMilli()); n != taken || n < 4*60*4*series {
		t.Errorf("of %d samples %d survive a kill", taken, n)
	}
	if err := errors.Join(os.Remove(filler), os.Remove(filler+"-2")); err != nil {
		t.Fatal(err)
	}
	if err := compact(); err != nil {
		t.Fatalf("compaction with room: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp-*")); len(left) > 0 || len(db.Blocks()) == 0 {
		t.Errorf("%d blocks; left behind are %v", len(db.Blocks()), left)
	}
	write(at.Add(10 * scrape))
	if kept := testutil.ToFloat64(w.kept); kept != 1 || w.notice() != "" {
		t.Errorf("with room the metric says %v, the pages %q", kept, w.notice())
	}
	if n := samplesAfterKill(t, dir, start.UnixMilli(), at.UnixMilli()); n != taken+10*series {
		t.Errorf("of %d samples and %d more %d survive a kill", taken, 10*series, n)
	}
}
