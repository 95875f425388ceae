package web

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestBrowser looks at every kind of page in a real Chromium, wide and narrow,
// light and dark: see tools/browser/look.mjs for what may not be. It is skipped
// where Chromium, node or the script's packages (npm ci in tools/browser) are
// missing, unless UPHELD_BROWSER=required. UPHELD_SHOTS names a folder for
// screenshots.
func TestBrowser(t *testing.T) {
	script, err := filepath.Abs("../../tools/browser/look.mjs")
	if err != nil {
		t.Fatal(err)
	}
	requireBrowser(t, filepath.Dir(script))

	var args []string
	if dir := os.Getenv("UPHELD_SHOTS"); dir != "" {
		args = append(args, "--shots", dir)
	}
	serve := func(name, path string, source Source) {
		h, err := New(Options{Source: source, Reports: sampleReports(), Refresh: 400 * time.Millisecond, Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		args = append(args, name+"="+server.URL+path)
	}
	sampled := fixed{levels: sample()}
	serve("overview", "/", sampled)
	serve("overview-empty", "/", fixed{})
	serve("overview-error", "/", fixed{err: errors.New("storage is closed")})
	serve("level-failing", "/level/shop/storefront/availability", sampled)
	serve("level-events", "/level/shop/payments/errors", sampled)
	serve("overview-composite", "/", composed(t))
	serve("level-composite", "/level/shop/checkout/availability", composed(t))
	serve("reports", "/reports", sampled)
	serve("alerts", "/alerts", sampled)
	serve("rules", "/rules", sampled)
	serve("agreement", "/agreement/shop", sampled)
	serve("overview-filtered", "/?state=up&q=store", sampled)
	serve("level-no-data", "/level/shop/orders/queue", sampled)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", append([]string{script}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("the pages are not clean: %v\n%s", err, out)
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
