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

// errStopped is the error of operations after Discard.
var errStopped = errors.New("stopped: nothing was written")

// Commit carries out the changes from Changes. All new content is on disk before it
// renames the first file, so that after a crash at any moment each file is completely
// old or completely new. When it returns, all files are new and the folders are on
// disk, too. An error before the first rename leaves the directory as it was.
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
	s.made = nil // from here on they are kept
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

// writePending writes the next manifest beside the current one, if they differ.
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

// sweep removes temporary files of killed runs. While this stage has the directory,
// nobody else writes any. Files that it cannot remove stay until the next run.
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

// Discard removes files that were not put into place, and gives up the directory. You
// may call it while files are still being made, which then fails; it waits for a
// running Commit. Further calls do nothing.
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
		os.Remove(folder) // only an empty one is removed
	}
	s.made = nil
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
}

// makeFolder makes a folder and its parents, and remembers them.
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
	if errors.Is(err, fs.ErrExist) { // somebody else has just made it
		return nil
	}
	if err == nil {
		s.made = append(s.made, name)
	}
	return err
}

// sync brings the new files' content safely to disk. Syncing many files at once takes a
// tenth of the time.
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

// syncFolders brings the names of changed files safely to disk, if the file system can
// do that for folders.
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
