package emit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// generate is the rule files of a specification, or its findings.
func generate(text string) string {
	agreements, findings := spec.LoadText("spec.yaml", text)
	var out strings.Builder
	for _, a := range agreements {
		plan, found := rulegen.Compile(a, rulegen.Options{})
		findings = append(findings, found...)
		if findings.HasErrors() {
			continue
		}
		content, err := emit.Prometheus(plan)
		if err != nil {
			return err.Error() + "\n"
		}
		out.Write(content)
	}
	if findings.HasErrors() {
		findings.Sort()
		return findings.Error() + "\n"
	}
	return out.String()
}

// Each archive is a specification and the rules, or the findings, it must give.
func TestRulesGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) != 2 || archive.Files[0].Name != "spec.yaml" || archive.Files[1].Name != "rules.yaml" {
				t.Fatal("want the files spec.yaml and rules.yaml")
			}
			got := generate(string(archive.Files[0].Data))
			if again := generate(string(archive.Files[0].Data)); again != got {
				t.Error("the same specification gives other bytes the second time")
			}
			if golden.Updating() {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(archive.Files[1].Data), got); d != "" {
				t.Errorf("(-want +got; -update rewrites)\n%s", d)
			}
		})
	}
}

// Whatever a user writes as a query, either there is an error or the rules are
// a valid rule file.
func FuzzQueryToRules(f *testing.F) {
	for _, q := range []string{`a`, `a{b="c"} + d`, `rate(a[5m])`, `a{b=~"("}`, `a offset 5m`, "a{b=\"\\n\"}", `{__name__=~"x|y"}`, `sla:x:y`, `"quoted name"`, `{"utf.8", a="b"}`, "a + \n b"} {
		f.Add(q, q)
	}
	f.Fuzz(func(t *testing.T, bad, total string) {
		l := &sla.ServiceLevel{
			ID: sla.ID{SLA: "a", Service: "b", SLO: "c"}, Indicator: &sla.Events{Bad: sla.Query{Text: bad}, Total: sla.Query{Text: total}},
			Aggregation: sla.RequestRatio, Target: sla.MustDecimal("99"), Objective: sla.MustDecimal("99"),
			Period: sla.Period{Rolling: 720 * 3600e9},
		}
		l.Alerting.Tiers = sla.DefaultTiers(l.Period)
		plan, findings := rulegen.Compile(&sla.Agreement{Name: "a", Levels: []*sla.ServiceLevel{l}}, rulegen.Options{})
		if findings.HasErrors() {
			return
		}
		if _, err := emit.Prometheus(plan); err != nil {
			t.Error(err)
		}
	})
}
