package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/blackbox"
	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/exporter/schedule"
	"github.com/upheld-sla/upheld/internal/descriptors"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// config has the flags.
type config struct {
	specs          []string
	allow          []string // folders for the files that specifications name
	checkOnly      bool
	listen         []string
	allowedHosts   []string
	systemdSocket  bool
	webConfig      string
	telemetryPath  string
	location       string
	maxConcurrency int
	maxPerHost     int
	limits         guard.Options
	references     []string
	shard          string
	excerpt        int
	requests       requestConfig
	log            promslog.Config
	edge           atomic.Pointer[time.Time] // when the next revision of an agreement takes effect
}

func newCommand() *cobra.Command {
	c := &config{log: promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat()}}
	c.requests.level = promslog.NewLevel()
	_ = c.log.Format.Set("logfmt") // set here, so that help shows it as the default
	command := &cobra.Command{
		Use:   "upheld-exporter [--spec.file FILE] [--config.file FILE]",
		Short: "Probe the targets of service level agreements and expose the results as Prometheus metrics",
		Long: `upheld-exporter reads service level agreements, runs the probes they define and
exposes what became of every probe as Prometheus metrics.

With --config.file it also is a drop-in for blackbox_exporter: it reads the same
blackbox.yml and answers /probe?target=&module= with the same metrics.

SIGHUP, or POST to /-/reload, reads the files again. One with errors changes
nothing: the exporter goes on with what it has. SIGTERM and SIGINT end
the exporter cleanly. Exit codes: 1 for errors in the specification or a server
that could not run, 2 for mistakes in the command line.`,
		Example: `  upheld-exporter --spec.file shop.yaml
  upheld-exporter --spec.file '/etc/upheld/*.yaml' --location fra1 --web.config.file web.yml
  upheld-exporter --spec.file /etc/upheld --config.check
  upheld-exporter --config.file blackbox.yml --web.listen-address :9115
  curl -X POST http://localhost:9799/-/reload`,
		Version: version.Info(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unexpected %q; name specifications with --spec.file", args[0])}
			}
			return nil
		},
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.validate(); err != nil {
				return usageError{err}
			}
			if c.checkOnly {
				return c.check(cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return c.serve(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	command.SetVersionTemplate(version.Print("upheld-exporter") + "\n")
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.addFlags(command)
	return command
}

func (c *config) addFlags(command *cobra.Command) {
	f := command.Flags()
	f.SortFlags = false
	f.StringArrayVar(&c.specs, "spec.file", nil, "specification: a `file`, a directory (its *.yaml and *.yml) or a glob; repeatable")
	f.StringArrayVar(&c.allow, "files.allow", nil, "`directory` that files that specifications name may be in, besides their own (default: any); repeatable")
	c.requests.addFile(f)
	f.BoolVar(&c.checkOnly, "config.check", false, "check the files and the web configuration, and exit")
	f.StringVar(&c.location, "location", exporter.DefaultLocation, "where this exporter probes from: the label location of its metrics")
	f.StringVar(&c.shard, "shard", "", "probe only part `i/n` of the levels, as the i-th of n exporters that share a specification")
	f.IntVar(&c.maxConcurrency, "probe.max-concurrency", schedule.DefaultMaxConcurrency, "how many probes may run at once")
	f.IntVar(&c.maxPerHost, "probe.max-concurrency-per-host", 0, "how many probes of one host may run at once; 0: as many as of all")
	f.StringArrayVar(&c.references, "probe.reference", nil, "`target` (tcp://host:port or a URL) that answers if this exporter's network is well: while none does, failures of the network are inconclusive; repeatable")
	f.StringArrayVar(&c.limits.DenyCIDR, "probe.deny-cidr", nil, "never connect to addresses in `CIDR`, or in one of cloud-metadata, link-local, loopback, private; repeatable")
	f.StringArrayVar(&c.limits.AllowCIDR, "probe.allow-cidr", nil, "connect only to addresses in `CIDR` (or those names); where both have an address, the more specific one decides; repeatable")
	f.StringArrayVar(&c.limits.DenyHost, "probe.deny-host", nil, "never connect to this host `name`, or with *. before it to those below; repeatable")
	f.StringArrayVar(&c.limits.AllowHost, "probe.allow-host", nil, "connect only to hosts of this `name`, or with *. before it below it; repeatable")
	f.IntVar(&c.excerpt, "history.excerpt-bytes", probe.DefaultExcerpt, "how much of the header and of the body of a bad answer the history page shows, without secrets, in `bytes`; 0: nothing")
	c.requests.addFlags(f)
	f.StringArrayVar(&c.listen, "web.listen-address", []string{":9799"}, "`address` to listen on; repeatable")
	f.StringSliceVar(&c.allowedHosts, "web.allowed-hosts", nil, "`names` under which clients may ask (default: on a loopback address those of this machine, elsewhere any)")
	f.StringVar(&c.webConfig, "web.config.file", "", "`file` that enables TLS or authentication, see https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md")
	f.BoolVar(&c.systemdSocket, "web.systemd-socket", false, "listen on the sockets that systemd hands over (Linux only)")
	f.StringVar(&c.telemetryPath, "web.telemetry-path", "/metrics", "`path` of the metrics")
	f.Var(logFlag{c.log.Level, "level"}, "log.level", "least severity to log: debug, info, warn or error")
	f.Var(logFlag{c.requests.level, "level"}, "log.prober", "least severity to log of what probes asked for at /probe do: debug, info, warn or error")
	f.Var(logFlag{c.log.Format, "format"}, "log.format", "format of the log: logfmt or json")
}

// logFlag gives the settings of promslog the type name that pflag requires.
type logFlag struct {
	setting interface {
		String() string
		Set(string) error
	}
	kind string
}

func (f logFlag) String() string {
	if f.setting == nil {
		return ""
	}
	return f.setting.String()
}
func (f logFlag) Set(s string) error { return f.setting.Set(s) }
func (f logFlag) Type() string       { return f.kind }

// ownPaths are paths of pages that cannot be the path of the metrics.
var ownPaths = []string{"/config", "/history", "/logs", "/probe"}

// maxExcerpt bounds --history.excerpt-bytes.
const maxExcerpt = 16 << 10

// validate finds mistakes that concern several flags.
func (c *config) validate() error {
	switch {
	case len(c.specs) == 0 && c.requests.file == "":
		return errors.New("nothing to probe: name a specification with --spec.file, or a blackbox.yml with --config.file")
	case c.maxConcurrency < 1:
		return fmt.Errorf("--probe.max-concurrency is %d; it must be at least 1", c.maxConcurrency)
	case c.maxPerHost < 0:
		return fmt.Errorf("--probe.max-concurrency-per-host is %d; it must be at least 1, or 0 for no bound", c.maxPerHost)
	case c.excerpt < 0 || c.excerpt > maxExcerpt:
		return fmt.Errorf("--history.excerpt-bytes is %d; it must be between 0 (no excerpts) and %d", c.excerpt, maxExcerpt)
	case c.location == "":
		return errors.New("--location is empty; leave it out or give a name")
	case !strings.HasPrefix(c.telemetryPath, "/") || c.telemetryPath == "/" || slices.Contains(ownPaths, c.telemetryPath) || strings.HasPrefix(c.telemetryPath, "/-/") || strings.ContainsAny(c.telemetryPath, "{} "):
		return fmt.Errorf("--web.telemetry-path is %q; it must be a plain path like /metrics, other than /, those below /-/ and %s", c.telemetryPath, strings.Join(ownPaths, ", "))
	}
	if _, err := guard.New(c.limits); err != nil {
		return fmt.Errorf("--probe.allow-* and --probe.deny-*: %w", err)
	}
	if _, err := c.part(); err != nil {
		return fmt.Errorf("--shard: %w", err)
	}
	if err := c.requests.validate(c.limits); err != nil {
		return err
	}
	return exporter.CheckReferences(c.references)
}

// files says how to treat files that specifications name.
func (c *config) files() spec.Files { return spec.Files{Allow: c.allow, Open: true} }

// part reads --shard.
func (c *config) part() (exporter.Shard, error) {
	if c.shard == "" {
		return exporter.Shard{}, nil
	}
	return exporter.ParseShard(c.shard)
}

// check loads everything that serve would, prints the findings and counts what it read.
func (c *config) check(stdout, stderr io.Writer) error {
	var fine []string
	if len(c.specs) > 0 {
		agreements, findings := c.files().Load(c.specs...)
		if len(findings) > 0 {
			fmt.Fprintln(stderr, findings.Error())
		}
		if findings.HasErrors() {
			return errReported
		}
		targets := sla.ProbeTargets(agreements)
		if err := exporter.New(exporter.Options{}).Apply(targets); err != nil {
			return err
		}
		fine = append(fine, plural(len(agreements), "agreement"), plural(len(targets), "target"))
	}
	if c.requests.file != "" {
		modules, warnings, err := blackbox.Load(c.requests.file)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			fmt.Fprintln(stderr, "warning: "+w)
		}
		fine = append(fine, plural(len(modules), "module"))
	}
	if err := web.Validate(c.webConfig); err != nil {
		return fmt.Errorf("%s: %w", c.webConfig, err)
	}
	fmt.Fprintf(stdout, "%s: ok\n", strings.Join(fine, ", "))
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// load reads the targets from the specification. It returns errors as findings, and
// logs warnings.
func (c *config) load(logger *slog.Logger) ([]sla.ProbeTarget, error) {
	agreements, findings := c.files().Load(c.specs...)
	if err := findings.Err(); err != nil {
		return nil, err
	}
	for _, f := range findings {
		logger.Warn(f.Message, "at", f.Pos.String(), "rule", f.Rule, "remedy", f.Remedy)
	}
	edge := sla.NextEdge(agreements, time.Now())
	c.edge.Store(&edge)
	targets := sla.ProbeTargets(agreements)
	if len(targets) == 0 {
		logger.Warn("the specification defines no probes", "agreements", len(agreements))
	}
	return targets, nil
}

// options returns the options of the exporter.
func (c *config) options(logger *slog.Logger, stderr io.Writer) exporter.Options {
	limits, _ := guard.New(c.limits) // validated before
	part, _ := c.part()              // likewise
	env := probe.Env{Guard: limits, Excerpt: c.excerpt, UserAgent: "upheld-exporter/" + cmp.Or(version.Version, "devel")}
	most := c.concurrency(c.share(descriptors.Limit()), logger)
	options := exporter.Options{
		Logger:         logger,
		Location:       c.location,
		MaxConcurrency: most,
		MaxPerHost:     c.maxPerHost,
		References:     c.references,
		Shard:          part,
		Probe:          env,
		Requests:       c.requests.prober(c, env, logger, stderr),
	}
	if len(c.specs) > 0 {
		options.Load = func() ([]sla.ProbeTarget, error) { return c.load(logger) }
	}
	return options
}

// spareDescriptors is how many descriptors probes leave for scrapes, files and name
// resolution.
const spareDescriptors = 64

// share is how many of the descriptors one kind of probe may use. Probes of the
// specification and requested ones get half each if there are both.
func (c *config) share(files int) int {
	if len(c.specs) > 0 && c.requests.file != "" {
		return files / 2
	}
	return files
}

// concurrency is how many probes may run at once: the value of the flag, or fewer if
// the exporter could otherwise not be scraped.
func (c *config) concurrency(files int, logger *slog.Logger) int {
	most := descriptors.Probes(c.maxConcurrency, files, spareDescriptors)
	if most < c.maxConcurrency {
		logger.Warn("fewer probes than --probe.max-concurrency will run at once, because this process may open too few files; raise the limit (ulimit -n, LimitNOFILE=)",
			"files", files, "flag", c.maxConcurrency, "probes", most)
	}
	return most
}
