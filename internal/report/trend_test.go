package report

import (
	"slices"
	"testing"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// A month stands beside months, of each the version that holds; a quarter, or a month of
// another agreement, is no month before it. A part of a month is a month.
func TestTrendIsOfOneKindOfPeriod(t *testing.T) {
	period := func(name, start string) verdict.ReportPeriod {
		return verdict.ReportPeriod{Name: name, Start: at(t, berlin, start+" 00:00:00")}
	}
	of := func(agreement string, p verdict.ReportPeriod, version int) *verdict.Report {
		return &verdict.Report{Agreement: agreement, Period: p, Version: version}
	}
	history := []*verdict.Report{
		of("shop", period("2026-03", "2026-03-01"), 1),
		of("shop", period("2026-02", "2026-02-01"), 2),
		of("shop", period("2026-02", "2026-02-01"), 1),
		of("shop", period("2026-Q1", "2026-01-01"), 1),
		of("shop", period("2025-Q4", "2025-10-01"), 1),
		of("shop", period("30d to 2026-03-01", "2026-01-30"), 1),
		of("shop", period("30d to 2026-01-30", "2025-12-31"), 1),
		of("mail", period("2026-01", "2026-01-01"), 1),
		of("shop", period("2026-05", "2026-05-01"), 1),
	}
	for name, test := range map[string]struct {
		now  verdict.ReportPeriod
		want []string
	}{
		"a month":           {period("2026-04", "2026-04-01"), []string{"2026-02", "2026-03"}},
		"a part of a month": {period("2026-04 revision 2", "2026-04-12"), []string{"2026-02", "2026-03"}},
		"a quarter":         {period("2026-Q2", "2026-04-01"), []string{"2025-Q4", "2026-Q1"}},
		"thirty days":       {period("30d to 2026-03-31", "2026-03-01"), []string{"30d to 2026-01-30", "30d to 2026-03-01"}},
		"a year":            {period("2026", "2026-01-01"), nil},
	} {
		var got []string
		for _, h := range pastPeriods(of("shop", test.now, 1), history) {
			got = append(got, h.Period.Name)
			if h.Period.Name == "2026-02" && h.Version != 2 {
				t.Errorf("%s: February is version %d, want the newest", name, h.Version)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s stands beside %q, want %q", name, got, test.want)
		}
	}
}
