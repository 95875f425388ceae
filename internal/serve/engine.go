package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"

	"github.com/upheld-sla/upheld/internal/web"
)

// Defaults of Prometheus' flags.
const (
	alertQueueCapacity = 10_000
	outageTolerance    = time.Hour
	forGracePeriod     = 10 * time.Minute
	resendDelay        = time.Minute
)

// makeEngines makes the query engine of rules and pages, and that of all other queries.
// The first has a tracker, which says after a crash which queries were running; promapi
// limits how many queries the second runs at a time.
func (s *server) makeEngines() error {
	tracker, err := promql.NewActiveQueryTracker(s.StoragePath, ownQueries, s.Logger)
	if err != nil {
		return fmt.Errorf("storage directory %s: %w", s.StoragePath, err)
	}
	s.parser = parser.NewParser(parser.Options{})
	s.engine = s.newEngine("rules", ownMaxSamples, ownTimeout, tracker)
	s.apiEngine = s.newEngine("api", s.QueryMaxSamples, s.QueryTimeout, nil)
	return nil
}

// Limits of rules and pages, whatever is set for other queries: Prometheus' defaults.
const (
	ownQueries    = 20
	ownMaxSamples = 50_000_000
	ownTimeout    = 2 * time.Minute
)

func (s *server) newEngine(name string, maxSamples int, timeout time.Duration, tracker *promql.ActiveQueryTracker) *promql.Engine {
	opts := promql.EngineOpts{
		Logger:               s.Logger.With("component", "query engine", "engine", name),
		Reg:                  prometheus.WrapRegistererWith(prometheus.Labels{"engine": name}, s.registry),
		MaxSamples:           maxSamples,
		Timeout:              timeout,
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 {
			return s.RulesInterval.Milliseconds()
		},
		Parser: s.parser,
	}
	if tracker != nil {
		opts.ActiveQueryTracker = tracker
	}
	return promql.NewEngine(opts)
}

func (s *server) newScrapes(loop *loopback) (*scrape.Manager, error) {
	manager, err := scrape.NewManager(&scrape.Options{
		DiscoveryReloadOnStartup: true,
		DiscoveryReloadInterval:  model.Duration(time.Second),
		HTTPClientOptions:        []commonconfig.HTTPClientOption{commonconfig.WithDialContextFunc(loop.dial)},
	}, s.Logger.With("component", "scrape manager"), nil, nil, s.writes, s.registry)
	if err != nil {
		return nil, fmt.Errorf("scrape manager: %w", err)
	}
	return manager, nil
}

func (s *server) newDiscovery(ctx context.Context) (*discovery.Manager, error) {
	metrics, err := discovery.CreateAndRegisterSDMetrics(s.registry)
	if err != nil {
		return nil, fmt.Errorf("service discovery: %w", err)
	}
	manager := discovery.NewManager(ctx, s.Logger.With("component", "discovery"), s.registry, metrics, discovery.Name("scrape"))
	if manager == nil {
		return nil, fmt.Errorf("service discovery: its metrics cannot be registered")
	}
	return manager, nil
}

func (s *server) newNotifier() *notifier.Manager {
	return notifier.NewManager(&notifier.Options{
		QueueCapacity: alertQueueCapacity,
		// Alerts that fired before the stop should still be sent.
		DrainOnShutdown: true,
		Registerer:      s.registry,
	}, model.UTF8Validation, s.Logger.With("component", "notifier"))
}

func (s *server) newRules() *rules.Manager {
	return rules.NewManager(&rules.ManagerOptions{
		ExternalURL:          s.external,
		QueryFunc:            rules.EngineQueryFunc(s.engine, s.db),
		NotifyFunc:           s.notify,
		Context:              context.Background(),
		Appendable:           s.writes,
		Queryable:            s.db,
		Logger:               s.Logger.With("component", "rule manager"),
		Registerer:           s.registry,
		OutageTolerance:      outageTolerance,
		ForGracePeriod:       forGracePeriod,
		ResendDelay:          resendDelay,
		RestoreNewRuleGroups: true,
		Parser:               s.parser,
	})
}

// notify passes alerts on to Alertmanager, each with a link to its level's page.
func (s *server) notify(_ context.Context, _ string, alerts ...*rules.Alert) {
	if len(alerts) == 0 {
		return
	}
	sent := make([]*notifier.Alert, 0, len(alerts))
	for _, a := range alerts {
		out := &notifier.Alert{
			Labels:       a.Labels,
			Annotations:  a.Annotations,
			StartsAt:     a.FiredAt,
			EndsAt:       a.ValidUntil,
			GeneratorURL: s.external.JoinPath(web.LevelPath(idOf(a.Labels))).String(),
		}
		if !a.ResolvedAt.IsZero() {
			out.EndsAt = a.ResolvedAt
		}
		sent = append(sent, out)
	}
	s.notifier.Send(sent...)
}

type alertmanagerGroups = []*targetgroup.Group

// staticGroups are the groups of every Alertmanager, as discovery would pass them to
// the notifier.
func staticGroups(cfg *config.Config) map[string]alertmanagerGroups {
	groups := map[string]alertmanagerGroups{}
	for name, am := range cfg.AlertingConfig.AlertmanagerConfigs.ToMap() {
		for _, sd := range am.ServiceDiscoveryConfigs {
			if static, ok := sd.(discovery.StaticConfig); ok {
				groups[name] = append(groups[name], static...)
			}
		}
	}
	return groups
}
