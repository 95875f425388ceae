package filetree

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File takes the content of one generated file. It keeps up to maxKept bytes in memory,
// so that nothing is written if they equal the current file. After that it writes
// everything to a new file beside it.
type File struct {
	stage *Stage
	path  string
	from  []string
	place *likeness // of the file in place, nil if there is none

	kept []byte // neither hashed nor written yet
	sum  hash.Hash
	like likeness
	out  *os.File // the new file, once it is started
}

const maxKept = 256 << 10

// Create begins a file at a slash-separated path below the directory, which is
// generated from some of the stage's sources. Close each file before you create the
// next, or open files pile up. Several goroutines may each write a file.
func (s *Stage) Create(path string, sources ...string) (*File, error) {
	f := &File{stage: s, path: path, from: sources, sum: sha256.New(), like: s.newLikeness()}
	there, err := s.look(path)
	if there && err == nil {
		f.place, err = s.likenessOf(path)
	}
	return f, err
}

// Write takes more of the content.
func (f *File) Write(p []byte) (int, error) {
	f.kept = append(f.kept, p...)
	if len(f.kept) <= maxKept {
		return len(p), nil
	}
	f.hash()
	return len(p), f.write()
}

func (f *File) hash() {
	f.sum.Write(f.kept)
	_, _ = f.like.Write(f.kept) // it never fails
}

// write writes the kept content to the new file, unless the stage is dry and keeps
// nothing.
func (f *File) write() (err error) {
	if f.out == nil && (!f.stage.Dry || f.stage.Scratch != "") {
		f.out, err = f.stage.createBeside(f.path)
	}
	if f.out != nil && err == nil {
		_, err = f.out.Write(f.kept)
	}
	f.kept = f.kept[:0]
	return err
}

// Close ends the file.
func (f *File) Close() error {
	f.hash()
	same := f.place != nil && f.like.sum() == f.place.sum()
	var err error
	if !same {
		err = f.write()
	}
	if f.out != nil {
		err = errors.Join(err, f.out.Close())
	}
	if err != nil {
		return err
	}
	sum := hex.EncodeToString(f.sum.Sum(nil))
	if same && !bytes.Equal(f.like.line, f.place.line) {
		if sum, _, err = identify(f.stage.place(f.path)); err != nil {
			return err
		}
	}
	return f.stage.take(newEntry(f.path, sum, f.from), f.place != nil, same)
}

// take records a new file, and what to do with it.
func (s *Stage) take(e entry, there, same bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[e.Path] = e
	switch {
	case same && s.temporary[e.Path] != "":
		err := os.Remove(s.temporary[e.Path])
		delete(s.temporary, e.Path)
		return err
	case same:
		return nil
	case there:
		s.changes = append(s.changes, Change{e.Path, Differs})
		return s.mayReplace(e.Path, "overwritten")
	}
	s.changes = append(s.changes, Change{e.Path, Missing})
	return nil
}

// createBeside creates a new file in the folder of a path, and makes the folder if
// needed. Everybody may read it, whatever the umask.
func (s *Stage) createBeside(path string) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errStopped
	}
	s.created++
	folder := filepath.Dir(s.place(path))
	if s.Dry {
		folder = s.Scratch
	}
	name := filepath.Join(folder, temporaryName(s.unique, s.created))
	out, err := createNew(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeFolder(filepath.Dir(name)); err != nil {
			return nil, err
		}
		out, err = createNew(name)
	}
	if err != nil {
		return nil, err
	}
	s.temporary[path] = name
	return out, out.Chmod(0o644)
}

func createNew(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// likeness is a hash for comparing two files. Of a line that may differ, only the
// beginning counts.
type likeness struct {
	ignore string
	hash   maphash.Hash
	begun  bool
	line   []byte // including its end; nil if there is none
}

// headSize is how far into a file that line is searched.
const headSize = 4 << 10

// Write adds content. The first call must have headSize bytes, if the content is that
// long.
func (l *likeness) Write(p []byte) (int, error) {
	n := len(p)
	if !l.begun && l.ignore != "" {
		at, line := lineOf(p, l.ignore)
		if l.line = bytes.Clone(line); line != nil {
			l.hash.Write(p[:at])
			l.hash.WriteString(l.ignore + "\n")
			p = p[at+len(line):]
		}
	}
	l.begun = true
	l.hash.Write(p)
	return n, nil
}

func (l *likeness) sum() uint64 { return l.hash.Sum64() }

func (s *Stage) newLikeness() likeness {
	l := likeness{ignore: s.Ignore}
	l.hash.SetSeed(s.seed)
	return l
}

// likenessOf reads the current file.
func (s *Stage) likenessOf(path string) (*likeness, error) {
	f, err := os.Open(s.place(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := s.newLikeness()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	_, _ = l.Write(head[:n]) // it never fails
	_, err = io.Copy(&l, f)
	return &l, err
}

// lineOf returns the first line of a text with the beginning, and its place.
func lineOf(text []byte, beginning string) (at int, line []byte) {
	text = text[:min(len(text), headSize)]
	if !bytes.HasPrefix(text, []byte(beginning)) {
		at = bytes.Index(text, []byte("\n"+beginning)) + 1
		if at == 0 {
			return 0, nil
		}
	}
	end := bytes.IndexByte(text[at:], '\n')
	if end < 0 {
		return 0, nil
	}
	return at, text[at : at+end+1]
}
