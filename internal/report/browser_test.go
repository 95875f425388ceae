package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/upheld-sla/upheld/internal/browsertest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// TestBrowser looks at the reports in a real Chromium: see tools/browser/report.mjs for
// what may not be. A short run looks at two, of which it audits one.
func TestBrowser(t *testing.T) {
	browsertest.Require(t)
	args := []string{"--audit", "breached", "--audit", "insufficient", "--audit", "portfolio"}
	dir := t.TempDir()
	write := func(name, extension string, data []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+"."+extension)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var all, histories []*verdict.Report
	for _, f := range fixtures() {
		if !testsize.All() && f.name != "breached" && f.name != "hostile" {
			continue
		}
		reports, history := f.reports(t)
		page, err := HTML(reports, history)
		html := write(f.name, "html", page, err)
		data, err := JSON(reports, nil)
		args = append(args, f.name+"="+html+"="+write(f.name, "json", data, err))
		all, histories = append(all, reports...), append(histories, history...)
	}
	if testsize.All() {
		page, err := HTML(all[:4], histories)
		args = append(args, "portfolio="+write("portfolio", "html", page, err))
	}

	browsertest.Look(t, "report.mjs", args...)
}
