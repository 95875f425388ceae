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
// things, and whoever follows one of them has to read the others.
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
