package archtest

import (
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/golden"
)

const (
	mapPage  = "../../docs/architecture.md"
	beginMap = "<!-- map: made by go test ./internal/archtest -update -->\n"
	endMap   = "<!-- end of map -->\n"
)

// TestMapOfFolders demands that the map in docs/architecture.md is the table of
// components, with what the packages say about themselves. With -update it
// writes the map.
func TestMapOfFolders(t *testing.T) {
	text, err := os.ReadFile(mapPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), beginMap)
	_, after, foundEnd := strings.Cut(rest, endMap)
	if !found || !foundEnd {
		t.Fatalf("%s has no lines %q and %q", mapPage, beginMap, endMap)
	}
	want := before + beginMap + folderMap(t, listPackages(t)) + endMap + after
	if golden.Updating() {
		if err := os.WriteFile(mapPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(text), want); d != "" {
		t.Errorf("%s is stale; run go test ./internal/archtest -update\n%s", mapPage, d)
	}
}

// folderMap is a table of the components, each followed by its packages.
func folderMap(t *testing.T, pkgs []pkg) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| folder | holds | may import, besides `internal/` |\n|---|---|---|\n")
	for i := range components {
		c := &components[i]
		fmt.Fprintf(&b, "| **`%s/`** | %s | %s |\n", c.folder, c.holds, mayImport(c))
		for _, p := range packagesOf(c, pkgs) {
			text := synopsis(t, p.Dir)
			if text == "" {
				t.Errorf("%s: the package has no comment that says what it is for", p.ImportPath)
			}
			fmt.Fprintf(&b, "| `%s` | %s | |\n", local(p.ImportPath), strings.ReplaceAll(text, "|", `\|`))
		}
	}
	return b.String()
}

func mayImport(c *component) string {
	if len(c.may) == 0 {
		return "nothing"
	}
	return "`" + strings.Join(c.may, "`, `") + "`"
}

// packagesOf are the packages in a component but not in one below it, and not
// the one that is the component itself.
func packagesOf(c *component, pkgs []pkg) []pkg {
	var in []pkg
	for _, p := range pkgs {
		path := local(p.ImportPath)
		if path != c.folder && componentOf(path) == c {
			in = append(in, p)
		}
	}
	slices.SortFunc(in, func(a, b pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return in
}

// synopsis is the first sentence of a package's comment without its beginning
// "Package x" and what follows a colon; that of its tests, if it has nothing
// else. It is empty if there is none.
func synopsis(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		text := new(doc.Package).Synopsis(parsed.Doc.Text())
		if words := strings.SplitN(text, " ", 3); len(words) == 3 && (words[0] == "Package" || words[0] == "Command") {
			short, _, _ := strings.Cut(words[2], ": ")
			return strings.TrimSuffix(short, ".")
		}
	}
	return ""
}
