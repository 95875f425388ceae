package report

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// TestBrowser looks at the reports in a real Chromium: see tools/browser/report.mjs for
// what may not be. It is skipped where Chromium, node or the script's packages (npm ci in
// tools/browser) are missing, unless UPHELD_BROWSER=required. UPHELD_SHOTS names a folder
// for screenshots and PDFs.
func TestBrowser(t *testing.T) {
	script, err := filepath.Abs("../../tools/browser/report.mjs")
	if err != nil {
		t.Fatal(err)
	}
	requireBrowser(t, filepath.Dir(script))

	args := []string{script, "--audit", "breached", "--audit", "insufficient", "--audit", "portfolio"}
	if dir := os.Getenv("UPHELD_SHOTS"); dir != "" {
		args = append(args, "--shots", dir)
	}
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
		reports, history := f.reports(t)
		page, err := HTML(reports, history)
		html := write(f.name, "html", page, err)
		data, err := JSON(reports, nil)
		args = append(args, f.name+"="+html+"="+write(f.name, "json", data, err))
		all, histories = append(all, reports...), append(histories, history...)
	}
	page, err := HTML(all[:4], histories)
	args = append(args, "portfolio="+write("portfolio", "html", page, err))

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", args...).CombinedOutput()
	if err != nil {
		t.Errorf("the reports are not clean: %v\n%s", err, out)
	}
}

func requireBrowser(t *testing.T, tools string) {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("UPHELD_BROWSER") == "required" {
		skip = t.Fatalf
	}
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	if _, err := os.Stat(chromium); err != nil {
		skip("no Chromium: %v; install it or name it in CHROMIUM", err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		skip("no node: %v", err)
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules", "playwright-core")); err != nil {
		skip("%v; run npm ci in tools/browser", err)
	}
}
