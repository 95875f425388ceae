package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/internal/history"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/sla"
)

// backfill records the past of levels without recorded series, such as new or renamed
// ones, from the raw samples in the storage. Recorded series stay as they are. It opens
// the storage and closes it again.
func backfill(ctx context.Context, o Options, d *desired, now time.Time) error {
	db, err := openStorage(o.StoragePath, d.retention, o.RetentionSize, o.Logger, nil)
	if err != nil {
		return err
	}
	b := backfilling{Options: o, db: db, desired: d, now: now}
	err = errors.Join(b.run(ctx), db.Close())
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("the past of new levels cannot be recorded: %w; start without --backfill", err)
	}
	return nil // a server that is stopping needs no past
}

type backfilling struct {
	Options
	db      *tsdb.DB
	desired *desired
	now     time.Time
}

func (b *backfilling) run(ctx context.Context) error {
	missing, err := b.unrecorded(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	var files []replay.File
	for _, a := range b.desired.agreements {
		if slices.ContainsFunc(a.Levels, func(l *sla.ServiceLevel) bool { return missing[l.ID] }) {
			files = append(files, replay.File{Name: filepath.Join(b.StoragePath, rulesDir, a.Name+".yaml"), Text: b.desired.ruleFiles[a.Name]})
		}
	}
	from := b.now.Add(-b.desired.retention)
	if first := firstSample(b.db); first.After(from) {
		from = first
	}
	if !from.Before(b.now) {
		return nil
	}
	reads, err := history.Reads(files)
	if err != nil {
		return err
	}
	past, err := history.Load(ctx, samples.Storage{Of: b.db, As: "the storage"}, reads, from, b.now, nil)
	if err != nil || past.Samples == 0 {
		return err
	}
	result, err := past.World.Run(ctx, replay.Plan{Files: files, From: from, To: b.now, Interval: b.RulesInterval, Away: past.Holes})
	if err != nil {
		return err
	}
	for _, e := range result.Errors {
		b.Logger.Warn("A rule failed while the past was recorded", "rule", e.Rule.Name, "group", e.Rule.Group, "times", e.Count, "err", e.Err)
	}
	// The storage drops samples from its log that are older than the end of its last
	// block.
	head := b.db.Head()
	if err := b.db.CompactHead(tsdb.NewRangeHead(head, head.MinTime(), head.MaxTime())); err != nil {
		return err
	}
	written, err := history.Blocks(ctx, b.StoragePath, history.BlockLength, ofLevels(past.Recorded(), missing))
	if err == nil {
		b.Logger.Info("The past of new levels was recorded", "levels", len(missing), "samples", written, "from", from.UTC().Format(time.RFC3339))
	}
	return err
}

// firstSample is the time of the first sample of a storage; if it has none, long after
// now.
func firstSample(db *tsdb.DB) time.Time {
	first := db.Head().MinTime()
	for _, b := range db.Blocks() {
		first = min(first, b.Meta().MinTime)
	}
	return time.UnixMilli(first)
}

// unrecorded returns the levels whose target is not in the storage: every level records
// one.
func (b *backfilling) unrecorded(ctx context.Context) (map[sla.ID]bool, error) {
	q, err := b.db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	recorded := map[sla.ID]bool{}
	set := q.Select(ctx, false, nil, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, metricnames.TargetRatio))
	for set.Next() {
		recorded[idOf(set.At().Labels())] = true
	}
	missing := map[sla.ID]bool{}
	for _, a := range b.desired.agreements {
		for _, l := range a.Levels {
			if !recorded[l.ID] {
				missing[l.ID] = true
			}
		}
	}
	return missing, set.Err()
}

// ofLevels returns the series of some levels.
func ofLevels(all []storage.Series, levels map[sla.ID]bool) []storage.Series {
	return slices.DeleteFunc(all, func(s storage.Series) bool { return !levels[idOf(s.Labels())] })
}
