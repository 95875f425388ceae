// Package regular reads files that a specification names: only regular files, up to
// a size, and, if wanted, only inside certain folders.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// ErrOutside says that a file is in none of the folders, or is a symbolic link that
// leads out of them. It does not say whether the file exists.
var ErrOutside = errors.New("it is outside of the folders that files may be in")

// ErrKind says that a file is none: a FIFO could be waited for without end, and a
// device may do anything.
var ErrKind = errors.New("it is no regular file")

// Read is the content of a file of at most so many bytes. With folders, it has to be
// in one of them, also after symbolic links; without, it may be anywhere.
func Read(name string, most int64, folders ...string) ([]byte, error) {
	f, err := Open(name, folders...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("%s is larger than %s", name, size(most))
	}
	return text, err
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// Open opens a file as Read does.
func Open(name string, folders ...string) (*os.File, error) {
	if len(folders) == 0 {
		return open(name, name, os.Stat, os.OpenFile)
	}
	for _, folder := range folders {
		inside, ok := relative(folder, name)
		if !ok {
			continue
		}
		root, err := os.OpenRoot(folder)
		if err != nil {
			continue
		}
		defer root.Close()
		return open(name, inside, root.Stat, root.OpenFile)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: ErrOutside}
}

// Within reports whether a name, as it is written, is in one of the folders; any is
// where there are none. Nothing is looked at.
func Within(name string, folders ...string) bool {
	return len(folders) == 0 || slices.ContainsFunc(folders, func(folder string) bool { _, ok := relative(folder, name); return ok })
}

// relative is a name as seen from a folder, if it is below it as it is written.
func relative(folder, name string) (string, bool) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", false
	}
	if name, err = filepath.Abs(name); err != nil {
		return "", false
	}
	inside, err := filepath.Rel(folder, name)
	return inside, err == nil && filepath.IsLocal(inside)
}

// open looks at the file first, since opening some devices does something, and then
// at what was opened, which may be another one by then.
func open(name, at string, stat func(string) (fs.FileInfo, error), open func(string, int, fs.FileMode) (*os.File, error)) (*os.File, error) {
	info, err := stat(at)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrKind
	}
	if err != nil {
		return nil, wrong(name, err)
	}
	f, err := open(at, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, wrong(name, err)
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = ErrKind
	}
	if err != nil {
		return nil, wrong(name, errors.Join(err, f.Close()))
	}
	return f, nil
}

// wrong is an error with the name as it was given. What leads out of a folder has an
// error of os.Root that is not exported.
func wrong(name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	if err.Error() == "path escapes from parent" {
		err = ErrOutside
	}
	return &fs.PathError{Op: "open", Path: name, Err: err}
}
