package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostMethods is how many methods a type may have. One with more does several
// things, and you cannot follow one of them without reading the others.
const mostMethods = 40

// TestTypesStaySmall counts the methods of every type of the module.
func TestTypesStaySmall(t *testing.T) {
	counts := map[string]int{}
	for _, f := range parseModule(t) {
		for _, d := range f.Decls {
			if method, ok := d.(*ast.FuncDecl); ok && method.Recv != nil {
				counts[f.folder+"."+receiver(method.Recv.List[0].Type)]++
			}
		}
	}
	if counts["sla.ServiceLevel"] == 0 {
		t.Fatalf("%d types have methods, and sla.ServiceLevel has none: the test would hold nothing", len(counts))
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[name]; n > mostMethods {
			t.Errorf("%s has %d methods, more than %d: part it by what they are about", name, n, mostMethods)
		}
	}
}

// receiver is the name of the type in *T, T and T[P].
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

// source is a file of the module.
type source struct {
	*ast.File
	folder string // below the module
}

// parseModule parses the module's own files: no tests, and no modules inside it.
func parseModule(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case d.IsDir() && path != root && (name == "tools" || name == "testdata" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		files = append(files, source{f, filepath.ToSlash(folder)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestNoMapsOfPackages finds maps that a package holds in a variable: anybody may
// change them, and what they say of a kind belongs to the kind. A switch says the
// same and cannot be changed; a table is a slice.
func TestNoMapsOfPackages(t *testing.T) {
	for _, f := range parseModule(t) {
		for _, d := range f.Decls {
			vars, ok := d.(*ast.GenDecl)
			if !ok || vars.Tok != token.VAR {
				continue
			}
			for _, s := range vars.Specs {
				for _, name := range mapsOf(s.(*ast.ValueSpec)) {
					t.Errorf("%s.%s is a map: make it a switch, or a slice of what it holds", f.folder, name)
				}
			}
		}
	}
}

// mapsOf are the variables of a declaration that are maps by its syntax.
func mapsOf(v *ast.ValueSpec) []string {
	var names []string
	for i, name := range v.Names {
		if isMap(v.Type) || i < len(v.Values) && makesMap(v.Values[i]) {
			names = append(names, name.Name)
		}
	}
	return names
}

func isMap(e ast.Expr) bool {
	_, ok := e.(*ast.MapType)
	return ok
}

// makesMap reports whether an expression is a map by its syntax: a literal,
// make(map[…]…), or a call of a function literal that returns one.
func makesMap(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit:
		return isMap(e.Type)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.FuncLit); ok {
			results := f.Type.Results
			return results != nil && len(results.List) == 1 && isMap(results.List[0].Type)
		}
		return len(e.Args) > 0 && isMap(e.Args[0])
	}
	return false
}

// TestMapsAreFound proves that the test above finds what it is there to find.
func TestMapsAreFound(t *testing.T) {
	const text = `package p
var a map[string]int
var b = map[string]int{"x": 1}
var c, d = 1, make(map[int]int)
var e = func() map[string]bool { return nil }()
var f = []string{"x"}
var g = func() []int { return nil }()
`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range file.Decls {
		for _, s := range d.(*ast.GenDecl).Specs {
			found = append(found, mapsOf(s.(*ast.ValueSpec))...)
		}
	}
	if want := []string{"a", "b", "d", "e"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}
