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

// ErrKind says that a file is not a regular one: reading a FIFO could wait forever, and
// a device may do anything.
var ErrKind = errors.New("it is no regular file")

// Read returns the content of a file, up to a size. With folders, the file must be in
// one of them, even after symbolic links; without folders it may be anywhere.
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

// Open opens a file, with the rules of Read.
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

// Within reports whether a name as written is in one of the folders, or there are none.
// It looks at no files.
func Within(name string, folders ...string) bool {
	return len(folders) == 0 || slices.ContainsFunc(folders, func(folder string) bool { _, ok := relative(folder, name); return ok })
}

// relative is a name relative to a folder, if it is written as below it.
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

// open first checks the file, since opening some devices has effects, and then what it
// has opened, which may be another file by then.
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

// wrong is an error with the name as it was given. For names that lead out of a folder,
// os.Root's error is not exported.
func wrong(name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	if err.Error() == "path escapes from parent" {
		err = ErrOutside
	}
	return &fs.PathError{Op: "open", Path: name, Err: err}
}
