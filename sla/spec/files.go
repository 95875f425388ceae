package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/upheld-sla/upheld/sla"
)

// standardInputName is the file name in findings about the path "-".
const standardInputName = "<stdin>"

// standardInput is read once. Findings show its lines later, and a server that reloads
// gets the same text again.
var standardInput = sync.OnceValues(func() ([]byte, error) {
	return io.ReadAll(io.LimitReader(os.Stdin, maxFileSize+1))
})

// maxFileSize is far above any agreement. It keeps a wrong path from filling the memory.
const maxFileSize = 8 << 20

// expandPaths turns paths into files, each once, in the order of the paths.
func (l *loader) expandPaths(paths []string) []string {
	var files []string
	seen := map[string]bool{}
	for _, path := range paths {
		for _, file := range l.filesOf(path) {
			if !seen[file] {
				seen[file] = true
				files = append(files, file)
			}
		}
	}
	l.reportUnread(seen)
	return files
}

func (l *loader) filesOf(path string) []string {
	switch path {
	case "":
		l.fileError(`""`, "no-such-file", "is no name of a file", "give the variable that it comes from a value")
		return nil
	case "-":
		return []string{standardInputName}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return l.filesIn(path)
	case err == nil:
		return []string{filepath.Clean(path)}
	case !errors.Is(err, fs.ErrNotExist):
		l.fileError(path, "unreadable-file", "cannot be read: "+withoutPath(err), "")
		return nil
	}
	matches, err := filepath.Glob(path)
	if err != nil {
		l.fileError(path, "no-such-file", "is not a file, and not a valid glob either", "quote [ and ] in it with a backslash")
		return nil
	}
	if len(matches) == 0 {
		l.fileError(path, "no-such-file", "no such file or directory, and as a glob it matches nothing", "")
	}
	var files []string
	dir, folders := globRoot(path), 0
	for _, match := range matches {
		if info, err := os.Stat(match); err == nil && info.IsDir() {
			folders++
			continue
		}
		if l.checkInside(dir, match) {
			files = append(files, match)
		}
	}
	if folders > 0 && folders == len(matches) {
		l.fileError(path, "no-such-file", "as a glob it matches only directories", "name the directories without quotes, or a glob of files such as '"+path+"/*.yaml'")
	}
	return files
}

// globRoot is the directory in front of a glob's first special character.
func globRoot(glob string) string {
	if at := strings.IndexAny(glob, `*?[\`); at >= 0 {
		glob = glob[:at]
	}
	return filepath.Dir(glob + "x")
}

func (l *loader) filesIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.fileError(dir, "unreadable-file", "cannot be read: "+withoutPath(err), "")
		return nil
	}
	var files []string
	found := false
	for _, e := range entries {
		if !isSpecName(e.Name()) || e.IsDir() {
			continue
		}
		found = true
		if file := filepath.Join(dir, e.Name()); l.checkInside(dir, file) {
			files = append(files, file)
		}
	}
	below, all := specsBelow(dir, entries)
	if len(below) > 0 {
		l.unread = append(l.unread, unread{dir, found, below, all})
	} else if !found {
		l.fileError(dir, "no-such-file", "this directory holds no *.yaml or *.yml file", "name a file, or the directory that holds them (subdirectories are not searched)")
	}
	return files
}

// unread are specifications in subdirectories of a directory that was named.
type unread struct {
	dir   string
	found bool // there are specifications in the directory itself
	specs []string
	all   bool // specs are all of them
}

// reportUnread reports specifications in subdirectories, unless another path named them.
func (l *loader) reportUnread(read map[string]bool) {
	const most = 3
	for _, u := range l.unread {
		left := slices.DeleteFunc(u.specs, func(file string) bool { return read[file] })
		if len(left) == 0 {
			continue
		}
		more := ""
		if !u.all || len(left) > most {
			more = " and more"
		}
		l.findings = append(l.findings, sla.Finding{
			Severity: unreadSeverity(u.found), Rule: "unread-subdirectory", Pos: sla.Position{File: u.dir},
			Message: "subdirectories are not searched, and there are specifications in them: " + strings.Join(left[:min(most, len(left))], ", ") + more,
			Remedy:  "name the directories too, or a glob such as '" + filepath.Join(u.dir, "*", "*.yaml") + "'",
		})
	}
}

// unreadSeverity is a warning if other specifications of the directory were read, since
// that may be intended.
func unreadSeverity(others bool) sla.Severity {
	if others {
		return sla.Warning
	}
	return sla.Error
}

func isSpecName(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".")
}

// checkInside refuses a file of a directory that is a symbolic link to a file outside of
// it: a pull request from a stranger could make findings show that file. It also refuses
// what is no regular file, since opening a FIFO could wait for ever.
func (l *loader) checkInside(dir, file string) bool {
	info, err := os.Lstat(file)
	if err == nil && info.Mode().IsRegular() && filepath.Dir(file) == filepath.Clean(dir) {
		return true
	}
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		l.fileError(file, "unreadable-file", "cannot be read: "+withoutPath(err), "")
		return false
	}
	root, err := filepath.EvalSymlinks(dir)
	if err == nil {
		if root, err = filepath.Abs(root); err == nil {
			target, err = filepath.Abs(target)
		}
	}
	if err != nil {
		l.fileError(file, "unreadable-file", "cannot be read: "+withoutPath(err), "")
		return false
	}
	if inside, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(inside) {
		l.fileError(file, "unreadable-file", "is a symbolic link to outside of "+dir+", and is not followed", "name the file itself, or the directory that it is in")
		return false
	}
	if info, err := os.Stat(target); err != nil || !info.Mode().IsRegular() {
		l.fileError(file, "unreadable-file", "is no regular file", "remove it from "+dir)
		return false
	}
	return true
}

// specsBelow finds specifications in the subdirectories of a directory. all is false if
// the search ended early, at its limit.
func specsBelow(dir string, entries []fs.DirEntry) (specs []string, all bool) {
	const mostEntries = 2000
	looked := 0
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		err := filepath.WalkDir(filepath.Join(dir, e.Name()), func(path string, d fs.DirEntry, err error) error {
			switch looked++; {
			case looked > mostEntries:
				return fs.SkipAll
			case err != nil:
				return nil //nolint:nilerr // a directory that cannot be opened is skipped
			case d.IsDir() && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case d.Type().IsRegular() && isSpecName(d.Name()) && isSpec(path):
				specs = append(specs, path)
			}
			return nil
		})
		if err != nil || looked > mostEntries {
			return specs, false
		}
	}
	return specs, true
}

// isSpec returns whether the beginning of a file looks like a specification.
func isSpec(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4<<10)
	n, _ := io.ReadFull(f, head)
	return hasMark(head[:n])
}

func (l *loader) load(file string) {
	if text, given := l.files.Instead[file]; given {
		l.read(file, []byte(text))
		return
	}
	text, size, err := readFile(file)
	switch {
	case err != nil:
		l.fileError(file, "unreadable-file", "cannot be read: "+withoutPath(err), "")
		return
	case size > maxFileSize:
		l.fileError(file, "unreadable-file", fmt.Sprintf("is larger than %d MiB, which is the most for a specification", maxFileSize>>20), "")
		return
	}
	l.read(file, text)
}

// readFile returns the content of a file, and only its size if that is more than
// maxFileSize.
func readFile(file string) (text []byte, size int64, err error) {
	if file == standardInputName {
		text, err = standardInput()
		return text, int64(len(text)), err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if info.Size() > maxFileSize {
		return nil, info.Size(), nil
	}
	buffer := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	size, err = buffer.ReadFrom(io.LimitReader(f, maxFileSize+1)) // the file may grow, or be a pipe
	return buffer.Bytes(), size, err
}

// withoutPath is the cause of a file error without the path, which the finding already
// has.
func withoutPath(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
