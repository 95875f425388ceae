package samples

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"

	"github.com/upheld-sla/upheld/internal/filetree"
)

// Run is a folder that keeps what a long run has read, so that after an interruption
// the run continues from there.
type Run struct {
	dir  string
	now  time.Time
	left int64 // bytes that may still be written

	Reused, Kept int // pieces
}

// runFile says which run the pieces belong to; pieceSuffix ends the names of their
// files.
const (
	runFile     = "run.json"
	pieceSuffix = ".piece"
	// mostOfRun bounds what a run keeps: some hundred million samples. Anything beyond
	// is read again.
	mostOfRun = 4 << 30
)

// runHead is the content of runFile.
type runHead struct {
	Format string    `json:"format"`
	About  string    `json:"about"` // hash of the requested data
	Now    time.Time `json:"now"`   // of the first start: the run reads no samples after that
}

const runFormat = "upheld-run/1"

// OpenRun opens the folder of a run, or creates it. about is everything that the run
// depends on; a folder of another run is an error.
func OpenRun(dir string, now time.Time, about ...string) (*Run, error) {
	sum := sha256.Sum256([]byte(strings.Join(about, "\x00")))
	want := runHead{Format: runFormat, About: hex.EncodeToString(sum[:]), Now: now.UTC()}
	text, err := os.ReadFile(filepath.Join(dir, runFile))
	if errors.Is(err, fs.ErrNotExist) {
		return beginRun(dir, want)
	}
	if err != nil {
		return nil, err
	}
	var head runHead
	if err := json.Unmarshal(text, &head); err != nil || head.Format != runFormat {
		return nil, fmt.Errorf("%s is damaged or of another version; remove the folder, or name another one", filepath.Join(dir, runFile))
	}
	if head.About != want.About {
		return nil, fmt.Errorf("%s holds what another run has read, of another server, specification or period; repeat that one, remove the folder, or name another", dir)
	}
	r := &Run{dir: dir, now: head.Now, left: mostOfRun}
	return r, r.measure()
}

func beginRun(dir string, head runHead) (*Run, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty, and holds no run; name a folder of its own", dir)
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	return &Run{dir: dir, now: head.Now, left: mostOfRun}, filetree.Write(filepath.Join(dir, runFile), text)
}

// measure subtracts the existing pieces from the bytes that may still be written.
func (r *Run) measure() error {
	entries, err := os.ReadDir(r.dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			r.left -= info.Size()
		}
	}
	return err
}

// Now is when the run first began.
func (r *Run) Now() time.Time { return r.now }

// Done removes what the run kept.
func (r *Run) Done() error {
	pieces, err := filepath.Glob(filepath.Join(r.dir, "*"+pieceSuffix+"*"))
	for _, p := range append(pieces, filepath.Join(r.dir, runFile)) {
		err = errors.Join(err, os.Remove(p))
	}
	if err == nil {
		_ = os.Remove(r.dir) // somebody else may have put a file there
	}
	return err
}

// Source is a source whose answers the run keeps.
func (r *Run) Source(of Source) Source { return resumed{of, r} }

type resumed struct {
	Source
	run *Run
}

// Select returns what was kept, or reads it. A piece that is damaged is read again.
func (s resumed) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	question := []string{fmt.Sprintf("%s %d %d", s.Name(), from, to)}
	for _, m := range matchers {
		question = append(question, m.String())
	}
	sum := sha256.Sum256([]byte(strings.Join(question, " ")))
	path := filepath.Join(s.run.dir, hex.EncodeToString(sum[:])+pieceSuffix)
	if all, err := readPiece(path, from, to); err == nil {
		s.run.Reused++
		return all, nil
	}
	all, err := s.Source.Select(ctx, matchers, from, to)
	if err != nil {
		return nil, err
	}
	return all, s.run.keep(path, all)
}

// A piece is a hash followed by what it covers: an answer to a remote read.

func readPiece(path string, from, to int64) ([]Series, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < sha256.Size {
		return nil, errors.New("the piece is cut off")
	}
	if sha256.Sum256(data[sha256.Size:]) != [sha256.Size]byte(data[:sha256.Size]) {
		return nil, errors.New("the piece is damaged")
	}
	return readSampled(bytes.NewReader(data[sha256.Size:]), from, to)
}

func (r *Run) keep(path string, all []Series) error {
	result := &prompb.QueryResult{}
	for _, s := range all {
		of := &prompb.TimeSeries{Labels: prompb.FromLabels(s.Labels, nil)}
		for i, t := range s.T {
			if s.H != nil {
				of.Histograms = append(of.Histograms, prompb.FromFloatHistogram(t, s.H[i]))
			} else {
				of.Samples = append(of.Samples, prompb.Sample{Timestamp: t, Value: s.V[i]})
			}
		}
		result.Timeseries = append(result.Timeseries, of)
	}
	answer := &prompb.ReadResponse{Results: []*prompb.QueryResult{result}}
	if answer.Size() > mostOfSampled {
		return nil // it could not be read back
	}
	data, err := answer.Marshal()
	if err != nil {
		return err
	}
	packed := snappy.Encode(nil, data)
	if r.left -= int64(len(packed)) + sha256.Size; r.left < 0 {
		return nil
	}
	sum := sha256.Sum256(packed)
	if err := writePiece(path, append(sum[:], packed...)); err != nil {
		return fmt.Errorf("what was read cannot be kept: %w; free some space, or leave out --state", err)
	}
	r.Kept++
	return nil
}

// writePiece puts a whole piece into place. It does not wait for the disk, as the hash
// shows whether a crash damaged it.
func writePiece(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "*"+pieceSuffix+".new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
