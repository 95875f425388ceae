package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/sla"
)

// tenants is a level with groups: one that misses its own strict target, one that
// is good, one that has no data any more, and one whose name must be escaped.
func tenants() LevelStatus {
	l := level("api", "requests", "99.9", &sla.Events{Bad: sla.Query{Text: "errors_total"}, Total: sla.Query{Text: "requests_total"}})
	l.GroupBy = sla.GroupBy{Labels: []string{"tenant"}, Limit: 50}
	group := func(name, target string, state sla.State, achieved, budget float64, hour Figure, firing ...string) GroupStatus {
		own := *l
		own.Target, own.Objective = sla.MustDecimal(target), sla.MustDecimal(target)
		g := GroupStatus{Name: "tenant " + name, LevelStatus: LevelStatus{
			Level: &own, State: state, Achieved: Known(achieved), BudgetRemaining: Known(budget), Coverage: Known(1),
			Bad: Known(12), Total: Known(100000), BadShare: map[time.Duration]float64{}, Alerts: tierAlerts(firing...),
		}}
		if hour.Known {
			g.BadShare[time.Hour], g.BadShare[6*time.Hour] = hour.Value, hour.Value
		}
		return g
	}
	return LevelStatus{
		Level: l, State: sla.StateDown, Alerts: tierAlerts("page"), History: outage(20, 1),
		Groups: []GroupStatus{
			group("acme", "99.99", sla.StateDown, 0.9995, -4, Known(0.02), "page"),
			group("globex", "99.9", sla.StateUp, 0.9995, 0.5, Known(0.0002)),
			group("gone", "99.9", sla.StateUnknown, 0.9999, 0.9, Figure{}),
			group(`<b>&"x"`, "99.9", sla.StateUp, 1, 1, Known(0)),
		},
	}
}

func TestGroupsOnPages(t *testing.T) {
	source := fixed{levels: []LevelStatus{tenants()}}
	for name, path := range map[string]string{"overview-groups": "/", "level-groups": "/level/shop/api/requests"} {
		h := handlerFor(t, source)
		body := get(t, h, path).Body.String()
		golden.Equal(t, "testdata/"+name+".html", stable(h, body))
		if strings.Contains(body, "<b>") {
			t.Errorf("%s: a label's value is taken for HTML", path)
		}
		if strings.Contains(body, "No data yet") {
			t.Errorf("%s: has groups and says there is no data", path)
		}
		if acme, globex := strings.Index(body, "tenant acme"), strings.Index(body, "tenant globex"); acme < 0 || globex < acme {
			t.Errorf("%s: groups are not listed as they come", path)
		}
	}
}

// The overview stays short; the level's page has all groups.
func TestManyGroupsOnPages(t *testing.T) {
	status := tenants()
	for i := range 20 {
		g := status.Groups[3]
		g.Name = fmt.Sprintf("tenant t%d", i)
		status.Groups = append(status.Groups, g)
	}
	h := handlerFor(t, fixed{levels: []LevelStatus{status}})
	overview, page := get(t, h, "/").Body.String(), get(t, h, "/level/shop/api/requests").Body.String()
	if n := strings.Count(overview, `class="text">tenant`); n != groupsInOverview || !strings.Contains(overview, "and 19 more") {
		t.Errorf("the overview lists %d groups", n)
	}
	if n := strings.Count(page, `class="text">tenant`); n != 24 {
		t.Errorf("the level's page lists %d groups", n)
	}
}

// Before its first values a level with groups says so.
func TestNoGroupsYet(t *testing.T) {
	status := tenants()
	status.Groups, status.State = nil, sla.StateUnknown
	body := get(t, handlerFor(t, fixed{levels: []LevelStatus{status}}), "/").Body.String()
	if !strings.Contains(body, "No data yet") {
		t.Error("it does not say that there is no data")
	}
}
