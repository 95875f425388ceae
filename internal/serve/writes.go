package serve

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

const (
	// writesToldEvery is how often the log repeats that samples are being lost.
	writesToldEvery = time.Minute
	// mostReserve is the space to leave free on the storage's disk; on a small disk it
	// is a twentieth.
	mostReserve, reservedPart = 64 << 20, 20
)

// writes is the storage that scrapes and rules write to. It stops taking samples before
// the disk is full: a record cut off in the middle would end the log there, and the
// next start would lose everything written after it. It also takes nothing while the
// clock is behind its newest sample.
type writes struct {
	db     *tsdb.DB
	dir    string
	kept   prometheus.Gauge
	logger *slog.Logger

	mu   sync.Mutex
	lost *loss // nil while samples are kept
	told time.Time
}

// loss is why samples are lost: for the log, with what to do, and for the pages.
type loss struct{ log, page string }

var (
	lostDiskFull = &loss{
		"its disk is nearly full; free some space, or limit it with --storage.retention.size",
		"its disk is full or cannot be written. The figures below are old.",
	}
	lostUnwritable = &loss{
		"it cannot be written; free some space, or limit it with --storage.retention.size",
		lostDiskFull.page,
	}
	lostClockBehind = &loss{
		"the clock was set back and it has newer ones; set the clock right, or wait until it is where it was",
		"the clock of this machine was set back, to before its newest samples. The figures below are those of the clock's time.",
	}
)

func newWrites(db *tsdb.DB, dir string, logger *slog.Logger, reg prometheus.Registerer) *writes {
	w := &writes{db: db, dir: dir, logger: logger.With("component", "storage"), kept: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: metricnames.ServeWriteOK,
		Help: "Whether the last samples that were written are kept (1) or lost (0), as they are while the disk is full or the clock is behind.",
	})}
	w.kept.Set(1)
	reg.MustRegister(w.kept)
	return w
}

// Appender is for rules, AppenderV2 for scrapes.
func (w *writes) Appender(ctx context.Context) storage.Appender {
	if w.full() || w.behind() {
		return lostAppender{}
	}
	return writesAppender{w.db.Appender(ctx), w}
}

func (w *writes) AppenderV2(ctx context.Context) storage.AppenderV2 {
	if w.full() || w.behind() {
		return lostAppenderV2{}
	}
	return writesAppenderV2{w.db.AppenderV2(ctx), w}
}

// full returns whether the disk is nearly full. If that is not known, it is not.
func (w *writes) full() bool {
	free, size, err := space(w.dir)
	if err != nil || free >= reserve(size) {
		return false
	}
	w.note(lostDiskFull, "free_bytes", free)
	return true
}

// reserve is how much of a disk to leave free.
func reserve(size uint64) uint64 { return min(mostReserve, size/reservedPart) }

// notice is the first line of pages while samples are lost.
func (w *writes) notice() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost == nil {
		return ""
	}
	return "Nothing is recorded now: the storage takes no samples, because " + w.lost.page
}

type writesAppender struct {
	storage.Appender
	w *writes
}

func (a writesAppender) Commit() error { return a.w.noteError(a.Appender.Commit()) }

type writesAppenderV2 struct {
	storage.AppenderV2
	w *writes
}

func (a writesAppenderV2) Commit() error { return a.w.noteError(a.AppenderV2.Commit()) }

func (w *writes) noteError(err error) error {
	if err != nil {
		w.note(lostUnwritable, "err", err)
	} else {
		w.note(nil)
	}
	return err
}

// note logs the first lost samples, then once a minute, and again when samples are
// kept.
func (w *writes) note(why *loss, details ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case why != nil:
		w.lost = why
		w.kept.Set(0)
		if time.Since(w.told) >= writesToldEvery {
			w.told = time.Now()
			w.logger.Error("The storage takes no samples, since "+why.log, details...)
		}
	case w.lost != nil:
		w.lost, w.told = nil, time.Time{}
		w.kept.Set(1)
		w.logger.Info("The storage takes samples again")
	}
}

// lostAppender and lostAppenderV2 take samples and drop them. They return no error,
// since each scrape and each rule would log one.
type lostAppender struct{}

func (lostAppender) Commit() error                     { return nil }
func (lostAppender) Rollback() error                   { return nil }
func (lostAppender) SetOptions(*storage.AppendOptions) {}

func (lostAppender) Append(ref storage.SeriesRef, _ labels.Labels, _ int64, _ float64) (storage.SeriesRef, error) {
	return ref, nil
}

func (lostAppender) AppendExemplar(ref storage.SeriesRef, _ labels.Labels, _ exemplar.Exemplar) (storage.SeriesRef, error) {
	return ref, nil
}

func (lostAppender) AppendHistogram(ref storage.SeriesRef, _ labels.Labels, _ int64, _ *histogram.Histogram, _ *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return ref, nil
}

func (lostAppender) AppendHistogramSTZeroSample(ref storage.SeriesRef, _ labels.Labels, _, _ int64, _ *histogram.Histogram, _ *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return ref, nil
}

func (lostAppender) UpdateMetadata(ref storage.SeriesRef, _ labels.Labels, _ metadata.Metadata) (storage.SeriesRef, error) {
	return ref, nil
}

func (lostAppender) AppendSTZeroSample(ref storage.SeriesRef, _ labels.Labels, _, _ int64) (storage.SeriesRef, error) {
	return ref, nil
}

type lostAppenderV2 struct{}

func (lostAppenderV2) Commit() error   { return nil }
func (lostAppenderV2) Rollback() error { return nil }

func (lostAppenderV2) Append(ref storage.SeriesRef, _ labels.Labels, _, _ int64, _ float64, _ *histogram.Histogram, _ *histogram.FloatHistogram, _ storage.AppendV2Options) (storage.SeriesRef, error) {
	return ref, nil
}
