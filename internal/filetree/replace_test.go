package filetree_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/upheld-sla/upheld/internal/filetree"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real", "a.yml"), filepath.Join(dir, "link.yml")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(link); err != nil || string(got) != want {
			t.Errorf("it holds %q, %v, want %q", got, err, want)
		}
	}
	dropped, err := filetree.Replace(link, []byte("dropped"))
	if err != nil {
		t.Fatal(err)
	}
	dropped.Discard()
	holds("old")
	kept, err := filetree.Replace(link, []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	holds("old")
	if err := kept.Commit(); err != nil {
		t.Fatal(err)
	}
	kept.Discard()
	holds("new")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions are %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if _, err := filetree.Replace(filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a file that is not there was replaced")
	}
}
