package report

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

func TestTimesNameTheirZoneOnlyWhereTheClockShowsThemTwice(t *testing.T) {
	for _, c := range []struct{ zone, utc, want string }{
		{berlin, "2026-10-24T23:30:00Z", "Sun 25 Oct 01:30:00"},
		{berlin, "2026-10-25T00:30:00Z", "Sun 25 Oct 02:30:00 CEST"},
		{berlin, "2026-10-25T01:30:00Z", "Sun 25 Oct 02:30:00 CET"},
		{berlin, "2026-10-25T02:00:00Z", "Sun 25 Oct 03:00:00"},
		{berlin, "2026-03-29T00:59:59Z", "Sun 29 Mar 01:59:59"},
		{berlin, "2026-03-29T01:00:00Z", "Sun 29 Mar 03:00:00"},
		{"Australia/Lord_Howe", "2026-04-04T14:45:00Z", "Sun 5 Apr 01:45:00 +11"},
		{"UTC", "2026-10-25T01:30:00Z", "Sun 25 Oct 01:30:00"},
	} {
		when, err := time.Parse(time.RFC3339, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		clock := clockOf(verdict.ReportPeriod{Zone: c.zone})
		if got := clock.instant(when).Text; got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.utc, c.zone, got, c.want)
		}
	}
}

func TestPercentagesAreCutAndNeverReachWhatWasMissed(t *testing.T) {
	for _, c := range []struct{ achieved, target, want string }{
		{"99.95410141", "99.9", "99.954"},
		{"99.8999", "99.9", "99.899"},
		{"99.99999999", "99.95", "99.999"},
		{"99.99985", "99.9999", "99.9998"},
		{"100", "99.9", "100"},
		{"99.90000000", "99.9", "99.9"},
		{"0.00000001", "99.9", "0"},
		{"", "99.9", ""},
	} {
		want := c.want
		if want != "" {
			want += thin + "%"
		}
		if got := percentText(c.achieved, c.target); got != want {
			t.Errorf("%s of a target of %s is %q, want %q", c.achieved, c.target, got, want)
		}
	}
}

func TestQuantitiesForPeople(t *testing.T) {
	for _, c := range []struct{ value, unit, want string }{
		{"1231", "seconds", "20\u202fmin\u00a031\u202fs"},
		{"15651", "seconds", "4\u202fh\u00a020\u202fmin\u00a051\u202fs"},
		{"2682000", "seconds", "745\u202fh"},
		{"3600000", "seconds", "1\u202f000\u202fh"},
		{"0.4", "seconds", "< 1\u202fs"},
		{"0", "seconds", "0\u202fs"},
		{"-61", "seconds", "\u22121\u202fmin\u00a01\u202fs"},
		{"90", "minutes", "1\u202fh\u00a030\u202fmin"},
		{"1", "slots", "1 slot"},
		{"31.68", "slots", "31.68 slots"},
		{"182441", "events", "182\u202f441 events"},
		{"", "seconds", ""},
		{"much", "seconds", "much"},
		{"99999999999999999999999999", "seconds", "99999999999999999999999999\u202fs"},
	} {
		if got := quantity(c.value, c.unit); got != c.want {
			t.Errorf("%s %s is %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestHeadlineHasTheVerdictOnce(t *testing.T) {
	for _, c := range []struct{ summary, word, want string }{
		{"Met: the shop was available.", "Met", "The shop was available."},
		{"The shop was available.", "Met", "The shop was available."},
		{"", "Met", "The agreement shop in October 2026: the promise was kept."},
		{"Met: öde", "Met", "Öde"},
	} {
		r := october(t)
		r.Summary = c.summary
		if m, got := headline(r); m.Word != c.word || got != c.want {
			t.Errorf("%q is %s, %q; want %q", c.summary, m.Word, got, c.want)
		}
	}
}

func TestEveryVerdictHasWords(t *testing.T) {
	for _, v := range verdicts {
		if w := wordsOf(v); w.means == "" || w.word == "" {
			t.Errorf("%s has no words", v)
		}
	}
}

func TestPeriodWords(t *testing.T) {
	for name, want := range map[string]string{
		"2026-10": "October 2026", "2026-Q3": "quarter 3 of 2026", "2026-W05": "week 5 of 2026", "2026": "2026",
		"30d to 2026-11-01": "30 days to 1 November 2026", "1d to 2026-11-01 09:30": "1 day to 1 November 2026 09:30", "2026-10 revision 2": "2026-10 revision 2", "2026-13": "2026-13", "": "",
	} {
		if got := periodWords(verdict.ReportPeriod{Name: name}); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// What a reader who knows no names of periods meets first: the month in words, what is
// owed also without a fee, and no remarks about promises that were met if none was.
func TestTheFirstLinesAreForPeople(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	r := &verdict.Report{
		Agreement: "shop", Verdict: verdict.Breached, Summary: "In 2026-10 the agreement was not kept: the only level is below target.",
		Period: verdict.ReportPeriod{Name: "2026-10", Start: start, End: start.AddDate(0, 1, 0), Until: start.AddDate(0, 1, 0), Zone: "UTC"},
		Levels: []verdict.Level{{Service: "shop", SLO: "up", Verdict: verdict.Breached, Target: "99.9", Unit: "seconds"}},
		Credit: &verdict.TotalCredit{Percent: "10", Words: "10 % is owed."},
	}
	if _, words := headline(r); words != "In October 2026 the agreement was not kept: the only level is below target." {
		t.Errorf("the headline is %q", words)
	}
	p := newPortfolio([]*verdict.Report{r}, nil, nil)
	if got := p.Rows[0].Credit; !strings.HasPrefix(got, "10") || !strings.HasSuffix(got, "% of the fee") {
		t.Errorf("the portfolio says %q is owed", got)
	}
	page := func() string {
		t.Helper()
		html, err := HTML([]*verdict.Report{r}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(html)
	}
	if strings.Contains(page(), "Met, but") {
		t.Error("of a report without any level that is met, remarks about met ones are shown")
	}
	if r.Levels[0].Verdict = verdict.Met; !strings.Contains(page(), "Met, but") {
		t.Error("of a level that is met, the remarks are missing")
	}
}
