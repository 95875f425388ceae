package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/fileutil"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	// maxExemplars are kept in memory, about 100 bytes each.
	maxExemplars = 10_000
	// maxBlock is the longest time that a block on disk spans; Prometheus takes
	// a tenth of the retention, and never more than this.
	maxBlock = 31 * 24 * time.Hour
)

// openStorage opens the database in dir, making the directory if need be. It
// holds a lock on the directory until it is closed.
func openStorage(dir string, retention time.Duration, size int64, logger *slog.Logger, reg prometheus.Registerer) (*tsdb.DB, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("storage directory %s cannot be made: %w; name one that can be written with --storage.path", dir, err)
	}
	if err := inUse(filepath.Join(dir, lockFile)); err != nil {
		return nil, storageError(dir, err)
	}
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = retention.Milliseconds()
	opts.MaxBytes = size
	opts.MaxBlockDuration = max(min(retention/10, maxBlock).Milliseconds(), opts.MinBlockDuration)
	opts.WALCompression = compression.Snappy
	opts.EnableExemplarStorage = true
	opts.MaxExemplars = maxExemplars
	opts.MaxBlockChunkSegmentSize = segmentSize(dir)
	db, err := tsdb.Open(dir, logger.With("component", "tsdb"), reg, opts, nil)
	if err != nil {
		return nil, storageError(dir, err)
	}
	return db, nil
}

// lockFile is the database's lock in its directory, which stays there if the process is
// killed.
const lockFile = "lock"

// inUse returns an error if another process has locked the file. The database would
// notice too, but would first log that it replaced the lock of a process that is gone.
func inUse(lock string) error {
	if _, err := os.Stat(lock); err != nil {
		return nil //nolint:nilerr // the database makes it
	}
	held, _, err := fileutil.Flock(lock)
	if err != nil {
		return err
	}
	return held.Release()
}

// minSegment is the smallest size for a block's files that Prometheus allows.
const minSegment = 1 << 20

// segmentSize is how large a file of a block may be. A compaction takes that space
// before it begins, so Prometheus' 512 MiB would fail on every disk with less space
// left, and the log would grow until the disk is full. Half of the space that writes
// leave free is still there when they have stopped.
func segmentSize(dir string) int64 {
	_, size, err := space(dir)
	if err != nil {
		size = mostReserve * reservedPart
	}
	return int64(max(minSegment, reserve(size)/2)) //nolint:gosec // at most mostReserve
}

// storageError adds a remedy to failures that users can fix.
func storageError(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("storage directory %s is in use by another process (%s is locked); stop that one, or name another directory with --storage.path",
			dir, filepath.Join(dir, lockFile))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("storage directory %s cannot be written: %w; change its owner, or name another directory with --storage.path", dir, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("storage directory %s is on a full disk: %w; free some space, or limit the storage with --storage.retention.size", dir, err)
	}
	return fmt.Errorf("storage directory %s cannot be opened: %w; if it is damaged, move it away and start with an empty one", dir, err)
}

// setRetention changes how long a running database keeps samples. It uses the
// database's reload, which also sets other options; these stay as in openStorage.
func setRetention(db *tsdb.DB, retention time.Duration, size int64) error {
	return db.ApplyConfig(&config.Config{StorageConfig: config.StorageConfig{
		TSDBConfig:      &config.TSDBConfig{Retention: &config.TSDBRetentionConfig{Time: model.Duration(retention), Size: units.Base2Bytes(size)}},
		ExemplarsConfig: &config.ExemplarsConfig{MaxExemplars: maxExemplars},
	}})
}
