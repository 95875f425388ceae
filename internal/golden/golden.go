// Package golden compares a test's output with a file in testdata, and writes that file
// when the test runs with -update. It is for test code only.
package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Equal fails the test, with a diff, unless the file at path holds got. With
// -update it writes the file.
func Equal(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-want +got); run the test with -update if that is meant:\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

// Updating reports whether the test runs with -update, for golden content that is only
// part of a file.
func Updating() bool { return *update }
