//go:build unix

package filetree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Nothing is written or removed through a symbolic link, and no special file is
// opened: one could wait for ever.
func TestNothingOutsideIsTouched(t *testing.T) {
	for _, test := range []struct {
		name, reason string
		make         func(dir, outside string) error
	}{
		{"folder to write to", "rules is a symbolic link, where a folder is to be; nothing is written outside of", func(dir, outside string) error {
			return os.Symlink(outside, filepath.Join(dir, "rules"))
		}},
		{"file to write", "a.yaml is a symbolic link, where a file is to be", func(dir, outside string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "rules"), 0o755), os.Symlink(filepath.Join(outside, "a.yaml"), filepath.Join(dir, "rules", "a.yaml")))
		}},
		{"FIFO", "a.yaml is a special file, where a file is to be", func(dir, _ string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "rules"), 0o755), syscall.Mkfifo(filepath.Join(dir, "rules", "a.yaml"), 0o644))
		}},
		{"folder in the place of a file", "a.yaml is a folder, where a file is to be", func(dir, _ string) error {
			return os.MkdirAll(filepath.Join(dir, "rules", "a.yaml"), 0o755)
		}},
		{"manifest", "it is no regular file", func(dir, _ string) error {
			return syscall.Mkfifo(filepath.Join(dir, ManifestName), 0o644)
		}},
	} {
		dir, outside := t.TempDir(), t.TempDir()
		write(t, outside, "a.yaml", marker)
		write(t, outside, "old.yaml", marker)
		if err := test.make(dir, outside); err != nil {
			t.Fatal(err)
		}
		before := snapshot(t, outside)
		s, err := Open(t.Context(), dir, forced(testOptions))
		if err == nil {
			err = s.Put("rules/a.yaml", []byte(marker+" new"), "a")
			s.Discard()
		}
		if err == nil || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.reason)
		}
		if d := cmp.Diff(before, snapshot(t, outside)); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
}

// A folder that became a symbolic link after it was generated to.
func TestNothingOutsideIsRemoved(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	put(t, dir, testOptions, map[string]string{"rules/a.yaml": "a", "rules/b.yaml": "b"})
	if err := os.Rename(filepath.Join(dir, "rules"), filepath.Join(outside, "rules")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "rules"), filepath.Join(dir, "rules")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, forced(testOptions))
	_, err := s.Changes()
	if err == nil || !strings.Contains(err.Error(), "rules is a symbolic link") {
		t.Error(err)
	}
	s.Discard()
	if got := snapshot(t, outside); len(got) != 2 {
		t.Errorf("outside are %v", got)
	}
}

// Runs at once take turns: each finds what the one before it left, whole, and
// no temporary file of another is swept.
func TestStagesTakeTurns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s, err := Open(t.Context(), dir, testOptions)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Discard()
			for _, name := range []string{"a", "b", "c"} {
				if err := s.Put("rules/"+name+".yaml", fmt.Append(nil, i), "a"); err != nil {
					t.Error(err)
					return
				}
			}
			changes, err := s.Changes()
			if err == nil && i%4 > 0 { // some give up, and remove a directory that they made
				err = s.Commit(changes)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := snapshot(t, dir)
	delete(got, ManifestName)
	one := got["rules/a.yaml"]
	if d := cmp.Diff(map[string]string{"rules/a.yaml": one, "rules/b.yaml": one, "rules/c.yaml": one}, got); d != "" {
		t.Error(d)
	}
}

// Who waits says so, and stops when it is to.
func TestWaitingForATurnEnds(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, testOptions)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := 0
	_, err := Open(ctx, dir, with(testOptions, func(o *Options) {
		o.Waiting = func() { told++; cancel() }
	}))
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("got %v, told %d times", err, told)
	}
}

// A stage that is discarded while files are being made stops, and leaves nothing.
func TestDiscardStopsWhatIsBeingMade(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, testOptions, map[string]string{"rules/a.yaml": "a"})
	before := snapshot(t, dir)
	s := stage(t, dir, testOptions, 100, map[string]string{"rules/a.yaml": "b"})
	changes, err := s.Changes()
	if err != nil {
		t.Fatal(err)
	}
	s.Discard()
	if err := s.Put("rules/b.yaml", []byte("b"), "a"); !errors.Is(err, errStopped) {
		t.Errorf("after it a file is made: %v", err)
	}
	if err := s.Commit(changes); !errors.Is(err, errStopped) {
		t.Errorf("after it all is put into place: %v", err)
	}
	if d := cmp.Diff(before, snapshot(t, dir)); d != "" {
		t.Error(d)
	}
}
