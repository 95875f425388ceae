// Package promapi answers Prometheus' HTTP API, version 1, from the parts of an
// embedded Prometheus: engine, storage, rule manager, scrape manager and notifier. It
// has what Grafana needs of a Prometheus data source, and answers exactly like
// Prometheus.
//
// Prometheus' own package for this, web/api/v1, would bring in remote read and write,
// OTLP and OpenAPI; docs/architecture/embedded-prometheus.md has the figures. Calls
// that are missing here get 404: admin calls, remote read and write, OTLP, search and
// notifications.
//
// It must not import web/api/v1, nor anything of Upheld except what counts a query's
// tokens.
package promapi

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/httputil"
)

// Targets says what is scraped, such as *scrape.Manager.
type Targets interface {
	ScrapePools() []string
	TargetsActive() map[string][]*scrape.Target
	TargetsDropped() map[string][]*scrape.Target
	TargetsDroppedCounts() map[string]int
}

// Rules says what is evaluated, such as *rules.Manager.
type Rules interface {
	RuleGroups() []*rules.Group
	AlertingRules() []*rules.AlertingRule
}

// Alertmanagers says who is notified, such as *notifier.Manager.
type Alertmanagers interface {
	Alertmanagers() []*url.URL
	DroppedAlertmanagers() []*url.URL
}

// Head has what the status pages say about the storage, such as *tsdb.DB's head.
type Head interface {
	Stats(statsByLabelName string, limit int) *tsdb.Stats
	NumSeries() uint64
}

// BuildInfo is the answer of status/buildinfo. Version is the embedded Prometheus'
// version, because clients choose their calls by it.
type BuildInfo struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildUser string `json:"buildUser"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
}

// RuntimeInfo is the part of status/runtimeinfo that the API cannot find out itself.
type RuntimeInfo struct {
	StartTime           time.Time
	ReloadConfigSuccess bool
	LastConfigTime      time.Time
	StorageRetention    string
}

// Options are the parts that the API answers from; all are required.
type Options struct {
	Engine promql.QueryEngine
	// MaxConcurrency is how many calls read the storage at a time; others wait.
	MaxConcurrency int
	// SubqueryStep is the step of subqueries without one, as in the engine.
	SubqueryStep  time.Duration
	Parser        parser.Parser
	Queryable     storage.Queryable
	Exemplars     storage.ExemplarQueryable
	Targets       Targets
	Rules         Rules
	Alertmanagers Alertmanagers
	Head          Head
	HeadChunks    func() int64
	Config        func() *config.Config
	Flags         map[string]string
	Build         BuildInfo
	Runtime       func() RuntimeInfo
	// ExternalHost replaces the host of targets on loopback in their globalUrl,
	// for viewers on other machines.
	ExternalHost string
	Logger       *slog.Logger
}

type api struct {
	Options
	now func() time.Time
}

// New is the handler of /api/v1/.
func New(opts Options) http.Handler { return (&api{Options: opts, now: time.Now}).routes() }

// route is one path below /api/v1/.
type route struct {
	path  string
	reads bool // the storage, also by POST; goes through the gate
	call  func(*http.Request) result
}

// Paths are the answered paths below /api/v1/, as patterns of http.ServeMux.
func Paths() []string {
	var paths []string
	for _, r := range (&api{}).table() {
		paths = append(paths, r.path)
	}
	return paths
}

func (a *api) table() []route {
	return []route{
		{"query", true, a.query},
		{"query_range", true, a.queryRange},
		{"query_exemplars", true, a.queryExemplars},
		{"format_query", true, a.formatQuery},
		{"series", true, a.series},
		{"labels", true, a.labelNames},
		{"label/{name}/values", true, a.labelValues},
		{"metadata", false, a.metadata},
		{"rules", false, a.rules},
		{"alerts", false, a.alerts},
		{"targets", false, a.targets},
		{"targets/metadata", false, a.targetMetadata},
		{"scrape_pools", false, a.scrapePools},
		{"alertmanagers", false, a.alertmanagers},
		{"status/config", false, a.statusConfig},
		{"status/flags", false, a.statusFlags},
		{"status/buildinfo", false, a.statusBuild},
		{"status/runtimeinfo", false, a.statusRuntime},
		{"status/tsdb", false, a.statusTSDB},
	}
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	gate := newGate(a.MaxConcurrency)
	for _, route := range a.table() {
		var handler http.Handler = httputil.CompressionHandler{Handler: a.answer(route.call)}
		if route.reads {
			handler = gate.through(handler)
			mux.Handle("POST /api/v1/"+route.path, handler)
		}
		mux.Handle("GET /api/v1/"+route.path, handler)
	}
	return mux
}
