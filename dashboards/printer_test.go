package dashboards_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla"
)

// renamed is the agreement under other names.
func renamed(a *sla.Agreement, suffix string) *sla.Agreement {
	b := *a
	b.Name += suffix
	if b.Description != "" {
		b.Description += ` <"ä" & \ $x {{y}} ⟪sla 0⟫>` + suffix
	}
	b.Levels = nil
	other := func(id sla.ID) sla.ID {
		return sla.ID{SLA: id.SLA + suffix, Service: id.Service + "/" + suffix, SLO: suffix + id.SLO}
	}
	for _, l := range a.Levels {
		c := *l
		c.ID = other(l.ID)
		if i, ok := l.Indicator.(*sla.ProbeLatency); ok {
			moved := *i
			moved.Of = other(i.Of)
			c.Indicator = &moved
		}
		b.Levels = append(b.Levels, &c)
	}
	return &b
}

// varied are agreements that each differ from the first in one thing that its
// dashboard shows.
func varied() []*sla.Agreement {
	all := []*sla.Agreement{shop()}
	for _, change := range []func(*sla.Agreement){
		func(a *sla.Agreement) { a.Description = "" },
		func(a *sla.Agreement) { a.Levels = a.Levels[:3] },
		func(a *sla.Agreement) { a.Levels[0].Target = sla.MustDecimal("99.90000000000000000000000001") },
		func(a *sla.Agreement) { a.Levels[0].Objective = sla.MustDecimal("99.95") },
		func(a *sla.Agreement) { a.Levels[0].Period.Rolling = 7 * day },
		func(a *sla.Agreement) { a.Levels[0].Period = sla.Period{Calendar: "month", Zone: "Europe/Berlin"} },
		func(a *sla.Agreement) { a.Levels[0].MorePeriods = []sla.Period{{Rolling: 7 * day}} },
		func(a *sla.Agreement) { a.Levels[0].Alerting.Tiers = a.Levels[0].Alerting.Tiers[1:] },
		func(a *sla.Agreement) { a.Levels[0].Alerting.Tiers[0].Name = "⟪sla 0⟫" },
		func(a *sla.Agreement) { a.Levels[0].Alerting.Tiers[0].Severity = "ticket" },
		func(a *sla.Agreement) { a.Levels[0].Alerting.Tiers[0].Factor = sla.MustDecimal("3") },
		func(a *sla.Agreement) { a.Levels[0].Alerting.Tiers[0].Long *= 2 },
		func(a *sla.Agreement) { a.Levels[0].Alerting.Tiers[0].Short *= 2 },
		func(a *sla.Agreement) { a.Levels[1].Indicator.(*sla.ProbeLatency).Threshold *= 2 },
		func(a *sla.Agreement) { a.Levels[1].Indicator.(*sla.ProbeLatency).Of.SLA = "other" },
		func(a *sla.Agreement) { a.Levels[2].Aggregation = sla.Time },
		func(a *sla.Agreement) { a.Levels[2].Indicator = &sla.Probe{} },
		func(a *sla.Agreement) { a.Levels[2].GroupBy.Labels = []string{"tenant"} },
		func(a *sla.Agreement) { a.Levels[2].ServiceHours = &sla.Calendar{} },
		func(a *sla.Agreement) { a.Levels[2].ID.Service = "⟪service 0⟫" },
		func(a *sla.Agreement) { a.Levels[2].ID.Service = "<&>" },
	} {
		a := shop()
		change(a)
		all = append(all, a)
	}
	return all
}

// A printer prints the same as a new one, whatever it printed before.
func TestPrinter(t *testing.T) {
	var agreements []*sla.Agreement
	for _, a := range append(append(examples(t), varied()...), odd(), huge(11), huge(101), &sla.Agreement{Name: "empty"}) {
		for i, suffix := range []string{"", "-b", "-much-longer", "$", strings.Repeat("x", 30)} {
			agreements = append(agreements, renamed(a, suffix))
			if i == 0 {
				agreements[len(agreements)-1] = a
			}
		}
	}
	var p dashboards.Printer
	for range 2 {
		for i, a := range agreements {
			got, err := p.Agreement(a)
			if err != nil {
				t.Fatal(err)
			}
			want, err := dashboards.Agreement(a)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Fatalf("%d, %s (-new printer +printed):\n%s", i, a.Name, diff)
			}
		}
	}
}

// Agreements that differ in names only are printed by text, also of every
// kind of level that is common.
func TestPrinterSavesWork(t *testing.T) {
	var p dashboards.Printer
	n := 0
	allocations := testing.AllocsPerRun(10, func() {
		n++
		if _, err := p.Agreement(renamed(shop(), fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 1000 { // a new printer takes far more
		t.Errorf("%.0f allocations", allocations)
	}
}
