package imports_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/golden"
)

// What Pyrra makes of its objects, and what we make of them: pyrra_ratio_test.go compares
// shares and budgets over the same raw series, pyrra_alerts_test.go the alerts.

// pyrraRules has the rules that Pyrra makes of the objects below, a file for each; two
// of an object with performanceOverAccuracy.
const pyrraRules = "testdata/peers/pyrra-rules/"

// pyrraFixtures are the files of objects.
var pyrraFixtures = []string{"testdata/peers/pyrra.yaml", "testdata/pyrra/objects.txtar", importedExamples + "pyrra/pyrra.yaml"}

// pyrraObject is an object, as far as the comparison reads it.
type pyrraObject struct {
	Metadata struct{ Name string }
	Spec     struct {
		Target, Window          string
		PerformanceOverAccuracy bool `yaml:"performanceOverAccuracy"`
		Alerting                struct{ Disabled bool }
		Indicator               struct {
			Ratio struct {
				Errors, Total pyrraMetric
				Grouping      []string
			}
			Latency struct {
				Success, Total pyrraMetric
				Grouping       []string
			}
			Native struct {
				Latency  string
				Total    pyrraMetric
				Grouping []string
			} `yaml:"latencyNative"`
			Gauge struct {
				pyrraMetric `yaml:",inline"`
				Grouping    []string
			} `yaml:"bool_gauge"`
		}
	}
	text []byte
}

// pyrraMetric is a selector.
type pyrraMetric struct{ Metric *selector }

type selector struct{ *parser.VectorSelector }

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *selector) UnmarshalYAML(node *yaml.Node) error {
	expr, err := promqlOf.ParseExpr(node.Value)
	if err != nil {
		return err
	}
	var ok bool
	if s.VectorSelector, ok = expr.(*parser.VectorSelector); !ok {
		return errors.New(node.Value + " is no selector")
	}
	return nil
}

var promqlOf = parser.NewParser(parser.Options{})

// pyrraObjects are the objects in a file: documents, lists, or those of an archive.
func pyrraObjects(t *testing.T, path string) []*pyrraObject {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".txtar") {
		return pyrraObjectsIn(t, text)
	}
	var all []*pyrraObject
	for _, f := range txtar.Parse(text).Files {
		if f.Name != importedSection && f.Name != findingsSection {
			all = append(all, pyrraObjectsIn(t, f.Data)...)
		}
	}
	return all
}

func pyrraObjectsIn(t *testing.T, text []byte) []*pyrraObject {
	t.Helper()
	var all []*pyrraObject
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var doc struct {
			Kind  string
			Items []yaml.Node
		}
		var node yaml.Node
		if err := d.Decode(&node); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if err := node.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if doc.Kind != "List" {
			doc.Items = []yaml.Node{node}
		}
		for _, item := range doc.Items {
			o := &pyrraObject{}
			if err := item.Decode(o); err != nil {
				t.Fatal(err)
			}
			var err error
			if o.text, err = yaml.Marshal(&item); err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
	}
}

// fixturesOfPyrra are all objects of ours, by name.
func fixturesOfPyrra(t *testing.T) map[string]*pyrraObject {
	t.Helper()
	all := map[string]*pyrraObject{}
	for _, path := range pyrraFixtures {
		for _, o := range pyrraObjects(t, path) {
			if all[o.Metadata.Name] != nil {
				t.Fatalf("two fixtures are named %s", o.Metadata.Name)
			}
			all[o.Metadata.Name] = o
		}
	}
	return all
}

// madeByPyrra has Pyrra's program make the rules of objects. They are by the names of the
// files that it writes.
func madeByPyrra(t *testing.T, program string, objects map[string]*pyrraObject) map[string][]byte {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	for name, o := range objects {
		if err := os.WriteFile(filepath.Join(in, name+".yaml"), o.text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(program, "generate", "--generic-rules", "--config-files="+in+"/*.yaml", "--prometheus-folder="+out)
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("pyrra: %v\n%s", err, said)
	}
	return filesIn(t, out)
}

func filesIn(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no rules in %s (%v)", dir, err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		if all[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// pyrraProgram is Pyrra's program, which PYRRA names.
func pyrraProgram(t *testing.T) string {
	t.Helper()
	program := os.Getenv("PYRRA")
	if program == "" {
		t.Skip("PYRRA does not name the program; make bin/tools/pyrra builds it")
	}
	return program
}

// TestPyrraRulesAreWhatPyrraMakes holds the files of Pyrra's rules to the program; with
// -update they are made.
func TestPyrraRulesAreWhatPyrraMakes(t *testing.T) {
	made := madeByPyrra(t, pyrraProgram(t), fixturesOfPyrra(t))
	for name, text := range made {
		golden.Equal(t, pyrraRules+name, text)
	}
	for name := range filesIn(t, pyrraRules) {
		if made[name] == nil {
			t.Errorf("Pyrra makes no %s any more: delete it", name)
		}
	}
}

// examplesOfPyrra are the objects that Pyrra's module has as examples, by name; of those
// with the same name, the others with a number.
func examplesOfPyrra(t *testing.T) map[string]*pyrraObject {
	t.Helper()
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pyrra-dev/pyrra")
	list.Dir = "../../tools/pyrra"
	dir, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*pyrraObject{}
	add := func(o *pyrraObject) {
		name := o.Metadata.Name
		for n := 2; all[name] != nil; n++ {
			if bytes.Equal(all[name].text, o.text) {
				return
			}
			name = fmt.Sprintf("%s-%d", o.Metadata.Name, n)
		}
		all[name] = o
	}
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(dir)), "examples"), func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for document := range strings.SplitSeq("\n"+string(text), "\n---\n") {
			if strings.Contains("\n"+document, "\nkind: ServiceLevelObjective\n") {
				add(pyrraObjectsIn(t, []byte(document))[0])
			}
		}
		return nil
	})
	if err != nil || len(all) < 30 {
		t.Fatalf("%d examples (%v)", len(all), err)
	}
	return all
}
