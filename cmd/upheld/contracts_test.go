package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// judged is what a report of a public agreement must keep saying.
type judged struct {
	Verdict verdict.Verdict      `json:"verdict"`
	Levels  []judgedLevel        `json:"levels"`
	Credit  *verdict.TotalCredit `json:"credit"`
}

type judgedLevel struct {
	SLO      string               `json:"slo"`
	Verdict  verdict.Verdict      `json:"verdict"`
	Achieved string               `json:"achieved"`
	Unit     string               `json:"unit"`
	Bad      string               `json:"bad"`
	Agreed   string               `json:"agreed"`
	Coverage string               `json:"coverage"`
	Credit   *verdict.LevelCredit `json:"credit"`
}

// TestPublicAgreements checks each public agreement without a warning, and judges a small
// history of it: what it came to and what it costs are kept beside the history.
func TestPublicAgreements(t *testing.T) {
	const folder = "../../examples/contracts"
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d public agreements, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run([]string{"check", "--strict", file}, &stdout, &stderr); code != exitDone || stdout.Len() > 0 {
				t.Fatalf("check ends with %d: %s%s", code, stdout.String(), stderr.String())
			}
			agreements, _ := spec.Load(file)
			period := "2026-10"
			if agreements[0].Levels[0].CreditPeriod().Calendar == sla.Quarter {
				period = "2026-Q3"
			}
			history := filepath.Join(folder, "testdata", name+".om")
			stdout.Reset()
			run([]string{"report", file, "--samples", history, "--period", period}, &stdout, &stderr)
			var r verdict.Report
			if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			got := judged{Verdict: r.Verdict, Credit: r.Credit}
			for _, l := range r.Levels {
				if l.Coverage != "100" || l.Credit == nil {
					t.Errorf("%s is covered by %s %%, and has the credit %v", l.SLO, l.Coverage, l.Credit)
				}
				got.Levels = append(got.Levels, judgedLevel{l.SLO, l.Verdict, l.Achieved, l.Unit, l.Bad, l.Agreed, l.Coverage, l.Credit})
			}
			text, err := json.MarshalIndent(got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, filepath.Join(folder, "testdata", name+".json"), append(text, '\n'))
		})
	}
}
