package filetree

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// temporaryPrefix begins the names of files that are not in place yet.
const temporaryPrefix = ".upheld-"

// File takes the content of one generated file. While it is what the file in
// place holds nothing is written; from the first difference on, everything is
// written to a new file beside it.
type File struct {
	stage  *Stage
	path   string
	have   *os.File // the file in place, nil if there is none
	same   int64    // bytes that are the same
	out    *os.File // the new file, once there is a difference; nil if dry
	differ bool
	head   heads
	sum    hash.Hash // of what will be in place
	from   []string
	*blocks
}

// heads are the lines of both files that are no difference, each with its end.
type heads struct {
	at         int64  // where both begin
	ours, have []byte // nil without such lines
}

// blocks are the memory of one open file, which the next one uses again.
type blocks struct {
	gathered []byte        // small writes
	place    *bufio.Reader // of the file in place, while no difference was found
}

const blockSize = 64 << 10

func newBlocks() *blocks {
	// A block of the file in place may be longer by the line that is no difference.
	return &blocks{gathered: make([]byte, 0, blockSize), place: bufio.NewReaderSize(nil, blockSize+4<<10)}
}

// Create begins a file at a slash-separated path below the directory, which is
// generated from some of the stage's sources. Close has to be called before the next is
// created, or open files pile up.
func (s *Stage) Create(path string, sources ...string) (*File, error) {
	there, err := s.look(path)
	if err != nil {
		return nil, err
	}
	f := &File{stage: s, path: path, sum: sha256.New(), from: sources}
	if n := len(s.free); n > 0 {
		f.blocks, s.free = s.free[n-1], s.free[:n-1]
	} else {
		f.blocks = newBlocks()
	}
	s.taken[path] = entry{Path: path}
	if !there {
		return f, f.changed(Missing)
	}
	if f.have, err = openFile(s.place(path), os.O_RDONLY, 0); err != nil {
		return nil, err
	}
	f.place.Reset(f.have)
	return f, nil
}

// changed notes the difference and, unless the stage is dry, begins the new
// file with what was the same.
func (f *File) changed(kind Kind) error {
	f.differ = true
	s := f.stage
	if kind == Differs {
		if err := s.mayReplace(f.path, "overwritten"); err != nil {
			return err
		}
	}
	s.changes = append(s.changes, Change{f.path, kind})
	if s.Dry {
		return nil
	}
	out, err := s.createBeside(f.path)
	if err != nil {
		return err
	}
	f.out = out
	if f.have != nil {
		f.sum.Reset()
		return f.copySame(io.MultiWriter(out, f.sum))
	}
	return nil
}

// createBeside creates a new file in the folder of a path, which is made if it is
// not there.
func (s *Stage) createBeside(path string) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errStopped
	}
	folder := filepath.Dir(s.place(path))
	create := func() (*os.File, error) {
		s.created++
		name := filepath.Join(folder, fmt.Sprintf("%s%s-%d", temporaryPrefix, s.unique, s.created))
		return openFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	}
	out, err := create()
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeFolder(folder); err != nil {
			return nil, err
		}
		out, err = create()
	}
	for tries := 0; errors.Is(err, fs.ErrExist) && tries < 10; tries++ {
		s.unique = rand.Text()
		out, err = create()
	}
	if err != nil {
		return nil, err
	}
	s.temporary[path] = out.Name()
	if err := s.permit(out); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// permit lets everybody read a new file. The first one shows whether the umask
// takes something off, and so all have to be told.
func (s *Stage) permit(f *os.File) error {
	const mode = 0o644
	if !s.permitted {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		s.permitted, s.narrowed = true, info.Mode().Perm() != mode
	}
	if !s.narrowed {
		return nil
	}
	return f.Chmod(mode)
}

// copySame writes what was the same, with our own line where that was not.
func (f *File) copySame(out io.Writer) error {
	if _, err := f.have.Seek(0, io.SeekStart); err != nil {
		return err
	}
	rest := f.same
	if f.head.ours != nil && rest > f.head.at {
		if _, err := io.CopyN(out, f.have, f.head.at); err != nil {
			return err
		}
		if _, err := out.Write(f.head.ours); err != nil {
			return err
		}
		if _, err := f.have.Seek(int64(len(f.head.have)), io.SeekCurrent); err != nil {
			return err
		}
		rest -= f.head.at + int64(len(f.head.have))
	}
	_, err := io.CopyN(out, f.have, rest)
	return err
}

// alike is the first block of ours with the line that is no difference as the
// file in place has it, so that the two can be compared by their bytes.
func (f *File) alike(p []byte) ([]byte, error) {
	if f.stage.Ignore == "" {
		return p, nil
	}
	first, err := f.place.Peek(min(len(p), headSize))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	at, ours := lineOf(p, f.stage.Ignore)
	other, have := lineOf(first, f.stage.Ignore)
	if ours == nil || have == nil || at != other || bytes.Equal(ours, have) {
		return p, nil
	}
	f.head = heads{int64(at), bytes.Clone(ours), bytes.Clone(have)}
	return slices.Concat(p[:at], have, p[at+len(ours):]), nil
}

// headSize is how far into a file the line is looked for.
const headSize = 4 << 10

// lineOf is the first line of text that begins with the beginning, and where.
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

// Write takes more of the content.
func (f *File) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		some := p[:min(len(p), blockSize-len(f.gathered))]
		f.gathered = append(f.gathered, some...)
		p = p[len(some):]
		if len(f.gathered) == blockSize {
			if err := f.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (f *File) flush() error {
	err := f.take(f.gathered)
	f.gathered = f.gathered[:0]
	return err
}

// take compares, or writes, the next block. It can be of any length.
func (f *File) take(p []byte) error {
	if !f.differ && len(p) > 0 {
		same, err := f.compare(p)
		if same || err != nil {
			return err
		}
		if err := f.changed(Differs); err != nil {
			return err
		}
	}
	if f.out == nil {
		return nil
	}
	f.sum.Write(p)
	_, err := f.out.Write(p)
	return err
}

// compare tells whether the file in place goes on with p.
func (f *File) compare(p []byte) (bool, error) {
	if f.same == 0 {
		var err error
		if p, err = f.alike(p); err != nil {
			return false, err
		}
	}
	whole := p
	for len(p) > 0 {
		some := p[:min(len(p), f.place.Size())]
		have, err := f.place.Peek(len(some))
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if !bytes.Equal(have, some) {
			return false, nil
		}
		p = p[len(some):]
		if _, err := f.place.Discard(len(some)); err != nil {
			return false, err
		}
	}
	f.same += int64(len(whole))
	f.sum.Write(whole)
	return true, nil
}

// Close ends the file.
func (f *File) Close() error {
	err := f.flush()
	if err == nil && !f.differ {
		if more, _ := f.place.Peek(1); len(more) > 0 { // the file in place goes on
			err = f.changed(Differs)
		}
	}
	if !f.stage.Dry {
		f.stage.taken[f.path] = newEntry(f.path, hex.EncodeToString(f.sum.Sum(nil)), f.from)
	}
	f.stage.free = append(f.stage.free, f.blocks)
	f.blocks = nil
	if f.have != nil {
		f.have.Close() // it was only read
	}
	if f.out == nil {
		return err
	}
	return errors.Join(err, f.out.Close())
}
