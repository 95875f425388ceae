// Package filetree puts a set of generated files into a directory, all or none:
// every file that changes is written beside its place first, and only when all
// are written are they renamed into place. Files are taken as streams, one or a
// few at a time, so that neither memory nor open files grow with their number.
// It knows nothing of what the files hold, save the marker by which generated
// files are recognised.
package filetree

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// Stage takes generated files and compares them with a directory. Nothing in
// the directory is replaced or removed before Commit.
type Stage struct {
	dir, marker string
	idle        string   // the beginning of a line that is no difference
	also        []string // folders that may be left with nothing but stale files
	dry         bool
	paths       map[string]bool // files that were taken
	temporary   map[string]string
	changes     []Change
	foreign     []error
	free        []*blocks
	looked      []byte // by marked

	unique  string // of this stage, in the names of temporary files
	created int    // temporary files

	permitted, narrowed bool // see permit
}

// New is a stage for the files below dir, which need not exist. A dry one only
// compares and writes nothing at all. Files are stale that carry the marker and
// lie in one of the folders that are generated to.
func New(dir, marker string, dry bool) *Stage {
	return &Stage{dir: dir, marker: marker, dry: dry, unique: rand.Text(), paths: map[string]bool{}, temporary: map[string]string{}}
}

// Ignore makes a line that begins like this no difference between two files:
// the one in place stays as it is if nothing else differs. It is looked for in
// the first four kilobytes of a file, and has to be called before the first Create.
func (s *Stage) Ignore(beginning string) { s.idle = beginning }

// Folder names a folder that may have been generated to before, even if nothing
// is now.
func (s *Stage) Folder(name string) { s.also = append(s.also, name) }

// Len is the number of files that were taken.
func (s *Stage) Len() int { return len(s.paths) }

// place is where a slash-separated path lies.
func (s *Stage) place(path string) string { return filepath.Join(s.dir, filepath.FromSlash(path)) }

// Put takes a whole file; see Create.
func (s *Stage) Put(path string, content []byte) error {
	f, err := s.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.take(content), f.Close())
}

// Changes lists, by path, what Commit changes. It is an error if a file would
// replace one without the marker, which somebody else wrote.
func (s *Stage) Changes() ([]Change, error) {
	stale, err := s.stale()
	if err != nil {
		return nil, err
	}
	changes := slices.Concat(s.changes, stale)
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, errors.Join(s.foreign...)
}

func (s *Stage) stale() ([]Change, error) {
	folders := map[string]bool{}
	for _, folder := range s.also {
		folders[folder] = true
	}
	for path := range s.paths {
		folders[filepath.Dir(filepath.FromSlash(path))] = true
	}
	own := map[string]bool{}
	for _, name := range s.temporary {
		own[name] = true
	}
	var stale []Change
	for folder := range folders {
		entries, err := os.ReadDir(filepath.Join(s.dir, folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.ToSlash(filepath.Join(folder, e.Name()))
			if s.paths[path] || !e.Type().IsRegular() || own[filepath.Join(s.dir, folder, e.Name())] {
				continue
			}
			ours, err := s.marked(filepath.Join(s.dir, folder, e.Name()))
			if err != nil {
				return nil, err
			}
			if ours {
				stale = append(stale, Change{path, Stale})
			}
		}
	}
	return stale, nil
}

// Commit carries out changes that Changes listed. Before it renames the first
// file every new content is on disk, so that after a crash at any moment each
// file is the old one or the new one, whole; when it returns, all are the new ones
// and the folders are on disk too. An error before the first file is renamed
// leaves the directory as it was.
func (s *Stage) Commit(changes []Change) error {
	if s.dry {
		return fmt.Errorf("filetree: nothing was written to be put into place")
	}
	if err := s.sync(); err != nil {
		return err
	}
	for _, c := range changes {
		if c.Kind == Stale {
			continue
		}
		if err := rename(s.temporary[c.Path], s.place(c.Path)); err != nil {
			return err
		}
		delete(s.temporary, c.Path)
	}
	for _, c := range changes {
		if c.Kind == Stale {
			if err := os.Remove(s.place(c.Path)); err != nil {
				return err
			}
		}
	}
	return s.syncFolders(changes)
}

// Discard removes what was written and not put into place. After Commit it has
// nothing to do.
func (s *Stage) Discard() {
	for _, name := range s.temporary {
		os.Remove(name)
	}
	clear(s.temporary)
}
