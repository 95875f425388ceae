package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/internal/inspect"
	"github.com/upheld-sla/upheld/internal/weburl"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// serverFlags name the server that a verb queries.
type serverFlags struct {
	url, httpConfig string
	timeout         time.Duration
}

// flags binds the flags; purpose says what the server is queried for.
func (s *serverFlags) flags(f *pflag.FlagSet, purpose string, timeout time.Duration) {
	f.StringVar(&s.url, "prometheus.url", "", purpose+", e.g. http://localhost:9090")
	f.StringVar(&s.httpConfig, "http.config.file", "", "file with TLS and authentication for --prometheus.url, in Prometheus' format of HTTP clients")
	f.DurationVar(&s.timeout, "prometheus.timeout", timeout, "how long to wait for each answer of --prometheus.url")
}

func (s *serverFlags) check() error {
	if s.url != "" {
		if _, err := weburl.Parse(s.url, "write basic_auth or authorization into a file, and name it by --http.config.file"); err != nil {
			return fmt.Errorf("--prometheus.url: %w", err)
		}
	}
	switch {
	case s.url == "" && s.httpConfig != "":
		return fmt.Errorf("--http.config.file is for --prometheus.url, which is missing")
	case s.timeout < time.Second:
		return fmt.Errorf("--prometheus.timeout=%s is less than 1s", s.timeout)
	}
	return nil
}

// asked is a server with the findings about it. Without --prometheus.url it has none
// and finds nothing.
type asked struct {
	url      string
	server   *inspect.Server
	findings sla.Findings
}

// connect checks that the server answers, and takes its retention unless a flag sets
// it.
func (e *environment) connect(ctx context.Context, rules *rulegen.Options) (*asked, error) {
	s := e.server
	if s.url == "" {
		return &asked{}, nil
	}
	http, err := s.transport()
	if err != nil {
		return nil, err
	}
	server, err := inspect.Connect(ctx, s.url, http, s.timeout)
	if err != nil {
		return nil, fmt.Errorf("--prometheus.url=%s: %w", s.url, err)
	}
	if rules.Retention == 0 {
		rules.Retention = server.Retention
	}
	rules.QuotedNames = server.QuotedNames
	return &asked{url: s.url, server: server}, nil
}

// transport is the HTTP transport to the server.
func (s *serverFlags) transport() (http.RoundTripper, error) {
	settings, err := readHTTPConfig("http.config.file", s.httpConfig)
	if err != nil {
		return nil, err
	}
	transport, err := config.NewRoundTripperFromConfig(*settings, "upheld")
	if err != nil {
		return nil, fmt.Errorf("--http.config.file: %s", oneLine(err))
	}
	return transport, nil
}

// readHTTPConfig returns how to reach a server, in Prometheus' format of HTTP clients,
// from the file in a flag; without a file it is Prometheus' default.
func readHTTPConfig(flag, file string) (*config.HTTPClientConfig, error) {
	if file == "" {
		settings := config.DefaultHTTPClientConfig
		return &settings, nil
	}
	settings, _, err := config.LoadHTTPConfigFile(file)
	if err != nil {
		return nil, fmt.Errorf("--%s: %s", flag, oneLine(err))
	}
	return settings, nil
}

// oneLine is an error without YAML's line breaks, and without secrets.
func oneLine(err error) string { return strings.Join(strings.Fields(redact.Error(err)), " ") }

func (a *asked) level(l rulegen.LevelPlan) {
	if a.server != nil && a.server.Err() == nil {
		a.findings = append(a.findings, a.server.Level(l)...)
	}
}

// failed says why a query was not answered.
func (a *asked) failed() error {
	if a.server == nil || a.server.Err() == nil {
		return nil
	}
	return fmt.Errorf("--prometheus.url=%s: %w", a.url, a.server.Err())
}

// String says what the server would have to do.
func (a *asked) String() string {
	if a.server == nil {
		return ""
	}
	kept := "it does not say how long it keeps its data"
	if d := a.server.Retention; d > 0 {
		kept = "it keeps " + sla.FormatDuration(d)
	}
	c := a.server.Cost()
	return fmt.Sprintf("%s: %s; the rules would touch about %.0f samples a second, %.0f of them raw, and record %s with %.0f samples a day\n",
		a.url, kept, c.Touched, c.Raw, pluralSeries(c.Series), c.ADay)
}

func pluralSeries(n int) string {
	if n == 1 {
		return "1 series"
	}
	return fmt.Sprintf("%d series", n)
}
