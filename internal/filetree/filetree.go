// Package filetree puts a set of generated files into a directory, all or none:
// every file that changes is written beside its place first, and only when all
// are written are they renamed into place. Files are taken as streams, one or a
// few at a time, so that neither memory nor open files grow with their number.
//
// A manifest in the directory lists what was written, by path and hash. Nothing
// else is ever replaced or removed, and nothing that changed since. The package
// knows nothing of what the files hold, save the marker by which those of a
// directory without a manifest are recognised.
package filetree

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Change is one difference between what was generated and a directory.
type Change struct {
	Path string
	Kind Kind
}

// Kind says what a directory lacks.
type Kind string

// The kinds of change.
const (
	Missing Kind = "missing" // not there yet
	Differs Kind = "differs" // there with other content
	Stale   Kind = "stale"   // generated earlier, and not any more
)

// Options say how a directory is written to.
type Options struct {
	Marker   string                          // stands in generated files, for a directory without a manifest
	Ignore   string                          // a line that begins so is no difference between two files; looked for in their first 4 KiB
	Folders  []string                        // which are written to: what the manifest has of them and is not generated any more is stale
	Sources  []string                        // what is generated from, all of it; files of other sources stay
	FilledIn []string                        // files that people may have filled in, so that the marker does not show who wrote their content
	From     func(beginning []byte) []string // the sources that a file with the marker names, for a directory without a manifest; may be nil
	Dry      bool                            // only compare: write nothing at all
	Scratch  string                          // a folder elsewhere, where a dry stage keeps new content for Content; "" keeps none
	Force    bool                            // replace and remove also what somebody changed
	Prune    bool                            // drop what is of other sources
	Waiting  func()                          // is called once if another stage has the directory
}

// Stage takes generated files and compares them with a directory. Nothing in
// the directory is replaced or removed before Commit.
type Stage struct {
	Options
	dir   string
	found manifest         // in the directory
	taken map[string]entry // files that were taken, by path
	parts map[string]entry // files of others that have a part, by path
	next  map[string]entry // the manifest after Commit

	lost     losses   // of what no manifest lists: a directory that has none, a file with parts of another one
	refusals []error  // to replace or remove files that are not ours
	lock     *os.File // the directory, while this stage has it; nil where there are no locks
	seed     maphash.Seed

	mu        sync.Mutex // guards what goroutines that write files, and Discard, change
	changes   []Change
	stopped   bool
	temporary map[string]string // names of new files, by path
	made      []string          // folders, outermost first
	unique    string            // of this stage, in the names of temporary files
	created   int               // temporary files
}

// Open returns a stage for the files below dir. It makes dir, unless the stage is
// dry. Until Discard, no other stage can have the directory; Open waits for that
// until ctx ends.
func Open(ctx context.Context, dir string, o Options) (*Stage, error) {
	s := &Stage{
		Options: o, dir: dir, unique: rand.Text(), seed: maphash.MakeSeed(),
		taken: map[string]entry{}, parts: map[string]entry{}, temporary: map[string]string{},
	}
	if err := s.takeTurn(ctx); err != nil {
		return nil, errors.Join(err, s.undo())
	}
	var err error
	if s.found, err = readManifest(dir); err != nil {
		return nil, errors.Join(err, s.undo())
	}
	return s, nil
}

// takeTurn locks the directory. One that is not there is made first, or, by a dry
// stage, needs no lock.
func (s *Stage) takeTurn(ctx context.Context) error {
	for {
		if info, err := os.Stat(s.dir); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file, where a directory is to be; remove it, or choose another directory", s.dir)
		}
		if !s.Dry {
			if err := s.makeFolder(s.dir); err != nil {
				return err
			}
		}
		f, err := lockFolder(ctx, s.dir, s.Dry, s.Waiting)
		if errors.Is(err, os.ErrNotExist) {
			if s.Dry || ctx.Err() != nil {
				return ctx.Err()
			}
			continue // removed by the one who had it before
		}
		if err != nil || f == nil {
			return err
		}
		if sameAs(f, s.dir) {
			s.lock = f
			return nil
		}
		f.Close() // removed likewise, and perhaps made again
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// sameAs reports whether the open folder is still the one of this name.
func sameAs(f *os.File, name string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(name)
	return err == nil && os.SameFile(opened, now)
}

// Len is the number of files that were taken.
func (s *Stage) Len() int { return len(s.taken) }

// Taken are the paths of the files that were taken, in order.
func (s *Stage) Taken() []string { return slices.Sorted(maps.Keys(s.taken)) }

// place is where a slash-separated path lies.
func (s *Stage) place(path string) string { return filepath.Join(s.dir, filepath.FromSlash(path)) }

// Put takes a whole file; see Create.
func (s *Stage) Put(path string, content []byte, sources ...string) error {
	f, err := s.Create(path, sources...)
	if err != nil {
		return err
	}
	f.kept = content
	return f.Close()
}

// Edited notes that somebody else's file, at a path relative to the directory,
// gets part of what was generated. It is not written here, but the manifest remembers
// of which sources it has something. had are the sources that it has a part of
// now, perhaps by a stage of another directory.
func (s *Stage) Edited(path string, had, sources []string) {
	s.parts[path] = newEntry(path, "", sources)
	if others := newEntry(path, "", had).without(set(s.Sources)); len(others) > 0 && !s.Prune {
		s.lost.add(path, others)
	}
}

// Content is what was generated for a path that Changes lists as missing or different.
func (s *Stage) Content(path string) ([]byte, error) {
	s.mu.Lock()
	name := s.temporary[path]
	s.mu.Unlock()
	if name == "" {
		return nil, fmt.Errorf("filetree: the content of %s was not kept", path)
	}
	return os.ReadFile(name)
}

// InPlace is what the directory holds at a path.
func (s *Stage) InPlace(path string) ([]byte, error) { return os.ReadFile(s.place(path)) }

// Print writes a file that is in place to w.
func (s *Stage) Print(w io.Writer, path string) error {
	f, err := os.Open(s.place(path))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// Changes lists, by path, what Commit changes. It is an error if that would
// replace or remove a file that is not as it was generated, or drop a source from
// a file that others share. The changes are listed also then.
func (s *Stage) Changes() ([]Change, error) {
	stale, lost := s.settle()
	changes := slices.Clone(s.changes)
	for _, path := range stale {
		there, err := s.look(path)
		if err != nil {
			s.refusals = append(s.refusals, err)
			continue
		}
		if !there {
			continue
		}
		changes = append(changes, Change{path, Stale})
		if err := s.mayReplace(path, "removed"); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, errors.Join(errors.Join(bounded(s.refusals)...), lost.err())
}

// bounded are the first of many errors, and how many more there are.
func bounded(all []error) []error {
	const most = 20
	if len(all) <= most {
		return all
	}
	return append(slices.Clone(all[:most]), fmt.Errorf("and so for %d more files", len(all)-most))
}

// settle decides on every file of the manifest: what becomes stale, and which
// sources files would lose. The rest of it, with what was taken, is the next manifest.
func (s *Stage) settle() (stale []string, lost losses) {
	s.next = maps.Clone(s.taken)
	maps.Copy(s.next, s.parts)
	sources := set(s.Sources)
	for _, path := range slices.Sorted(maps.Keys(s.found.entries)) {
		e := s.found.entries[path]
		_, written := s.next[path]
		if !written && !s.covers(e) {
			s.next[path] = e
			continue
		}
		others := e.without(sources)
		switch {
		case len(others) == 0 || s.Prune:
			if !written {
				stale = append(stale, path)
			}
		case written || len(others) < len(e.Sources):
			lost.add(path, others)
		default:
			s.next[path] = e
		}
	}
	lost.sources, lost.paths = append(lost.sources, s.lost.sources...), append(lost.paths, s.lost.paths...)
	return stale, lost
}

func set(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// covers reports whether a file lies where this stage writes.
func (s *Stage) covers(e entry) bool {
	folder, _, _ := strings.Cut(e.Path, "/")
	return e.SHA256 != "" && slices.Contains(s.Folders, folder)
}

// Others are the sources that this stage leaves alone, with the number of
// their files in the folders that it writes to. It is known after Changes.
func (s *Stage) Others() (sources []string, files int) {
	for _, e := range s.next {
		if _, written := s.taken[e.Path]; written || !s.covers(e) {
			continue
		}
		files++
		sources = append(sources, e.Sources...)
	}
	slices.Sort(sources)
	return slices.Compact(sources), files
}

// Adopted is, for a directory that had no manifest, the number of files there that
// this one takes for generated, and the paths of others that have the marker in the folders
// that it writes to: perhaps of a run before, perhaps copies, so that they stay.
func (s *Stage) Adopted() (files int, left []string) {
	if !s.found.missing {
		return 0, nil
	}
	files = len(s.taken)
	for _, c := range s.changes {
		if c.Kind == Missing {
			files--
		}
	}
	for _, folder := range s.Folders {
		entries, _ := os.ReadDir(filepath.Join(s.dir, folder))
		for _, e := range entries {
			path := folder + "/" + e.Name()
			if _, written := s.taken[path]; written || !e.Type().IsRegular() || leftBehind.MatchString(e.Name()) {
				continue
			}
			if _, beginning, err := identify(s.place(path)); err == nil && s.marked(beginning) {
				left = append(left, path)
			}
		}
	}
	return files, left
}

// losses are sources that would be dropped from files that others share.
type losses struct {
	sources []string
	paths   []string
}

func (l *losses) add(path string, sources []string) {
	l.paths = append(l.paths, path)
	l.sources = append(l.sources, sources...)
}

// LossError says that sources would be dropped from files that others share.
type LossError struct {
	Sources, Paths []string // sorted
}

func (e *LossError) Error() string {
	return fmt.Sprintf("%s would be dropped from %s", strings.Join(few(e.Sources), ", "), strings.Join(few(e.Paths), ", "))
}

// few are the first of many names, and how many more there are.
func few(names []string) []string {
	const most = 5
	if len(names) <= most+1 {
		return names
	}
	return append(slices.Clone(names[:most]), fmt.Sprintf("%d more", len(names)-most))
}

func (l losses) err() error {
	if len(l.paths) == 0 {
		return nil
	}
	slices.Sort(l.sources)
	slices.Sort(l.paths)
	return &LossError{slices.Compact(l.sources), slices.Compact(l.paths)}
}
