package closing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// Archive is a folder with the reports of closed periods. For each it has the JSON, the
// evidence, and a signature if there is a key. A report is written once and never
// changed.
type Archive struct {
	Dir  string
	Sign signature.Signer

	mu    sync.Mutex
	known map[string]indexed // by file
}

// Kept is a summary of a report in the archive.
type Kept struct {
	File       string // its JSON
	Agreement  string
	Period     verdict.ReportPeriod
	Version    int
	Supersedes int
	Reason     string
	Made       time.Time
	Sources    []string
	Documents  map[string]string // hashes of the files that it depends on, by name
	Brief      report.Brief
}

// KeptToDate returns whether it is a report to date. This package writes none, so a
// person put it there.
func KeptToDate(k Kept) bool { return k.Period.Until.Before(k.Period.End) }

// Unreadable is a file of the archive that is not a report, or a damaged one.
type Unreadable struct {
	File string
	Err  error
}

// indexed is the content of a file, as long as the file has this size and time.
type indexed struct {
	size int64
	at   time.Time
	kept Kept
	err  error
}

// mostKept bounds how many reports an archive lists.
const mostKept = 20_000

// List lists the reports, by agreement, then by time, then by version. A missing folder
// is empty.
func (a *Archive) List() ([]Kept, []Unreadable, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entries, err := os.ReadDir(a.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	next := map[string]indexed{}
	var all []Kept
	var bad []Unreadable
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".json" || !e.Type().IsRegular() {
			continue
		}
		if len(next) == mostKept {
			return nil, nil, fmt.Errorf("%s has more than %d reports; move old ones away", a.Dir, mostKept)
		}
		of, err := a.index(e)
		if err != nil {
			continue // it was removed meanwhile
		}
		next[e.Name()] = of
		if of.err != nil {
			bad = append(bad, Unreadable{e.Name(), of.err})
		} else {
			all = append(all, of.kept)
		}
	}
	a.known = next
	slices.SortFunc(all, func(x, y Kept) int {
		if d := strings.Compare(x.Agreement, y.Agreement); d != 0 {
			return d
		}
		if d := x.Period.Start.Compare(y.Period.Start); d != 0 {
			return d
		}
		if d := strings.Compare(x.Period.Name, y.Period.Name); d != 0 {
			return d
		}
		return x.Version - y.Version
	})
	return all, bad, nil
}

// index reads a file, unless it has not changed since it was last read.
func (a *Archive) index(e fs.DirEntry) (indexed, error) {
	info, err := e.Info()
	if err != nil {
		return indexed{}, err
	}
	if old, ok := a.known[e.Name()]; ok && old.size == info.Size() && old.at.Equal(info.ModTime()) {
		return old, nil
	}
	of := indexed{size: info.Size(), at: info.ModTime()}
	r, err := ReadReport(filepath.Join(a.Dir, e.Name()))
	if err != nil {
		of.err = err
		return of, nil //nolint:nilerr // the list shows an unreadable file with its error
	}
	of.kept = Kept{
		File: e.Name(), Agreement: r.Agreement, Period: r.Period, Version: r.Version, Supersedes: r.Supersedes, Reason: r.Reason,
		Made: r.Made.At, Sources: r.Sources, Documents: map[string]string{}, Brief: report.NewBrief(r),
	}
	for _, d := range append(r.Also, r.Spec) {
		of.kept.Documents[d.Name] = d.SHA256
	}
	return of, nil
}

// Sweep removes files that processes left half written when they were killed.
func (a *Archive) Sweep(now time.Time) error { return filetree.Sweep(a.Dir, now) }

// Read reads a report of the archive.
func (a *Archive) Read(file string) (*verdict.Report, error) {
	return ReadReport(filepath.Join(a.Dir, file))
}

// ReportsOf reads all reports of one agreement.
func (a *Archive) ReportsOf(agreement string) ([]*verdict.Report, error) {
	kept, _, err := a.List()
	if err != nil {
		return nil, err
	}
	var all []*verdict.Report
	for _, k := range kept {
		if k.Agreement != agreement {
			continue
		}
		r, err := a.Read(k.File)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// Path is the path of a file of the archive.
func (a *Archive) Path(file string) string { return filepath.Join(a.Dir, file) }

// ErrKept says that the archive has a report of the period and version.
var ErrKept = errors.New("there is a report of this period and version, which is never written over")

// Freeze writes a report, its evidence and its signature. The report comes last and in
// one step, so that whatever happens, a period has either all three or no report.
func (a *Archive) Freeze(r *verdict.Report, e verdict.Evidence) (Kept, error) {
	if err := os.MkdirAll(a.Dir, 0o755); err != nil {
		return Kept{}, err
	}
	name := jsonFormat().FileName(r)
	path := filepath.Join(a.Dir, name)
	if _, err := os.Lstat(path); err == nil {
		return Kept{}, fmt.Errorf("%s: %w", path, ErrKept)
	}
	data, err := report.JSON([]*verdict.Report{r}, nil)
	if err != nil {
		return Kept{}, err
	}
	file, err := EvidenceFile(r, e)
	if err != nil {
		return Kept{}, err
	}
	if err := filetree.Write(filepath.Join(a.Dir, file.Name), file.Bytes); err != nil {
		return Kept{}, err
	}
	if err := a.sign(path, data); err != nil {
		return Kept{}, err
	}
	if err := filetree.WriteNew(path, data); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s: %w", path, ErrKept)
		}
		return Kept{}, err
	}
	return Kept{File: name, Agreement: r.Agreement, Period: r.Period, Version: r.Version, Brief: report.NewBrief(r)}, nil
}

// sign writes the signature of a report that is about to be written. Without a key it
// removes a signature that a killed run left there, since that signs another report.
func (a *Archive) sign(path string, data []byte) error {
	if !a.Sign.Signs() {
		if err := os.Remove(SignaturePath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	signed, err := a.Sign.Sign(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return filetree.Write(SignaturePath(path), signed)
}
