package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// errStopped is what goes on after Discard gets.
var errStopped = errors.New("stopped: nothing was written")

// Commit carries out changes that Changes listed. Before it renames the first
// file every new content is on disk, so that after a crash at any moment each
// file is the old one or the new one, whole; when it returns, all are the new ones
// and the folders are on disk too. An error before the first file is renamed
// leaves the directory as it was.
func (s *Stage) Commit(changes []Change) error {
	if s.Dry {
		return fmt.Errorf("filetree: nothing was written to be put into place")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	listed, err := s.writePending()
	if err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	s.made = nil // from here on they stay
	for _, c := range changes {
		if c.Kind == Stale {
			continue
		}
		if err := os.Rename(s.temporary[c.Path], s.place(c.Path)); err != nil {
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
	if listed {
		if err := os.Rename(s.place(pendingName), s.place(ManifestName)); err != nil {
			return err
		}
	}
	s.sweep()
	return s.syncFolders(changes)
}

// writePending writes the next manifest beside the present one, if they differ.
func (s *Stage) writePending() (differs bool, err error) {
	text, err := manifestText(s.next)
	if err != nil {
		return false, err
	}
	if err := os.Remove(s.place(pendingName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if string(text) == string(s.found.text) {
		return false, nil
	}
	f, err := createNew(s.place(pendingName))
	if err != nil {
		return false, err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		os.Remove(s.place(pendingName))
	}
	return true, err
}

// sweep removes temporary files of runs that were killed. While this stage has
// the directory, no other can be writing them. What cannot be removed stays for the
// next time.
func (s *Stage) sweep() {
	if s.lock == nil {
		return
	}
	folders := slices.Clone(s.Folders)
	for path := range s.next {
		folders = append(folders, filepath.Dir(filepath.FromSlash(path)))
	}
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		if !filepath.IsLocal(folder) || s.inside(folder) != nil {
			continue
		}
		entries, _ := os.ReadDir(filepath.Join(s.dir, folder))
		for _, e := range entries {
			if e.Type().IsRegular() && leftBehind.MatchString(e.Name()) {
				os.Remove(filepath.Join(s.dir, folder, e.Name()))
			}
		}
	}
}

// Discard removes what was written and not put into place, and lets others have
// the directory. It may be called while files are still being made, which then fails;
// if Commit is under way it waits for that. After the first call it has nothing to do.
func (s *Stage) Discard() { _ = s.undo() }

func (s *Stage) undo() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, name := range s.temporary {
		os.Remove(name)
	}
	clear(s.temporary)
	for _, folder := range slices.Backward(s.made) {
		os.Remove(folder) // if it is empty
	}
	s.made = nil
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
}

// makeFolder makes a folder and those that it lies in, and remembers them.
func (s *Stage) makeFolder(name string) error {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if parent := filepath.Dir(name); parent != name {
		if err := s.makeFolder(parent); err != nil {
			return err
		}
	}
	err := os.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) { // made by somebody else just now
		return nil
	}
	if err == nil {
		s.made = append(s.made, name)
	}
	return err
}

// sync brings the new files' content safely to disk. A file system takes many at once
// in a tenth of the time of one after the other.
func (s *Stage) sync() error {
	const most = 16
	var all errgroup.Group
	all.SetLimit(most)
	for _, name := range s.temporary {
		all.Go(func() error {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			return errors.Join(f.Sync(), f.Close())
		})
	}
	return all.Wait()
}

// syncFolders brings the names of changed files safely to disk, where a file
// system can do that for folders.
func (s *Stage) syncFolders(changes []Change) error {
	synced := map[string]bool{}
	for _, c := range append(slices.Clone(changes), Change{Path: ManifestName}) {
		folder := filepath.Dir(s.place(c.Path))
		if synced[folder] {
			continue
		}
		synced[folder] = true
		f, err := os.Open(folder)
		if err != nil {
			return err
		}
		err = f.Sync()
		f.Close() // it was only read
		if err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}
