package inspect

import (
	"slices"
	"strconv"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// replicaLabels distinguish the copies of a series in a store that several servers
// write to: the labels of Prometheus' operator, Thanos and Mimir, and those that their
// documentation suggests.
var replicaLabels = []string{"replica", "prometheus_replica", "__replica__", "thanos_replica", "receive_replica", "rule_replica", "monitor_replica", "vmagent_replica"}

// nearlySame is the least ratio of two copies of one counter, scraped some seconds
// apart. Instances of a service with such a label differ more.
var nearlySame = sla.NewDecimal(9, 10)

// doubled checks whether series exist more than once and differ only in a replica
// label, as when two servers scrape the same targets and a store keeps both: then every
// event counts twice.
func (l *level) doubled(q sla.Query, of []promql.Selector) {
	for _, s := range of {
		copies := promql.CountWithout(s.Now(), replicaLabels...)
		alike := promql.Ge(promql.MinWithout(s.Now(), replicaLabels...),
			promql.Mul(promql.Num(nearlySame), promql.MaxWithout(s.Now(), replicaLabels...)))
		several := promql.And(promql.Gt(copies, promql.Num(sla.NewDecimal(1, 1))), alike)
		found := l.vector(promql.TopOne(several))
		if len(found) == 0 {
			continue
		}
		label := l.replicaLabel(s)
		l.warn(q.At(s.Place()), "replicas",
			"deduplicate what the rules read ("+label+" as Thanos' --query.replica-label, Mimir's HA tracker, or left out with VictoriaMetrics' -dedup.minScrapeInterval), or select one value of it",
			"the server has series of %s %s times that differ in the label %s alone, so that every event of the level %q counts as often",
			s.Name(), strconv.FormatFloat(float64(found[0].Value), 'f', -1, 64), label, l.of.ID.SLO)
	}
}

// replicaLabel returns the replica label of the selector's series.
func (l *level) replicaLabel(s promql.Selector) string {
	i := slices.IndexFunc(replicaLabels, func(label string) bool {
		return len(l.vector(promql.CountBy(s.With(promql.Ne(label, "")).Now(), label))) > 1
	})
	return replicaLabels[max(i, 0)]
}
