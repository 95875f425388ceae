// Package browsertest looks at pages in a real Chromium, by the scripts of tools/browser. A
// test that needs it is skipped where Chromium, node or the scripts' packages (npm ci in
// tools/browser) are missing, unless UPHELD_BROWSER=required. It is imported by tests only.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/testsize"
)

// Look runs a script, such as look.mjs, and fails the test with the mistakes that it
// finds. In make ci-all it checks every page in every width with every scheme.
// UPHELD_SHOTS names a folder for screenshots.
func Look(t *testing.T, script string, args ...string) {
	t.Helper()
	tools := require(t)
	all := []string{filepath.Join(tools, script)}
	if dir := os.Getenv("UPHELD_SHOTS"); dir != "" {
		all = append(all, "--shots", dir)
	}
	if testsize.Every() {
		all = append(all, "--every")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "node", append(all, args...)...).CombinedOutput(); err != nil {
		t.Errorf("what %s looked at is not clean: %v\n%s", script, err, out)
	}
}

// Require skips the test if there is no browser.
func Require(t *testing.T) {
	t.Helper()
	require(t)
}

// require also returns the folder of the scripts.
func require(t *testing.T) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatalf("the folder of the module: %v", err)
	}
	tools := filepath.Join(strings.TrimSpace(string(root)), "tools", "browser")
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
	return tools
}
