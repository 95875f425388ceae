package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/inspect"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// serverFlags name the server that check asks.
type serverFlags struct {
	url, httpConfig string
	timeout         time.Duration
}

func (s *serverFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.url, "prometheus.url", "", "ask this server whether it has what the levels read, e.g. http://localhost:9090")
	f.StringVar(&s.httpConfig, "http.config.file", "", "file with TLS and authentication for --prometheus.url, in Prometheus' format of HTTP clients")
	f.DurationVar(&s.timeout, "prometheus.timeout", 10*time.Second, "how long to wait for each answer of --prometheus.url")
}

func (s *serverFlags) check() error {
	u, err := url.Parse(s.url)
	switch {
	case s.url == "" && s.httpConfig != "":
		return fmt.Errorf("--http.config.file is for --prometheus.url, which is missing")
	case s.url != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https"):
		return fmt.Errorf("--prometheus.url=%s is not a URL like http://localhost:9090", s.url)
	case s.url != "" && u.User != nil:
		return fmt.Errorf("--prometheus.url has a password in it, which ends up in logs; write basic_auth into a file and name it by --http.config.file")
	case s.timeout < time.Second:
		return fmt.Errorf("--prometheus.timeout=%s is less than 1s", s.timeout)
	}
	return nil
}

// asked is a server with what was found on it. Without --prometheus.url it has
// none and finds nothing.
type asked struct {
	url      string
	server   *inspect.Server
	findings sla.Findings
}

// connect asks the server whether it is there, and takes over how long it keeps
// its data, unless a flag says so.
func (e *environment) connect(ctx context.Context, rules *rulegen.Options) (*asked, error) {
	s := e.server
	if s.url == "" {
		return &asked{}, nil
	}
	http, err := s.transport()
	if err != nil {
		return nil, fmt.Errorf("--http.config.file: %s", strings.Join(strings.Fields(err.Error()), " "))
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

func (s *serverFlags) transport() (http.RoundTripper, error) {
	settings := config.DefaultHTTPClientConfig
	if s.httpConfig != "" {
		read, _, err := config.LoadHTTPConfigFile(s.httpConfig)
		if err != nil {
			return nil, err
		}
		settings = *read
	}
	return config.NewRoundTripperFromConfig(settings, "upheld")
}

func (a *asked) level(l rulegen.LevelPlan) {
	if a.server != nil && a.server.Err() == nil {
		a.findings = append(a.findings, a.server.Level(l)...)
	}
}

// failed is why a question was not answered.
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
