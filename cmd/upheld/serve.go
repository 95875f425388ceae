package main

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// serveFlags has the flags of serve.
type serveFlags struct {
	options        serve.Options
	retention      model.Duration
	retentionSize  units.Base2Bytes
	scrapeInterval model.Duration
	rulesInterval  model.Duration
	queryTimeout   model.Duration
	settlingTime   model.Duration
	alertmanagers  alertmanagerFlags
	sign           signFlags
	files          spec.Files
	log            promslog.Config
}

func newServe() *cobra.Command {
	f := &serveFlags{
		scrapeInterval: model.Duration(serve.DefaultScrapeInterval),
		rulesInterval:  model.Duration(serve.DefaultRulesInterval),
		queryTimeout:   model.Duration(serve.DefaultQueryTimeout),
		settlingTime:   model.Duration(serve.DefaultSettlingTime),
		log:            promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat()},
	}
	cmd := &cobra.Command{
		Use:   "serve SPEC...",
		Short: "Probe, record, alert and show, all in one process",
		Long: `Serve runs the probes of the specifications, an embedded Prometheus that records
them and evaluates the generated rules, and pages that show how every service
level stands. The same address answers Prometheus' HTTP API under /api/v1, so
Grafana can use it as a data source.

SPEC is a file, a directory (every *.yaml and *.yml directly in it), a glob, or - for
standard input, which is read once.
SIGHUP, or POST to /-/reload, reads the specifications and the scrape
configuration again; if there is a mistake in them, everything goes on as before.
SIGINT and SIGTERM end it, with everything measured on disk.

The address of the pages is printed to standard output, the log goes to standard
error. Exit code 1 means mistakes in a specification or a part that could not
run, 2 mistakes in how the command was called.`,
		Example: `  # the pages are at http://127.0.0.1:9798, the samples in ./data
  upheld serve shop.yaml

  # levels that count events, too: what else to scrape, and whom to notify
  upheld serve specs/ --scrape.config.file prometheus.yml --alertmanager.url http://127.0.0.1:9093

  # after a change in the specifications
  curl -X POST http://127.0.0.1:9798/-/reload`,
		Annotations: map[string]string{runsOn: "true"},

		Args: atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.options.Specs = args
			return f.run(cmd)
		},
	}
	f.bind(cmd.Flags())
	return cmd
}

func (f *serveFlags) bind(flags *pflag.FlagSet) {
	o := &f.options
	flags.StringVar(&o.ListenAddress, "web.listen-address", serve.DefaultListenAddress, "`address` for pages, API and metrics; port 0 takes a free one")
	flags.StringVar(&o.WebConfigFile, "web.config.file", "", "`file` with TLS and basic auth settings, as other exporters take it")
	flags.StringVar(&o.ExternalURL, "web.external-url", "", "`URL` under which others reach this server, for links in alerts (default: the listen address)")
	flags.StringSliceVar(&o.AllowedHosts, "web.allowed-hosts", nil, "`names` under which clients may ask (default: on loopback those of this machine, elsewhere any)")
	flags.StringVar(&o.StatusListenAddress, "status.listen-address", "", "`address` for the public status pages and nothing else (default: none; they are below /status/ of the other address)")
	flags.StringVar(&o.StoragePath, "storage.path", serve.DefaultStoragePath, "`directory` for samples and rule files")
	flags.BoolVar(&o.Backfill, "backfill", false, "at the start, record the past of levels of which nothing is recorded yet, from the samples in --storage.path")
	textVar(flags, &f.retention, "storage.retention.time", "how long samples are kept, a `duration` (default: the longest period of the specifications, the settling time, and two days)")
	textVar(flags, &f.settlingTime, "reports.settling-time", "how long after its end a period is judged and its report kept, a `duration` of 1m to 90d; adjustments that are there by then count")
	textVar(flags, &f.retentionSize, "storage.retention.size", "how many `bytes` of samples are kept, such as 512MB (default: no limit)")
	bindFiles(flags, &f.files)
	f.sign.flags(flags)
	f.alertmanagers.bind(flags)
	flags.StringVar(&o.ScrapeConfigFile, "scrape.config.file", "", "Prometheus configuration `file` whose scrape_configs are scraped too")
	textVar(flags, &f.scrapeInterval, "scrape.interval", "how often the probes' metrics are recorded, a `duration` of 1s to 1m")
	textVar(flags, &f.rulesInterval, "rules.interval", "how often rules are evaluated, a `duration` of 1s to 1m; periods and long windows at five times that")
	flags.StringVar(&o.Location, "location", "", "`name` of where the probes come from, in the label \"location\"")
	textVar(flags, &f.queryTimeout, "query.timeout", "`duration` after which a query is given up")
	flags.IntVar(&o.QueryMaxSamples, "query.max-samples", serve.DefaultQueryMaxSamples, "`number` of samples that a query of the API may load at once")
	flags.IntVar(&o.QueryMaxConcurrency, "query.max-concurrency", serve.DefaultQueryMaxConcurrency, "`number` of queries of the API at a time; others wait")
	flags.Var(logSetting{f.log.Level}, "log.level", "least severity to log: debug, info, warn or error")
	flags.Var(logSetting{f.log.Format}, "log.format", "format of the log: logfmt or json")
}

// alertmanagerFlags say to which Alertmanagers alerts are sent.
type alertmanagerFlags struct {
	urls       []string
	httpConfig string
}

func (a *alertmanagerFlags) bind(flags *pflag.FlagSet) {
	flags.StringArrayVar(&a.urls, "alertmanager.url", nil, "`URL` of an Alertmanager that is sent alerts, without a password; may be repeated")
	flags.StringVar(&a.httpConfig, "alertmanager.http.config.file", "", "`file` with TLS and authentication for --alertmanager.url, in Prometheus' format of HTTP clients")
}

// options sets the options of serve.
func (a *alertmanagerFlags) options(o *serve.Options) error {
	o.AlertmanagerURLs = a.urls
	if a.httpConfig == "" {
		return nil
	}
	if len(a.urls) == 0 {
		return usageError{errors.New("--alertmanager.http.config.file is for --alertmanager.url, which is missing")}
	}
	var err error
	o.AlertmanagerHTTP, err = readHTTPConfig("alertmanager.http.config.file", a.httpConfig)
	return err
}

// textVar binds a value that reads and prints itself; its current content is the
// default.
func textVar[T comparable, P interface {
	*T
	encoding.TextUnmarshaler
	encoding.TextMarshaler
}](flags *pflag.FlagSet, value P, name, usage string,
) {
	initial := *value
	flags.TextVar(value, name, P(&initial), usage)
	if initial == *new(T) {
		flags.Lookup(name).DefValue = "" // the usage explains the default
	}
}

// logSetting gives the settings of promslog the type name that pflag asks for.
type logSetting struct {
	setting interface {
		fmt.Stringer
		Set(string) error
	}
}

func (s logSetting) Set(text string) error { return s.setting.Set(text) }
func (logSetting) Type() string            { return "string" }

// String is empty for the zero value, which pflag uses to find the default.
func (s logSetting) String() string {
	if s.setting == nil {
		return ""
	}
	return s.setting.String()
}

func (f *serveFlags) run(cmd *cobra.Command) error {
	f.log.Writer = cmd.ErrOrStderr()
	o := f.options
	o.RetentionTime = time.Duration(f.retention)
	o.RetentionSize = int64(f.retentionSize)
	o.ScrapeInterval = time.Duration(f.scrapeInterval)
	o.RulesInterval = time.Duration(f.rulesInterval)
	o.QueryTimeout = time.Duration(f.queryTimeout)
	o.SettlingTime = time.Duration(f.settlingTime)
	o.Logger = promslog.New(&f.log)
	o.FilesAllow = f.files.Allow
	if err := f.alertmanagers.options(&o); err != nil {
		return err
	}
	var err error
	if o.Sign, err = f.sign.signer(); err != nil {
		return err
	}
	o.Flags = map[string]string{}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { o.Flags[flag.Name] = flag.Value.String() })
	o.Ready = func(url string) { fmt.Fprintf(cmd.OutOrStdout(), "Upheld is at %s\n", url) }
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	o.Reload = hangups(ctx)
	return explainSpecs(cmd.ErrOrStderr(), serve.Run(ctx, o))
}

// hangups passes on each SIGHUP until ctx ends. While one is waiting, others are
// dropped.
func hangups(ctx context.Context) <-chan struct{} {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	reload := make(chan struct{})
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-signals:
				select {
				case reload <- struct{}{}:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return reload
}

// explainSpecs prints mistakes in specifications like upheld check. It marks mistakes
// in flags, and returns other errors as they are.
func explainSpecs(notes io.Writer, err error) error {
	if _, bad := errors.AsType[serve.OptionError](err); bad {
		return usageError{err}
	}
	var findings sla.Findings
	if !errors.As(err, &findings) {
		return err
	}
	if err := printText(notes, spec.WithSnippets(findings)); err != nil {
		return err
	}
	return errReported
}
