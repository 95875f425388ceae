package statuspage_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// TestBrowser looks at the page in a real Chromium, wide and narrow, light, dark and
// printed: see tools/browser/look.mjs for what may not be. It is skipped where Chromium,
// node or the script's packages (npm ci in tools/browser) are missing, unless
// UPHELD_BROWSER=required. UPHELD_SHOTS names a folder for screenshots.
func TestBrowser(t *testing.T) {
	script, err := filepath.Abs("../../tools/browser/look.mjs")
	if err != nil {
		t.Fatal(err)
	}
	requireBrowser(t, filepath.Dir(script))
	args := []string{script, "--still"}
	if dir := os.Getenv("UPHELD_SHOTS"); dir != "" {
		args = append(args, "--shots", dir)
	}
	well := sample(t)
	well.states = map[string]sla.State{"internal-availability": sla.StateUp, "internal-payment": sla.StateUp}
	well.bad = func(string, time.Time) float64 { return 0 }
	for name, source := range map[string]*fake{"status-down": sample(t), "status-well": well} {
		server := httptest.NewServer(rendered(t, source, atNoon))
		t.Cleanup(server.Close)
		args = append(args, name+"="+server.URL+"/status/acme")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", args...).CombinedOutput()
	if err != nil {
		t.Errorf("the page is not clean: %v\n%s", err, out)
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
