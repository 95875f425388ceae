package serve

import (
	"reflect"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// Each period has what was excluded, and the credit belongs to the one that
// credits depend on alone, tier by tier.
func TestContractOfPeriods(t *testing.T) {
	l := &sla.ServiceLevel{Period: sla.Period{Rolling: 30 * 24 * time.Hour}, MorePeriods: []sla.Period{{Calendar: sla.Month}}}
	l.Credits.Tiers = []sla.CreditTier{{Below: sla.MustDecimal("99.9")}, {Below: sla.MustDecimal("99")}}
	f := series{
		{"sla:raw_bad:sum_period", "30d", ""}: {F: 30}, {"sla:excluded_bad:sum_period", "30d", ""}: {F: 20},
		{"sla:raw_bad:sum_period", "month", ""}: {F: 3}, {"sla:credit:percent_period", "month", ""}: {F: 10},
		{"sla:credit_tier:minutes_period", "month", "99.9"}: {F: 0}, {"sla:credit_tier:minutes_period", "month", "99"}: {F: 60},
	}
	want := web.Contract{MeasuredBad: web.Known(30), ExcludedBad: web.Known(20)}
	if got := f.contract(l, l.Period); !reflect.DeepEqual(got, want) {
		t.Errorf("of 30d: %+v, want %+v", got, want)
	}
	want = web.Contract{MeasuredBad: web.Known(3), Credit: web.Known(10), MinutesToTier: []web.Figure{web.Known(0), web.Known(60)}}
	if got := f.contract(l, l.MorePeriods[0]); !reflect.DeepEqual(got, want) {
		t.Errorf("of the month: %+v, want %+v", got, want)
	}
}

// That good events exceed the total is a figure of the level.
func TestExcessIsAFigure(t *testing.T) {
	l := &sla.ServiceLevel{Period: sla.Period{Rolling: 30 * 24 * time.Hour}, Indicator: &sla.Events{}}
	if got := newStatus(l, series{{"sla:excess:ratio", "", ""}: {F: 0.3}}, nil).Excess; got != web.Known(0.3) {
		t.Errorf("got %+v, want 0.3", got)
	}
	if got := newStatus(l, series{}, nil).Excess; got.Known {
		t.Errorf("got %+v, which nobody measured", got)
	}
}
