package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/testsize"
)

// Agreements are made by several goroutines: the files and what is said of them do
// not depend on how many there are. A short run has some of the examples.
func TestFilesDoNotDependOnTheNumberOfProcessors(t *testing.T) {
	dir := t.TempDir()
	examples := []string{"../../examples"}
	if !testsize.All() {
		examples = nil
		for _, name := range []string{"calendar-periods", "checkout", "multi-tenant", "shop", "smallest", "states"} {
			examples = append(examples, "../../examples/"+name+".yaml")
		}
	}
	generate := func(processors int, args ...string) (files map[string]string, told string) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		out := filepath.Join(dir, "out")
		var stderr bytes.Buffer
		if code := run(append([]string{"generate", "-o", out}, slices.Concat(examples, args)...), io.Discard, &stderr); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr.String())
		}
		defer os.RemoveAll(out)
		files = map[string]string{}
		err := filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			files[path] = string(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files, stderr.String()
	}
	// With --tests there are all files that there are without flags.
	for _, args := range testsize.Of([][]string{{"--tests"}, {"--rules.bundle=all"}}, [][]string{nil, {"--tests"}, {"--rules.bundle=all"}}) {
		one, toldOne := generate(1, args...)
		many, toldMany := generate(8, args...)
		if d := cmp.Diff(one, many); d != "" {
			t.Errorf("%v: by one goroutine (-) and by eight (+):\n%s", args, d)
		}
		if toldOne != toldMany || len(one) < 15 {
			t.Errorf("%v: %d files; said by one goroutine:\n%s\nand by eight:\n%s", args, len(one), toldOne, toldMany)
		}
	}
}
