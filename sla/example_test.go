package sla_test

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// How much may be bad: what the target leaves of a month that has a clock change.
func ExampleBudgetTime() {
	budget := sla.NewDecimal(1, 1).Sub(sla.MustDecimal("0.999"))
	rolling := sla.Period{Rolling: 30 * 24 * time.Hour}
	fmt.Println(rolling.Words(), sla.BudgetTime(budget, rolling))

	month := sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}
	from, to := month.Bounds(time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC))
	fmt.Println(from.Format(time.RFC3339), to.Sub(from))
	// Output:
	// 30d 43m12s
	// 2026-02-28T23:00:00Z 743h0m0s
}

// When an alert fires: the tiers of 30 days are those of the SRE workbook.
func ExampleDefaultTiers() {
	for _, t := range sla.DefaultTiers(sla.Period{Rolling: 30 * 24 * time.Hour}) {
		threshold, _ := t.Threshold(sla.MustDecimal("0.001"))
		fmt.Printf("%s: burn rate %s over %s, %s bad\n", t.Name, t.Factor, t.Long, threshold)
	}
	// Output:
	// page-fast: burn rate 14.4 over 1h0m0s, 0.0144 bad
	// page-slow: burn rate 6 over 6h0m0s, 0.006 bad
	// ticket-fast: burn rate 3 over 24h0m0s, 0.003 bad
	// ticket-slow: burn rate 1 over 72h0m0s, 0.001 bad
}
