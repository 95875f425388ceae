package closing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

func TestPeriodsAreClosedOneAfterTheOther(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		name         string
		p            sla.Period
		after, until string
		want         string
	}{
		{"months", sla.Period{Calendar: sla.Month}, "2026-08-15T00:00:00Z", "2026-11-01T00:00:00Z", "2026-08 2026-09 2026-10"},
		{"a month is over at its last moment", sla.Period{Calendar: sla.Month}, "2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z", ""},
		{"in its zone", sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}, "2026-10-01T00:00:00Z", "2026-10-31T23:00:00Z", "2026-10"},
		{"quarters over a year's end", sla.Period{Calendar: sla.Quarter}, "2026-07-01T00:00:00Z", "2027-02-01T00:00:00Z", "2026-Q3 2026-Q4"},
		{"weeks", sla.Period{Calendar: sla.Week, WeekStart: time.Monday}, "2026-10-12T00:00:00Z", "2026-10-27T00:00:00Z", "2026-W42 2026-W43"},
		{"30 days, at the ends of months", sla.Period{Rolling: 30 * day}, "2026-09-10T00:00:00Z", "2026-11-15T00:00:00Z", "30d to 2026-10-01 30d to 2026-11-01"},
		{"7 days, end to end on Mondays", sla.Period{Rolling: 7 * day}, "2026-10-13T00:00:00Z", "2026-10-27T00:00:00Z", "7d to 2026-10-19 7d to 2026-10-26"},
		{"days over a change of the clock", sla.Period{Rolling: day, Zone: "Europe/Berlin"}, "2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z", "1d to 2026-10-25 1d to 2026-10-26"},
		{"none before the first sample", sla.Period{Calendar: sla.Month}, "2026-11-10T00:00:00Z", "2026-11-20T00:00:00Z", ""},
	} {
		var names []string
		for _, n := range Closings(c.p, at(c.after), at(c.until)) {
			names = append(names, n.String())
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if n := len(Closings(sla.Period{Rolling: day}, time.Unix(0, 0), at("2026-11-01T00:00:00Z"))); n != mostClosings {
		t.Errorf("%d periods are closed at once, want %d", n, mostClosings)
	}
	name, end := NextClosing(sla.Period{Rolling: 30 * day}, at("2026-11-01T00:00:00Z"))
	if name.String() != "30d to 2026-12-01" || !end.Equal(at("2026-12-01T00:00:00Z")) {
		t.Errorf("the next one is %s, at %s", name, end)
	}
}

func aReport(version int) *verdict.Report {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(0, 1, 0)
	return &verdict.Report{
		Format: verdict.ReportFormat, Agreement: "shop", Version: version, Verdict: verdict.Met, Summary: "Met: all promises were kept.",
		Period: verdict.ReportPeriod{Name: "2026-10", Start: start, End: end, Until: end, Zone: "UTC"},
	}
}

// What is in the archive stays, whatever is written after it, and files that are no
// reports are named and harm nothing.
func TestArchiveWritesEachReportOnce(t *testing.T) {
	a := &Archive{Dir: filepath.Join(t.TempDir(), "reports")}
	if kept, bad, err := a.List(); len(kept)+len(bad) != 0 || err != nil {
		t.Fatalf("without a folder: %v, %v, %v", kept, bad, err)
	}
	if _, err := a.Freeze(aReport(1), verdict.Evidence{}); err != nil {
		t.Fatal(err)
	}
	path := a.Path("shop-2026-10.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := aReport(1)
	other.Verdict = verdict.Breached
	if _, err := a.Freeze(other, verdict.Evidence{}); !errors.Is(err, ErrKept) {
		t.Errorf("the same period and version again: %v", err)
	}
	if _, err := a.Freeze(aReport(2), verdict.Evidence{}); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the first report changed: %v", err)
	}
	if err := os.WriteFile(a.Path("notes.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.Path(".upheld-123"), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, bad, err := a.List()
	if err != nil || len(kept) != 2 || kept[0].Version != 1 || kept[1].Version != 2 || len(bad) != 1 || bad[0].File != "notes.json" {
		t.Errorf("%v, %v, %v", kept, bad, err)
	}
	entries, err := os.ReadDir(a.Dir)
	if err != nil || len(entries) != 6 { // two reports, their evidence, and what was put there
		t.Errorf("%d files are there: %v", len(entries), err)
	}
	// A signature that a run with a key left when it was killed signs nothing.
	left := SignaturePath(a.Path("shop-2026-10-v3.json"))
	if err := os.WriteFile(left, []byte("of another report"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Freeze(aReport(3), verdict.Evidence{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("an unsigned report has the signature of another one")
	}
	e, err := EvidenceOf(&verdict.Report{Inputs: verdict.Document{SHA256: "other"}}, EvidencePath(path))
	if err == nil || !strings.Contains(err.Error(), "is not the evidence of the report") {
		t.Errorf("evidence of another report is taken: %v, %v", e, err)
	}
}
