package sla_test

import (
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

func TestTheFirstMatchingPromiseHolds(t *testing.T) {
	promise := func(target string, pairs ...string) sla.GroupTarget {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return sla.GroupTarget{Match: m, Target: sla.MustDecimal(target), Objective: sla.MustDecimal(target)}
	}
	l := &sla.ServiceLevel{Target: sla.MustDecimal("99"), Objective: sla.MustDecimal("99.5")}
	l.GroupBy.Labels = []string{"region", "tenant"}
	l.GroupBy.Targets = []sla.GroupTarget{promise("99.99", "region", "eu", "tenant", "acme"), promise("99.9", "tenant", "acme"), promise("95", "region", "eu")}
	for _, c := range []struct{ region, tenant, want string }{
		{"eu", "acme", "99.99"}, {"us", "acme", "99.9"}, {"", "acme", "99.9"}, {"eu", "globex", "95"}, {"eu", "", "95"}, {"us", "globex", "99"}, {"", "", "99"},
	} {
		if got := l.PromiseTo(map[string]string{"region": c.region, "tenant": c.tenant, "pod": "x"}); got.Target.String() != c.want {
			t.Errorf("%s/%s is promised %s, want %s", c.region, c.tenant, got.Target, c.want)
		}
	}
	if a, b := promise("1", "tenant", "a"), promise("1", "tenant", "a", "region", "eu"); !a.Covers(b) || b.Covers(a) {
		t.Error("a match of fewer labels covers one of more, and not the other way round")
	}
	if words := l.GroupBy.Targets[0].Words(); words != `region "eu", tenant "acme"` {
		t.Errorf("words %s", words)
	}
}
