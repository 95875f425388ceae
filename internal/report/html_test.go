package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
)

func TestDocumentsOfFixtures(t *testing.T) {
	for _, f := range fixtures() {
		t.Run(f.name, func(t *testing.T) {
			reports, history := f.reports(t)
			for _, format := range Formats() {
				data, err := format.Render(reports, history)
				if err != nil {
					t.Fatalf("%s: %v", format.Name, err)
				}
				if dir := os.Getenv("UPHELD_REPORTS"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, f.name+"."+format.Extension), data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if format.Name == "markdown" || format.Name == "csv" {
					golden.Equal(t, filepath.Join("testdata", f.name+"."+format.Extension), data)
				}
			}
		})
	}
}
