package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Replacement is new content for somebody else's file. It is beside the file until
// Commit.
type Replacement struct {
	path, temporary string
}

// Replace prepares new content for an existing file. It replaces the target of a
// symbolic link, not the link; permissions stay.
func Replace(path string, content []byte) (*Replacement, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	f, err := createTemporary(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	r := &Replacement{path, f.Name()}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close()); err != nil {
		r.Discard()
		return nil, err
	}
	return r, nil
}

// Commit puts the content into place. A nil replacement does nothing.
func (r *Replacement) Commit() error {
	if r == nil {
		return nil
	}
	if err := os.Rename(r.temporary, r.path); err != nil {
		return err
	}
	r.temporary = ""
	return nil
}

// Discard removes the new content if it was not put into place.
func (r *Replacement) Discard() {
	if r != nil && r.temporary != "" {
		os.Remove(r.temporary)
	}
}

// Write writes a file of a directory, or replaces its content: completely or not at
// all.
func Write(path string, content []byte) error {
	return writeThen(path, content, os.Rename)
}

// WriteNew writes a new file: completely or not at all. If it exists it stays, and the
// error is fs.ErrExist.
func WriteNew(path string, content []byte) error {
	return writeThen(path, content, func(temporary, path string) error {
		err := os.Link(temporary, path)
		if err == nil {
			return errors.Join(os.Remove(temporary), syncFolder(filepath.Dir(path)))
		}
		if _, there := os.Lstat(path); there == nil || errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", path, fs.ErrExist)
		}
		return os.Rename(temporary, path) // the file system has no hard links
	})
}

// syncFolder makes a new name in a folder survive a crash, where folders can be synced.
func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_ = f.Sync() // some file systems refuse it for folders
	return f.Close()
}

func writeThen(path string, content []byte, place func(temporary, path string) error) error {
	f, err := createTemporary(filepath.Dir(path))
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = place(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
