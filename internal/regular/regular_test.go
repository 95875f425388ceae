//go:build unix

package regular_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/upheld-sla/upheld/internal/regular"
)

// TestOnlyRegularFilesOfTheFoldersAreRead, and none is waited for.
func TestOnlyRegularFilesOfTheFoldersAreRead(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	for _, folder := range []string{in, out, filepath.Join(in, "deep")} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"in/file": "text", "in/deep/file": "text", "out/file": "outer", "in/large": strings.Repeat("x", 1025)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"here": "deep/file", "away": "../out/file", "nowhere": "../out/missing", "device": "/dev/zero", "folder": "../out"} {
		if err := os.Symlink(to, filepath.Join(in, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(in, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		bounded string // what is wrong with folders; "": nothing
		free    string // and without
	}{
		{"in/file", "", ""},
		{"in/deep/file", "", ""},
		{"in/here", "", ""},
		{"in/large", "larger than 1 KiB", "larger than 1 KiB"},
		{"in/missing", "no such file", "no such file"},
		{"in/fifo", "no regular file", "no regular file"},
		{"in/deep", "no regular file", "no regular file"},
		{"in/device", "outside", "no regular file"},
		{"in/away", "outside", ""},
		{"in/nowhere", "outside", "no such file"},
		{"in/folder/file", "outside", ""},
		{"in/../out/file", "outside", ""},
		{"out/file", "outside", ""},
		{"out/missing", "outside", "no such file"},
	} {
		name := filepath.Join(dir, tc.name)
		for want, folders := range map[string][]string{tc.bounded + "\x00": {filepath.Join(dir, "none"), in}, tc.free: nil} {
			want = strings.TrimSuffix(want, "\x00")
			text, err := regular.Read(name, 1024, folders...)
			if want == "" && (err != nil || len(text) < 4) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s in %v: %q, %v; want %q", tc.name, folders, text, err, want)
			}
			if path := new(fs.PathError); errors.As(err, &path) && path.Path != name {
				t.Errorf("the error names %s, want %s", path.Path, name)
			}
		}
	}
}
