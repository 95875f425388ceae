package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/upheld-sla/upheld/internal/golden"
)

// TestSchemaIsMadeOfTheTypes writes schema.json from the source of package verdict with
// -update, and compares it otherwise.
func TestSchemaIsMadeOfTheTypes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../verdict/report.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	types, enum := map[string]*ast.TypeSpec{}, []string{}
	docs := map[string]string{}
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				types[s.Name.Name], docs[s.Name.Name] = s, d.Doc.Text()
			case *ast.ValueSpec:
				if id, ok := s.Type.(*ast.Ident); ok && id.Name == "Verdict" {
					enum = append(enum, strings.Trim(s.Values[0].(*ast.BasicLit).Value, `"`))
				}
			}
		}
	}
	if len(enum) != len(verdicts) {
		t.Errorf("package verdict has the verdicts %v, Read takes %v", enum, verdicts)
	}
	g := schemaMaker{types: types, docs: docs, defs: map[string]any{"Verdict": map[string]any{"enum": enum}}}
	root := g.object("Report")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Report of Upheld"
	delete(g.defs, "Report")
	root["$defs"] = g.defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "schema.json", b.Bytes())
}

type schemaMaker struct {
	types map[string]*ast.TypeSpec
	docs  map[string]string
	defs  map[string]any
}

func (g schemaMaker) object(name string) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range g.types[name].Type.(*ast.StructType).Fields.List {
		key, option, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(f.Tag.Value, "`json:\""), "\"`"), ",")
		if option == "" {
			required = append(required, key)
		}
		p := g.of(f.Type)
		if isDecimal(name, key) && p["type"] == "string" {
			p["pattern"] = decimalPattern
		}
		if key == "format" {
			p["const"] = "upheld-report/1"
		}
		if words := sentence(f.Comment.Text()); words != "" && key != "format" {
			p["description"] = words
		}
		properties[key] = p
	}
	return map[string]any{
		"type": "object", "additionalProperties": false, "properties": properties, "required": required,
		"description": sentence(g.docs[name]),
	}
}

func (g schemaMaker) of(e ast.Expr) map[string]any {
	switch e := e.(type) {
	case *ast.StarExpr:
		return g.of(e.X)
	case *ast.ArrayType:
		return map[string]any{"type": "array", "items": g.of(e.Elt)}
	case *ast.MapType:
		return map[string]any{"type": "object", "additionalProperties": g.of(e.Value)}
	case *ast.SelectorExpr:
		return map[string]any{"type": "string", "format": "date-time"}
	case *ast.Ident:
		switch e.Name {
		case "string":
			return map[string]any{"type": "string"}
		case "int":
			return map[string]any{"type": "integer"}
		case "bool":
			return map[string]any{"type": "boolean"}
		}
		if _, made := g.defs[e.Name]; !made {
			g.defs[e.Name] = nil // so that a type that holds itself ends
			g.defs[e.Name] = g.object(e.Name)
		}
		return map[string]any{"$ref": "#/$defs/" + e.Name}
	}
	panic(fmt.Sprintf("the schema does not know %T", e))
}

func sentence(s string) string { return strings.Join(strings.Fields(s), " ") }

// compiledSchema is the schema as a library that is not ours understands it.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}
