package serve

import (
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// memberSeries selects what pages show of the trees of composites.
const memberSeries = `{__name__=~"` + metricnames.NodeBad + "|" + metricnames.DownSince + "|" + metricnames.BlameBudget + `"}`

// addMembers adds the members of a composite. Other levels stay as they are.
func addMembers(status *web.LevelStatus, vector []promql.Sample) {
	status.Members = members(status.Level, vector)
}

// members are the nodes of a composite, from its samples of memberSeries.
func members(l *sla.ServiceLevel, vector []promql.Sample) []web.Member {
	c, ok := l.Indicator.(*sla.Composite)
	if !ok {
		return nil
	}
	found := map[string]float64{} // by name and distinguishing labels
	for _, s := range vector {
		switch name := s.Metric.Get("__name__"); {
		case name == metricnames.NodeBad:
			found[s.Metric.Get(metricnames.Node)+" "+s.Metric.Get(metricnames.Assume)] = s.F
		case name == metricnames.DownSince:
			found[name+" "+s.Metric.Get(metricnames.Component)] = s.F
		case s.Metric.Get(metricnames.Period) == l.Period.String():
			found[s.Metric.Get(metricnames.How)+" "+s.Metric.Get(metricnames.Component)] = s.F
		}
	}
	var members []web.Member
	told := map[*sla.Component]bool{}
	weights := map[*sla.Node]web.Figure{}
	c.Tree.Walk(func(n *sla.Node) {
		policy := sla.UnknownExcluded // members are shown as they are, the whole by its policy
		if n == c.Tree {
			policy = c.Unknown
		}
		m := web.Member{Name: n.Name, Title: n.Title(), Depth: strings.Count(n.Path, "."), State: nodeState(found, n.Path, policy)}
		m.Weight = weights[n]
		for i, w := range n.Weights {
			weights[n.Members[i]] = web.Known(w.Float64())
		}
		if n.Level != nil && n.Level != l {
			m.Of = n.Level.ID
		}
		if n.Leaf() {
			if since, down := found[metricnames.DownSince+" "+n.Component.Label]; down {
				m.Since = time.Unix(int64(since), 0)
			}
			if !told[n.Component] {
				told[n.Component] = true
				m.Alone = figureOf(found, metricnames.Alone+" "+n.Component.Label)
				m.WithOthers = figureOf(found, metricnames.WithOthers+" "+n.Component.Label)
			}
		}
		members = append(members, m)
	})
	return members
}

// nodeState is down or degraded if the node is surely bad, and unknown if it may be,
// unless the policy decides.
func nodeState(found map[string]float64, path string, policy sla.UnknownPolicy) sla.State {
	sure, known := found[path+" "+metricnames.UnknownGood]
	maybe := found[path+" "+metricnames.UnknownBad] > 0
	switch {
	case !known:
		return sla.StateUnknown
	case sure >= 1 || policy == sla.UnknownBad && maybe:
		return sla.StateDown
	case sure > 0:
		return sla.StateDegraded
	case maybe && policy != sla.UnknownGood:
		return sla.StateUnknown
	}
	return sla.StateUp
}

func figureOf(found map[string]float64, key string) web.Figure {
	v, ok := found[key]
	return web.Figure{Value: v, Known: ok}
}
