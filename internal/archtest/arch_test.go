package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pkg is what is needed of the output of `go list -json`.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string // of the code, without that of its tests
	Deps       []string // everything that is linked in with it
}

// TestArrows holds the module to its components and walls.
func TestArrows(t *testing.T) {
	pkgs := listPackages(t)
	for _, v := range violations(pkgs) {
		t.Error(v)
	}
	for i, c := range components {
		for _, folder := range c.may {
			if !slices.ContainsFunc(components[:i], func(above component) bool { return above.folder == folder }) {
				t.Errorf("%s may import %s, which has no line above it in the table", c.folder, folder)
			}
		}
		if !slices.ContainsFunc(pkgs, func(p pkg) bool { return under(local(p.ImportPath), c.folder) }) {
			t.Errorf("%s: a component without a folder; take its line out", c.folder)
		}
	}
}

// listPackages asks the go command for every package of the module. Packages
// that do not compile are listed too: their arrows can still be read.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,Deps", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var pkgs []pkg
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: reading its JSON: %v", err)
		}
		pkgs = append(pkgs, p)
	}
	if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.ImportPath == module+"/sla" }) {
		t.Fatalf("go list named %d packages, but not %s/sla: the test would hold nothing", len(pkgs), module)
	}
	return pkgs
}

// violations names every import that the tables forbid, with the reason.
func violations(pkgs []pkg) []string {
	var found []string
	for _, p := range pkgs {
		path := local(p.ImportPath)
		home := componentOf(path)
		if home == nil {
			found = append(found, fmt.Sprintf("%s: the folder is not in the table of components; add a line that says what it may import and why", path))
			continue
		}
		for _, imported := range p.Imports {
			if ours(imported) && !home.allows(local(imported)) {
				found = append(found, fmt.Sprintf("%s imports %s, but %s may import only %s: %s",
					path, local(imported), home.folder, list(home.may), home.reason))
			}
		}
		for _, w := range walls {
			found = append(found, w.broken(path, p)...)
		}
	}
	return found
}

func (w wall) broken(path string, p pkg) []string {
	if !w.covers(path) || slices.ContainsFunc(w.except, func(e string) bool { return under(path, e) }) {
		return nil
	}
	imports, verb := p.Imports, "imports"
	if w.deep {
		imports, verb = p.Deps, "links in"
	}
	var found []string
	for _, imported := range imports {
		one := func(prefix string) bool { return matches(imported, prefix) }
		if slices.ContainsFunc(w.not, one) && !slices.ContainsFunc(w.allow, one) {
			found = append(found, fmt.Sprintf("%s %s %s: %s", path, verb, imported, w.reason))
		}
	}
	return found
}

func (w wall) covers(path string) bool {
	if strings.HasSuffix(w.from, "/") {
		return strings.HasPrefix(path, w.from)
	}
	return under(path, w.from)
}

func (c component) allows(path string) bool {
	if under(path, c.folder) || slices.ContainsFunc(c.may, func(folder string) bool { return under(path, folder) }) {
		return true
	}
	home := componentOf(path)
	return home != nil && home.folder == "internal"
}

// componentOf finds the component whose folder is the closest above the path.
func componentOf(path string) *component {
	var home *component
	for i, c := range components {
		if under(path, c.folder) && (home == nil || len(c.folder) > len(home.folder)) {
			home = &components[i]
		}
	}
	return home
}

// under says whether path is dir or lies below it; everything lies below "".
func under(path, dir string) bool {
	return dir == "" || path == dir || strings.HasPrefix(path, dir+"/")
}

// matches says whether an import path is the one named by prefix, or one below
// it, or another major version of it (gopkg.in/yaml.v3 of gopkg.in/yaml).
func matches(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/' || rest[0] == '.')
}

func ours(path string) bool    { return under(path, module) }
func local(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func list(names []string) string {
	return strings.Join(append([]string{"internal"}, names...), ", ")
}

// TestArrowsAreHeld proves that the checker finds what it is there to find.
func TestArrowsAreHeld(t *testing.T) {
	tests := []struct {
		name string
		pkg  pkg
		want string // in the one violation; none if empty
	}{
		{"the model may use names", pkg{ImportPath: "sla", Imports: []string{module + "/internal/metricnames", "time"}}, ""},
		{"the model may not use a harness", pkg{ImportPath: "sla", Imports: []string{module + "/internal/golden"}}, "sla imports"},
		{"the model may not use rules", pkg{ImportPath: "sla", Imports: []string{module + "/rulegen"}}, "sla imports rulegen"},
		{"the model may not read YAML", pkg{ImportPath: "sla", Imports: []string{"gopkg.in/yaml.v3"}}, "sla imports gopkg.in/yaml.v3"},
		{"formats may read YAML", pkg{ImportPath: "sla/spec", Imports: []string{"gopkg.in/yaml.v3", module + "/sla"}}, ""},
		{"formats may not use the other YAML", pkg{ImportPath: "sla/spec", Imports: []string{"go.yaml.in/yaml/v3"}}, "sla/spec imports go.yaml.in/yaml/v3"},
		{"the exporter may not use rules", pkg{ImportPath: "exporter", Imports: []string{module + "/rulegen"}}, "exporter imports rulegen"},
		{"rules may not use the exporter", pkg{ImportPath: "rulegen/emit", Imports: []string{module + "/exporter"}}, "rulegen/emit imports exporter"},
		{"probers make no metrics", pkg{ImportPath: "exporter/probe", Imports: []string{clientGo + "prometheus"}}, "exporter/probe imports"},
		{"measure makes metrics", pkg{ImportPath: "exporter/measure", Imports: []string{clientGo + "prometheus"}}, ""},
		{"rules hold no parser nodes", pkg{ImportPath: "rulegen", Imports: []string{prometheus + "promql/parser"}}, "rulegen imports"},
		{"internal/promql holds parser nodes", pkg{ImportPath: "internal/promql", Imports: []string{prometheus + "promql/parser"}}, ""},
		{"the exporter links no engine in", pkg{ImportPath: "cmd/upheld-exporter", Deps: []string{prometheus + "promql"}}, "cmd/upheld-exporter links in"},
		{"the exporter links no storage in", pkg{ImportPath: "cmd/upheld-exporter", Deps: []string{prometheus + "tsdb/chunkenc"}}, "cmd/upheld-exporter links in"},
		{"upheld may link the engine in", pkg{ImportPath: "cmd/upheld", Deps: []string{prometheus + "promql"}}, ""},
		{"pages do not query", pkg{ImportPath: "internal/web", Imports: []string{prometheus + "promql"}}, "internal/web imports"},
		{"probers use no part of the drop-in", pkg{ImportPath: "exporter/probe", Imports: []string{module + "/exporter/blackbox"}}, "exporter/probe imports"},
		{"the exporter mounts the drop-in", pkg{ImportPath: "exporter", Imports: []string{module + "/exporter/blackbox"}}, ""},
		{"the drop-in uses no prober", pkg{ImportPath: "exporter/blackbox", Imports: []string{module + "/exporter/probe"}}, "exporter/blackbox imports"},
		{"nobody imports a command", pkg{ImportPath: "internal/serve", Imports: []string{module + "/cmd/upheld"}}, "internal/serve imports cmd/upheld"},
		{"a component in internal/ is not shared by all", pkg{ImportPath: "sla", Imports: []string{module + "/internal/serve"}}, "sla imports internal/serve"},
		{"a new folder has to be placed", pkg{ImportPath: "misc"}, "not in the table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.pkg.ImportPath = module + "/" + tt.pkg.ImportPath
			got := violations([]pkg{tt.pkg})
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("refused: %q", got)
			case tt.want != "" && (len(got) == 0 || !strings.Contains(got[0], tt.want)):
				t.Errorf("got %q, want one that has %q", got, tt.want)
			}
		})
	}
}
