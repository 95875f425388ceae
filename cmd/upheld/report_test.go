package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// theTenth are samples of 10 October 2026 and some hours around it, every minute, as
// OpenMetrics text.
type theTenth struct{ strings.Builder }

func (o *theTenth) counter(series string, each func(t time.Time) int) {
	n := 0
	for t := time.Date(2026, 10, 9, 22, 0, 0, 0, time.UTC); t.Before(time.Date(2026, 10, 11, 2, 0, 0, 0, time.UTC)); t = t.Add(time.Minute) {
		n += each(t)
		fmt.Fprintf(o, "%s %d %d\n", series, n, t.Unix())
	}
}

// between reports whether a sample is of (from, to] of the day.
func between(t time.Time, from, to time.Duration) bool {
	since := t.Sub(time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC))
	return from < since && since <= to
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const shopSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: %s}
spec:
  serviceLevels:
    - {name: up, service: web, indicator: {probe: {http: "https://shop.example/", interval: 1m}}, target: "%s", period: 1d}
    - {name: errors, service: api, indicator: {events: {bad: 'http_requests_total{code="500"}', total: 'http_requests_total'}}, target: "99", period: 1d}
`

// shop is a day of two locations, one of which is down for an hour, and of requests of
// which one in a thousand fails.
func shop(name string) string {
	var o theTenth
	for _, location := range []string{"fra", "ams"} {
		for _, outcome := range []string{"good", "bad"} {
			series := fmt.Sprintf(`upheld_probe_results_total{job="upheld",instance="%s:1",sla="%s",service="web",slo="up",target="https://shop.example/",location="%s",outcome="%s"}`, location, name, location, outcome)
			o.counter(series, func(t time.Time) int {
				if down := location == "fra" && between(t, 3*time.Hour, 4*time.Hour); down == (outcome == "bad") {
					return 1
				}
				return 0
			})
		}
	}
	o.counter(`http_requests_total{job="api",instance="a",code="200"}`, func(time.Time) int { return 999 })
	o.counter(`http_requests_total{job="api",instance="a",code="500"}`, func(time.Time) int { return 1 })
	return o.String() + "# EOF\n"
}

// reported runs the verb and returns its exit code, its reports as JSON and its notes.
func reported(t *testing.T, args ...string) (code int, reports []map[string]any, notes string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(append([]string{"report"}, args...), &stdout, &stderr)
	for dec := json.NewDecoder(&stdout); dec.More(); {
		var r map[string]any
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%v\n%s", err, stderr.String())
		}
		reports = append(reports, r)
	}
	return code, reports, stderr.String()
}

func levelOf(t *testing.T, report map[string]any, i int) map[string]any {
	t.Helper()
	return report["levels"].([]any)[i].(map[string]any)
}

func TestReportFromFilesIsExact(t *testing.T) {
	dir := t.TempDir()
	spec := write(t, dir, "shop.yaml", fmt.Sprintf(shopSpec, "shop", "97.9"))
	file := write(t, dir, "samples.om", shop("shop"))
	code, reports, notes := reported(t, spec, "--samples", file, "--period", "1d to 2026-10-11")
	if code != exitDone || len(reports) != 1 {
		t.Fatalf("exit code %d, %d reports: %s", code, len(reports), notes)
	}
	// 1,800 of 86,400 seconds, and 1,440 of 1,440,000 requests.
	for i, want := range []map[string]string{
		{"verdict": "met", "agreed": "86400", "bad": "1800", "achieved": "97.91666666", "coverage": "100"},
		{"verdict": "met", "agreed": "1440000", "bad": "1440", "achieved": "99.9", "coverage": "100"},
	} {
		for key, value := range want {
			if got := levelOf(t, reports[0], i)[key]; got != value {
				t.Errorf("level %d: %s is %v, want %s", i, key, got, value)
			}
		}
	}
}

func TestExitCodesOfReports(t *testing.T) {
	dir := t.TempDir()
	met := write(t, dir, "met.yaml", fmt.Sprintf(shopSpec, "met", "97.9"))
	breached := write(t, dir, "breached.yaml", fmt.Sprintf(shopSpec, "breached", "99.99"))
	unmeasured := write(t, dir, "unmeasured.yaml", fmt.Sprintf(shopSpec, "unmeasured", "97.9"))
	of := func(name string) string { return write(t, dir, name+".om", shop(name)) }
	all := []string{"--samples", of("met"), "--samples", of("breached"), "--period", "1d to 2026-10-11"}
	for _, c := range []struct {
		specs []string
		want  int
	}{
		{[]string{met}, exitDone},
		{[]string{met, breached}, exitNo},
		{[]string{unmeasured, met}, exitInsufficient},
		{[]string{unmeasured, breached, met}, exitMixed},
	} {
		if code, reports, notes := reported(t, append(c.specs, all...)...); code != c.want || len(reports) != len(c.specs) {
			t.Errorf("%v: exit code %d, want %d; %d reports\n%s", c.specs, code, c.want, len(reports), notes)
		}
	}
}

// What is wrong with samples is an error, or too little data, and never "met".
func TestDamagedSamplesAreNeverMet(t *testing.T) {
	dir := t.TempDir()
	spec := write(t, dir, "shop.yaml", fmt.Sprintf(shopSpec, "shop", "97.9"))
	whole := shop("shop")
	lines := strings.SplitAfter(whole, "\n")
	for name, c := range map[string]struct {
		text, says string
		code       int
	}{
		"cut in a line":     {whole[:len(whole)/2], "cut off", exitFailed},
		"cut at a line":     {strings.Join(lines[:len(lines)/2], ""), "must end with # EOF", exitFailed},
		"out of order":      {lines[1] + lines[0] + strings.Join(lines[2:], ""), "not in order of time", exitFailed},
		"no timestamp":      {"http_requests_total 1\n# EOF\n", "no timestamp", exitFailed},
		"milliseconds":      {strings.ReplaceAll(whole, "00\n", "00000\n"), "in seconds", exitFailed},
		"no number":         {"http_requests_total many 1793000000\n# EOF\n", ":1: ", exitFailed},
		"no such metric":    {strings.ReplaceAll(strings.ReplaceAll(whole, "http_requests_total", "requests_total"), "results_total", "result_total"), "", exitInsufficient},
		"all is no number":  {notNumbers(lines), "", exitInsufficient},
		"empty":             {"# EOF\n", "no samples", exitFailed},
		"of another month":  {strings.NewReplacer(" 179", " 178").Replace(whole), "", exitInsufficient},
		"after its end":     {whole + lines[0] + "# EOF\n", "more after # EOF", exitFailed},
		"two of one moment": {lines[0] + whole, "two samples", exitFailed},
	} {
		code, _, notes := reported(t, spec, "--samples", write(t, dir, "damaged.om", c.text), "--period", "1d to 2026-10-11")
		if code != c.code || !strings.Contains(notes, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q: %s", name, code, c.code, c.says, notes)
		}
	}
}

func notNumbers(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) == 3 && !strings.HasPrefix(line, "#") {
			line = fields[0] + " NaN " + fields[2] + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestReportsAreWrittenToADirectory(t *testing.T) {
	dir := t.TempDir()
	spec := write(t, dir, "shop.yaml", fmt.Sprintf(shopSpec, "shop", "97.9"))
	file := write(t, dir, "samples.om", shop("shop"))
	var stdout, stderr bytes.Buffer
	out := filepath.Join(dir, "reports")
	if code := run([]string{"report", spec, "--samples", file, "--period=1d to 2026-10-11", "--format=json", "-o", out}, &stdout, &stderr); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	want := filepath.Join(out, "shop-1d-to-2026-10-11.json")
	if got := stdout.String(); got != want+"\n"+strings.TrimSuffix(want, ".json")+".evidence.json.gz"+"\n" {
		t.Errorf("stdout is %q, want the names of the report and its evidence", got)
	}
	if text, err := os.ReadFile(want); err != nil || !json.Valid(text) {
		t.Errorf("%v: %.100s", err, text)
	}
}
