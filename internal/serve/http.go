package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/prometheus/config"
	"golang.org/x/net/netutil"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/internal/descriptors"
	"github.com/upheld-sla/upheld/internal/httpguard"
	"github.com/upheld-sla/upheld/internal/serve/promapi"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// PrometheusVersion is the embedded release, as status/buildinfo reports it; a test
// compares it with go.mod.
const PrometheusVersion = "3.15.0"

// shutdownGrace is how long requests may continue after a stop was requested.
const shutdownGrace = 5 * time.Second

// startHTTP serves on the listener. Until s.handler is set it only answers that
// the process is alive.
func (s *server) startHTTP(parts *parts, listener net.Listener) error {
	guarded, err := httpguard.New(http.HandlerFunc(s.serveHTTP), httpguard.Options{Listen: s.ListenAddress, AllowedHosts: s.AllowedHosts, External: s.external})
	if err != nil {
		return err
	}
	s.serveOn(parts, "web server", listener, guarded, s.WebConfigFile)
	return nil
}

// serveOn serves a handler on a listener, with exporter-toolkit's configuration file if
// there is one.
func (s *server) serveOn(parts *parts, name string, listener net.Listener, handler http.Handler, webConfig string) {
	// Request contexts end with the server, so that a query of minutes does not delay
	// the stop.
	serving, cancel := context.WithCancel(context.Background())
	httpServer := httpguard.Server(handler)
	httpServer.BaseContext = func(net.Listener) context.Context { return serving }
	listener = netutil.LimitListener(listener, connections(descriptors.Limit()))
	systemd := false
	flags := &toolkit.FlagConfig{
		WebListenAddresses: &[]string{listener.Addr().String()},
		WebSystemdSocket:   &systemd,
		WebConfigFile:      &webConfig,
	}
	logger := s.Logger.With("component", "web")
	parts.add(name,
		func() error {
			defer listener.Close() // Serve leaves it open if it cannot begin
			return toolkit.Serve(listener, httpServer, flags, logger)
		},
		func() error {
			defer cancel()
			graceful, done := context.WithTimeout(context.Background(), shutdownGrace)
			defer done()
			if err := httpServer.Shutdown(graceful); errors.Is(err, context.DeadlineExceeded) {
				cancel()
				return httpServer.Close()
			}
			return nil
		})
}

// maxConnections is how many clients may be connected, as in Prometheus, and
// connectionShare divides the descriptors to get the part they may take.
const maxConnections, connectionShare = 512, 4

func connections(files int) int {
	if files == 0 {
		return maxConnections
	}
	return min(maxConnections, max(1, files/connectionShare))
}

func (s *server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	handler := s.handler.Load()
	switch {
	case r.URL.Path == "/-/healthy":
		fmt.Fprintln(w, "Upheld is alive.")
	case handler == nil:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Upheld is starting: the storage is being read.", http.StatusServiceUnavailable)
	default:
		(*handler).ServeHTTP(w, r)
	}
}

// routes makes the handler of a running server.
func (s *server) routes() (http.Handler, error) {
	pages := newSource(s)
	handler, err := web.New(web.Options{
		Source:  pages,
		Logger:  s.Logger.With("component", "pages"),
		Version: version.Version,
		Refresh: min(s.ScrapeInterval, 5*time.Second),
		Notice:  s.writes.notice,
		Note:    s.Note,
		Reports: reportSource{s.closer},
	})
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", s.metricsHandler())
	mux.Handle("/api/v1/", s.api())
	mux.HandleFunc("/-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Upheld is ready.") })
	mux.HandleFunc("POST /-/reload", s.serveReload)
	mux.HandleFunc("PUT /-/reload", s.serveReload)
	mux.Handle("/status/", s.status.Load()) // as the public sees it, even without a public listener
	mux.Handle("/", handler)
	return mux, nil
}

func (s *server) api() http.Handler {
	return promapi.New(promapi.Options{
		Engine:         s.apiEngine,
		MaxConcurrency: s.QueryMaxConcurrency,
		SubqueryStep:   s.RulesInterval,
		Parser:         s.parser,
		Queryable:      s.db,
		Exemplars:      s.db,
		Targets:        s.scrapes,
		Rules:          s.rules,
		Alertmanagers:  s.notifier,
		Head:           s.db.Head(),
		HeadChunks:     s.headChunks,
		Config:         func() *config.Config { return s.state.Load().config },
		Flags:          s.Flags,
		Build: promapi.BuildInfo{
			Version: PrometheusVersion, Revision: version.GetRevision(), Branch: version.Branch,
			BuildUser: version.BuildUser, BuildDate: version.BuildDate, GoVersion: runtime.Version(),
		},
		Runtime: func() promapi.RuntimeInfo {
			state := s.state.Load()
			return promapi.RuntimeInfo{
				StartTime: s.started, ReloadConfigSuccess: s.reloaded.Load(), LastConfigTime: state.at,
				StorageRetention: sla.FormatDuration(state.retention),
			}
		},
		ExternalHost: s.external.Hostname(),
		Logger:       s.Logger.With("component", "api"),
	})
}

// serveReload reloads and answers with the errors, if any.
func (s *server) serveReload(w http.ResponseWriter, r *http.Request) {
	answer := make(chan error, 1)
	select {
	case s.reloads <- answer:
	case <-s.stopping:
		http.Error(w, "Upheld is stopping.", http.StatusServiceUnavailable)
		return
	case <-r.Context().Done():
		return
	}
	select {
	case err := <-answer:
		if err != nil {
			http.Error(w, "Reload failed; everything goes on as before.\n"+redact.Error(err), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "Reloaded.")
	case <-s.stopping: // nobody waits for the outcome of a reload that was interrupted
		http.Error(w, "Upheld is stopping.", http.StatusServiceUnavailable)
	}
}

// metricsHandler answers scrapes with the probes' metrics, and those of the embedded
// Prometheus under their usual names.
func (s *server) metricsHandler() http.Handler {
	all := prometheus.Gatherers{s.exporter.Gatherer(), s.registry}
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// headChunks is the number of chunks in memory, which the database only exposes as a
// metric.
func (s *server) headChunks() int64 {
	families, err := s.registry.Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		if f.GetName() == "prometheus_tsdb_head_chunks" && len(f.GetMetric()) > 0 {
			return int64(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	return 0
}

// externalURL is the configured URL, or that of the bound address.
func (s *server) externalURL(bound net.Addr) (*url.URL, error) {
	if s.ExternalURL != "" {
		return externalURL(s.ExternalURL)
	}
	scheme, err := webScheme(s.WebConfigFile)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return nil, fmt.Errorf("bound address: %w", err)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		// Bound to every address; the name of the machine is the best guess.
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}, nil
}

// webScheme is https if the web configuration sets up TLS.
func webScheme(file string) (string, error) {
	if file == "" {
		return "http", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("web configuration: %w", err)
	}
	var parsed struct {
		TLS map[string]any `yaml:"tls_server_config"`
	}
	if err := yaml.Unmarshal(content, &parsed); err != nil {
		return "", fmt.Errorf("web configuration %s: %w", file, err)
	}
	if len(parsed.TLS) > 0 {
		return "https", nil
	}
	return "http", nil
}

// selfAddress is the address of this process as a target: the configured address and
// not the bound one, so that with a free port series stay the same across restarts.
func selfAddress(listen string) string {
	if host, port, err := net.SplitHostPort(listen); err == nil && host == "" {
		return net.JoinHostPort("localhost", port)
	}
	return listen
}
