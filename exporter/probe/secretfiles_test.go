//go:build unix

package probe_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// TestNoProbeWaitsForAFIFOOrLeavesItsFolders: a secret's file may have been replaced
// since the specification was loaded.
func TestNoProbeWaitsForAFIFOOrLeavesItsFolders(t *testing.T) {
	srv := webServer(t, func(http.ResponseWriter, *http.Request) {})
	outside := file(t, "password", "pw")
	dir := t.TempDir()
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	for want, secret := range map[string]sla.Secret{"no regular file": {File: fifo}, "outside of the folders": {File: link, Within: dir}} {
		got := prober(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Auth: basicOf(secret)})).Probe(t.Context(), time.Time{})
		if got.Outcome != probe.Inconclusive || !strings.Contains(got.Detail, want) {
			t.Errorf("%v: %s, want inconclusive: %s", got.Outcome, got.Detail, want)
		}
	}
}
