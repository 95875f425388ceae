package inspect

import (
	"slices"
	"strconv"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// replicaLabels distinguish the copies of one series in a store that several servers
// write to: those of Prometheus' operator, Thanos and Mimir, and those that their
// documentation proposes.
var replicaLabels = []string{"replica", "prometheus_replica", "__replica__", "thanos_replica", "receive_replica", "rule_replica", "monitor_replica", "vmagent_replica"}

// nearlySame is the least ratio of two copies: they are of one counter, scraped some
// seconds apart. Instances of a service that have such a label differ more.
var nearlySame = sla.NewDecimal(9, 10)

// doubled asks whether series are there more than once, with nothing but a label
// of replicas different, as where two servers scrape the same and a store keeps
// both: every event then counts twice.
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

// replicaLabel is the label of replicas that the selector's series have.
func (l *level) replicaLabel(s promql.Selector) string {
	i := slices.IndexFunc(replicaLabels, func(label string) bool {
		return len(l.vector(promql.CountBy(s.With(promql.Ne(label, "")).Now(), label))) > 1
	})
	return replicaLabels[max(i, 0)]
}
