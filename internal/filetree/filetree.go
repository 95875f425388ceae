// Package filetree puts a set of generated files into a directory, all or none: it
// first writes every changed file beside its place, and renames them into place only
// when all are written. It takes files as streams, one or a few at a time, so that
// neither memory nor open files grow with their number.
//
// A manifest in the directory lists what was written, by path and hash. Nothing else is
// ever replaced or removed, nor is a file that has changed since. The package knows
// nothing about the content of files, except the marker that identifies generated files
// in a directory without a manifest.
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

// Change is one difference between the generated files and a directory.
type Change struct {
	Path string
	Kind Kind
}

// Kind says how a file in the directory is out of date.
type Kind string

// The kinds of change.
const (
	Missing Kind = "missing" // not there yet
	Differs Kind = "differs" // there with other content
	Stale   Kind = "stale"   // generated earlier, but no longer
)

// Options say how a directory is written to.
type Options struct {
	Marker   string                          // a text in generated files, for a directory without a manifest
	Ignore   string                          // a line with this beginning may differ between two files; it is in their first 4 KiB
	Folders  []string                        // folders to write: a file of the manifest in them that is no longer generated is stale
	Sources  []string                        // all sources of the generated files; files of other sources stay
	FilledIn []string                        // files that people may have filled in, so that the marker does not prove who wrote them
	From     func(beginning []byte) []string // the sources that a file with the marker names, for a directory without a manifest; may be nil
	Dry      bool                            // only compare: write nothing at all
	Scratch  string                          // a folder elsewhere, where a dry stage keeps new content for Content; "" keeps none
	Force    bool                            // also replace and remove files that somebody has changed
	Prune    bool                            // remove files of other sources
	Waiting  func()                          // called once if another stage has the directory
}

// Stage takes generated files and compares them with a directory. Nothing in
// the directory is replaced or removed before Commit.
type Stage struct {
	Options
	dir   string
	found manifest         // in the directory
	taken map[string]entry // files that were taken, by path
	parts map[string]entry // other people's files that contain a generated part, by path
	next  map[string]entry // the manifest after Commit

	lost     losses   // losses that no manifest lists: from a directory without one, or from a file with parts of another directory
	refusals []error  // refusals to replace or remove files that are not ours
	lock     *os.File // the directory, while this stage has it; nil on systems without locks
	seed     maphash.Seed

	mu        sync.Mutex // guards what Discard and the goroutines that write files change
	changes   []Change
	stopped   bool
	temporary map[string]string // names of new files, by path
	made      []string          // folders, outermost first
	unique    string            // of this stage, for the names of temporary files
	created   int               // temporary files
}

// Open returns a stage for the files below dir. It makes dir, unless the stage is dry.
// Until Discard, no other stage can use the directory; Open waits for it until ctx
// ends.
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

// takeTurn locks the directory. If it does not exist it is made first, or needs no lock
// for a dry stage.
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
			continue // removed by the stage that had it before
		}
		if err != nil || f == nil {
			return err
		}
		if sameAs(f, s.dir) {
			s.lock = f
			return nil
		}
		f.Close() // removed in the same way, and perhaps made again
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// sameAs reports whether the open folder is still the one with this name.
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

// place is the file name of a slash-separated path.
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

// Edited notes that somebody else's file, at a path relative to the directory, gets a
// part of the generated content. The stage does not write it, but the manifest
// remembers the sources in it. had are the sources that it contains now, perhaps from a
// stage of another directory.
func (s *Stage) Edited(path string, had, sources []string) {
	s.parts[path] = newEntry(path, "", sources)
	if others := newEntry(path, "", had).without(set(s.Sources)); len(others) > 0 && !s.Prune {
		s.lost.add(path, others)
	}
}

// Content is the generated content for a path that Changes lists as missing or
// different.
func (s *Stage) Content(path string) ([]byte, error) {
	s.mu.Lock()
	name := s.temporary[path]
	s.mu.Unlock()
	if name == "" {
		return nil, fmt.Errorf("filetree: the content of %s was not kept", path)
	}
	return os.ReadFile(name)
}

// InPlace is the current content of a path in the directory.
func (s *Stage) InPlace(path string) ([]byte, error) { return os.ReadFile(s.place(path)) }

// Print writes the current file to w.
func (s *Stage) Print(w io.Writer, path string) error {
	f, err := os.Open(s.place(path))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// Changes lists, by path, what Commit would change. It is an error if that would
// replace or remove a file that is not as it was generated, or drop a source from a
// shared file. It returns the changes even with an error.
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

// bounded returns the first of many errors, and counts the rest.
func bounded(all []error) []error {
	const most = 20
	if len(all) <= most {
		return all
	}
	return append(slices.Clone(all[:most]), fmt.Errorf("and so for %d more files", len(all)-most))
}

// settle decides about every file of the manifest: which become stale, and which
// sources files would lose. The others and the new files are the next manifest.
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

// covers reports whether a file is in a folder that this stage writes.
func (s *Stage) covers(e entry) bool {
	folder, _, _ := strings.Cut(e.Path, "/")
	return e.SHA256 != "" && slices.Contains(s.Folders, folder)
}

// Others are the sources that this stage leaves alone, with the number of their files
// in the folders that it writes. Call it after Changes.
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

// Adopted returns two results for a directory without a manifest: the number of files
// that this stage treats as generated, and the paths of other files with the marker in
// its folders. The latter may be from an earlier run or copies, so they stay.
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

// losses are sources that would be dropped from shared files.
type losses struct {
	sources []string
	paths   []string
}

func (l *losses) add(path string, sources []string) {
	l.paths = append(l.paths, path)
	l.sources = append(l.sources, sources...)
}

// LossError says that sources would be dropped from shared files.
type LossError struct {
	Sources, Paths []string // sorted
}

func (e *LossError) Error() string {
	return fmt.Sprintf("%s would be dropped from %s", strings.Join(few(e.Sources), ", "), strings.Join(few(e.Paths), ", "))
}

// few returns the first of many names, and counts the rest.
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
