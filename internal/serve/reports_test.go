package serve_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"golang.org/x/crypto/ssh"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/verdict"
)

const daily = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 1d
  serviceLevels:
    - name: requests
      service: api
      indicator: {events: {bad: 'errors_total{job="api"}', total: 'requests_total{job="api"}'}}
      target: "99.5"
`

// agreedLater excuses ten minutes of a day.
const agreedLater = `
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: %[3]s, agreement: shop}
spec:
  filed: "2026-01-03"
  by: provider
  reason: The utility had no power
  approvals:
    - {party: provider, name: A. Provider, on: "2026-01-03"}
    - {party: customer, name: B. Customer, on: "2026-01-05"}
  exclusion: {category: force_majeure, effect: remove_from_agreed_time, from: %[1]q, to: %[2]q}
`

// yesterday is a storage with a day of requests, of which all fail in ten minutes from
// 10:00 and again from 15:00.
func yesterday(t *testing.T, data string, today time.Time) {
	t.Helper()
	db, err := tsdb.Open(data, nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	day := today.AddDate(0, 0, -1)
	requests, errors := 0.0, 0.0
	for at := day.Add(5 * time.Minute); !at.After(today.Add(5 * time.Minute)); at = at.Add(time.Minute) {
		requests += 100
		if since := at.Sub(day); since > 10*time.Hour && since <= 10*time.Hour+10*time.Minute || since > 15*time.Hour && since <= 15*time.Hour+10*time.Minute {
			errors += 100
		}
		app := db.Appender(context.Background())
		for name, v := range map[string]float64{"requests_total": requests, "errors_total": errors, "up": 1} {
			if _, err := app.Append(0, labels.FromStrings("__name__", name, "job", "api"), at.UnixMilli(), v); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// aSigner is a key of ssh-keygen's format, and who may have signed with it.
func aSigner(t *testing.T) (signature.Signer, []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := signature.NewSigner(pem.EncodeToMemory(block), nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer, append([]byte("provider@example "), ssh.MarshalAuthorizedKey(key)...)
}

// signed demands that a kept report has the signature of the key, and that it is of
// these bytes.
func signed(t *testing.T, path string, signers []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	of, err := os.ReadFile(path + signature.Suffix)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := signature.Verify(text, of, signers); err != nil || who != "provider@example" {
		t.Errorf("%s: signed by %q, %v", path, who, err)
	}
	if _, err := signature.Verify(append(text, ' '), of, signers); !errors.Is(err, signature.ErrNoMatch) {
		t.Errorf("%s: of other bytes: %v", path, err)
	}
}

// A period that ended while nothing ran is closed at the next start, once: from raw
// samples, with the adjustments that there are by then. What is in the way is told and
// tried again. A restart changes nothing, and a restatement is a new version.
func TestClosedPeriodsGetTheirReports(t *testing.T) {
	dir := t.TempDir()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	day := today.AddDate(0, 0, -1)
	data := filepath.Join(dir, "data")
	yesterday(t, data, today)
	if err := os.Mkdir(filepath.Join(dir, "specs"), 0o700); err != nil {
		t.Fatal(err)
	}
	spec := write(t, filepath.Join(dir, "specs", "shop.yaml"), daily)
	period := "1d to " + today.Format(time.DateOnly)
	json := filepath.Join(data, "reports", "shop-1d-to-"+today.Format(time.DateOnly)+".json")
	blocked := strings.TrimSuffix(json, ".json") + ".evidence.json.gz"
	if err := os.MkdirAll(filepath.Join(blocked, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	// A process that was killed left a file that it had not finished.
	left := write(t, filepath.Join(data, "reports", ".upheld-ABCDEFGHIJKLMNOPQRSTUVWXYZ-1"), "{")
	if err := os.Chtimes(left, day, day); err != nil {
		t.Fatal(err)
	}
	signer, signers := aSigner(t)
	options := serve.Options{Specs: []string{filepath.Dir(spec)}, StoragePath: data, SettlingTime: time.Minute, Sign: signer}
	r := start(t, options)

	page := func(words ...string) {
		t.Helper()
		eventually(t, fmt.Sprintf("the page says %q", words), func() bool {
			status, body := r.get("/reports")
			for _, w := range words {
				if status != http.StatusOK || !strings.Contains(body, w) {
					return false
				}
			}
			return true
		})
	}
	page("the report could not be made yet", "file exists")
	if _, body := r.get("/metrics"); !strings.Contains(body, "upheld_reports_failing 1") {
		t.Error("the metric does not say that a report fails")
	}

	// Then the specification is broken: the old one is served on, but closes nothing.
	if err := os.RemoveAll(blocked); err != nil {
		t.Fatal(err)
	}
	write(t, spec, strings.Replace(daily, "99.5", "many", 1))
	r.reload <- struct{}{}
	page("the report could not be made yet", "has mistakes", "shop.yaml:")

	// It is mended, and the ten minutes at 10:00 were agreed meanwhile.
	write(t, spec, daily)
	exclusion := func(name string, hour time.Duration) string {
		return fmt.Sprintf(agreedLater, day.Add(hour).Format(time.RFC3339), day.Add(hour+10*time.Minute).Format(time.RFC3339), name)
	}
	write(t, filepath.Join(dir, "specs", "adjusted.yaml"), exclusion("power-failure", 10*time.Hour))
	r.reload <- struct{}{}
	page("Breached", "shop-1d-to-", "Made on")
	first, err := closing.ReadReport(json)
	if err != nil {
		t.Fatal(err)
	}
	// 1,000 of 142,500 requests: those of 10:00 are out, and of the first five minutes
	// nobody knows.
	if l := first.Levels[0]; first.Period.Name != period || l.Bad != "1000" || l.Removed != "1000" || first.Verdict != verdict.Breached {
		t.Errorf("the report of %s says %s, %s bad, %s removed", first.Period.Name, first.Verdict, l.Bad, l.Removed)
	}
	text, err := os.ReadFile(json)
	if err != nil {
		t.Fatal(err)
	}
	signed(t, json, signers)
	page("Signature", "shop-1d-to-"+today.Format(time.DateOnly)+".json.sig")
	name := strings.TrimSuffix(filepath.Base(json), ".json")
	for extension, want := range map[string]string{".html": "<!doctype html>", ".md": "# ", ".csv": "Agreement", ".json": string(text), ".evidence.json.gz": "\x1f\x8b", ".json.sig": "-----begin ssh signature-----"} {
		if status, body := r.get("/reports/file/" + url.PathEscape(name+extension)); status != http.StatusOK || !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
			t.Errorf("%s: status %d: %.60q", extension, status, body)
		}
	}
	for _, none := range []string{"nothing.html", "..%2F..%2Fspecs%2Fshop.yaml", "lock"} {
		if status, _ := r.get("/reports/file/" + none); status != http.StatusNotFound {
			t.Errorf("%s: status %d", none, status)
		}
	}
	page("The last 1 day", "The whole report to date")
	if status, body := r.get("/reports/to-date/shop/1d"); status != http.StatusOK || !strings.Contains(body, "Service review") {
		t.Errorf("to date: status %d: %.80s", status, body)
	}
	r.end()
	if _, err := os.Stat(left); err == nil {
		t.Error("what a killed process left half written is still there")
	}

	// A restart writes nothing. A day of which there is neither a report nor a sample,
	// while there is an older report, has too little data.
	older := *first
	older.Period.Name = "1d to " + today.AddDate(0, 0, -2).Format(time.DateOnly)
	older.Period.Start, older.Period.End, older.Period.Until = day.AddDate(0, 0, -2), day.AddDate(0, 0, -1), day.AddDate(0, 0, -1)
	shifted, err := report.JSON([]*verdict.Report{&older}, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "reports", "shop-1d-to-"+today.AddDate(0, 0, -2).Format(time.DateOnly)+".json"), string(shifted))
	r = start(t, options)
	page("Insufficient data", "1 day to "+today.AddDate(0, 0, -1).Format("2 January 2006"))
	if again, err := os.ReadFile(json); err != nil || !bytes.Equal(again, text) {
		t.Errorf("a restart changed the report: %v", err)
	}

	// Restated: without a reason or a change nothing is written.
	restate := func(reason string) int {
		t.Helper()
		response, err := http.PostForm(r.url+"/reports/restate", url.Values{"file": {filepath.Base(json)}, "reason": {reason}})
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if status := restate("  "); status != http.StatusBadRequest {
		t.Errorf("without a reason: status %d", status)
	}
	restate("to try")
	page("It could not be restated: Nothing would change")
	write(t, filepath.Join(dir, "specs", "more.yaml"), exclusion("again", 15*time.Hour))
	restate("both power failures were agreed")
	page("Version 2: both power failures were agreed", "Before, version 1", "from the stored measurements of an earlier version")
	second, err := closing.ReadReport(strings.TrimSuffix(json, ".json") + "-v2.json")
	if err != nil {
		t.Fatal(err)
	}
	if second.Verdict != verdict.Met || second.Version != 2 || second.Levels[0].Removed != "2000" {
		t.Errorf("version %d is %s, with %s removed", second.Version, second.Verdict, second.Levels[0].Removed)
	}
	signed(t, strings.TrimSuffix(json, ".json")+"-v2.json", signers)
	if again, err := os.ReadFile(json); err != nil || !bytes.Equal(again, text) {
		t.Errorf("the first version changed: %v", err)
	}
	if status, body := r.get("/reports/file/" + url.PathEscape(name+".json")); status != http.StatusOK || body != string(text) {
		t.Errorf("the first version cannot be read: status %d", status)
	}
	r.end()
}
