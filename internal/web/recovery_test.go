package web

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// The page of a level with recovery says how old the outage is of what is allowed, how many
// there were, how old backups are, and which exercises are overdue.
func TestPageShowsRecovery(t *testing.T) {
	levels := sample()
	v := newRecovery(levels[0], atNoon)
	plain := func(text string) string { return strings.NewReplacer(thin, " ", "\u00a0", " ").Replace(text) }
	var limits []string
	for _, l := range v.Limits {
		limits = append(limits, plain(l.Words+": "+l.Now+": "+l.State.Word))
	}
	want := "each outage is restored within 1h: 45 min of 1 h: Near the limit; " +
		"data that would be lost at most 1h: 1 h 15 min of 1 h: Over the limit; age of the last restored backup at most 30d: : No result of its query"
	if got := strings.Join(limits, "; "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	var methods []string
	for _, m := range v.Methods {
		methods = append(methods, plain(strings.Join([]string{m.Method, m.RTO, m.RPO, m.Last, m.Due, m.State.Word}, ", ")))
	}
	want = "failover, 15 min, 0 s, never, not asked for, No date; restore_from_backup, 4 h, 1 h, 2025-08-20, 2026-02-16, Overdue; rebuild, , , 2026-02-01, 2026-05-02, In time"
	if got := strings.Join(methods, "; "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if newRecovery(levels[1], atNoon) != nil {
		t.Error("a level without recovery has some")
	}
	grouped := levels[0]
	grouped.Recovery.Age = Figure{}
	grouped.Groups = []GroupStatus{{LevelStatus: LevelStatus{Level: &sla.ServiceLevel{}, Recovery: Recovery{Age: Known(60)}}}, {LevelStatus: LevelStatus{Level: &sla.ServiceLevel{}, Recovery: Recovery{Age: Known(7200)}}}}
	if got := plain(newRecovery(grouped, atNoon).Limits[0].Now); got != "2 h of 1 h" {
		t.Errorf("of groups: %q", got)
	}
	page := get(t, handlerFor(t, fixed{levels: levels}), "/level/shop/storefront/availability")
	for _, text := range []string{"Outage now", "Outages over", "Near the limit", "restore_from_backup", "2026-02-16"} {
		if !strings.Contains(page.Body.String(), text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}
