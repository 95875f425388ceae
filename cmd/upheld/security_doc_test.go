package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namedTest is a test as docs/security.md names it: `folder: Test`, or
// `folder: Test/archive` for one that runs a file of testdata.
var namedTest = regexp.MustCompile("`([a-z/-]+): (Test\\w+)(?:/([\\w-]+))?`")

// TestSecurityClaimsAreHeld demands that each claim of docs/security.md names tests,
// and that there are tests of these names.
func TestSecurityClaimsAreHeld(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	claims, held := 0, false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "| | held by |"):
			held = true
			continue
		case !strings.HasPrefix(line, "|"):
			held = false
		}
		if !held || strings.HasPrefix(line, "|---") {
			continue
		}
		claims++
		named := namedTest.FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no test is named: %s", line)
		}
		for _, n := range named {
			if !testExists(t, filepath.Join("..", "..", n[1]), n[2], n[3]) {
				t.Errorf("there is no test %s", n[0])
			}
		}
	}
	if claims < 20 {
		t.Errorf("only %d claims are found", claims)
	}
}

// testExists reports whether a folder has a test, and the archive that it runs.
func testExists(t *testing.T, folder, name, archive string) bool {
	t.Helper()
	if archive != "" {
		direct, _ := filepath.Glob(filepath.Join(folder, "testdata", archive+".txtar"))
		below, _ := filepath.Glob(filepath.Join(folder, "testdata", "*", archive+".txtar"))
		if len(direct)+len(below) == 0 {
			return false
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
