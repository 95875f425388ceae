package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/spf13/cobra"

	example "github.com/upheld-sla/upheld/examples/demo"
	"github.com/upheld-sla/upheld/internal/demo"
	"github.com/upheld-sla/upheld/internal/demo/past"
	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// demoListenAddress differs from the default of serve, so that both can run.
const demoListenAddress = "127.0.0.1:9797"

// demoInterval is the interval of scrapes and rules in the demo. It is short, so that
// you see something at once. The second layer of rules has five times that.
const demoInterval = 2 * time.Second

func newDemo() *cobra.Command {
	var (
		options  serve.Options
		managers alertmanagerFlags
		duration model.Duration
		level    = promslog.NewLevel()
	)
	if err := level.Set("error"); err != nil {
		panic(err) // a constant
	}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole loop on a small shop that breaks by itself",
		Long: `Demo starts a small shop of sample services on loopback, breaks them by a
schedule, and runs upheld serve on the agreement for them: real probes, real
rules, real alerts, in one process. Nothing else needs to be installed, and
nothing is left behind when it ends.

What breaks and recovers is printed to standard output as it happens; the log goes
to standard error.`,
		Example: `  # the pages are at http://127.0.0.1:9797
  upheld demo

  # on a free port, for two minutes
  upheld demo --web.listen-address=127.0.0.1:0 --duration=2m

  # with an Alertmanager that runs on what upheld generate has made of
  # examples/demo/shop.yaml: who is notified, and what is held back
  upheld demo --alertmanager.url=http://127.0.0.1:9093`,
		Annotations: map[string]string{runsOn: "true"},

		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := managers.options(&options); err != nil {
				return err
			}
			ctx, closed := untilClosed(cmd.Context(), cmd.OutOrStdout())
			defer closed()
			options.Logger = promslog.New(&promslog.Config{Level: level, Writer: cmd.ErrOrStderr()})
			if err := runDemo(ctx, options, demo.Default, time.Duration(duration), cmd.OutOrStdout()); err != nil {
				return explainSpecs(cmd.ErrOrStderr(), err)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "The demo has ended; nothing is left behind.")
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.ListenAddress, "web.listen-address", demoListenAddress, "`address` for pages, API and metrics; port 0 takes a free one")
	managers.bind(flags)
	textVar(flags, &duration, "duration", "`duration` after which the demo ends by itself (default: it goes on until Ctrl-C)")
	flags.Var(logSetting{level}, "log.level", "least severity to log: debug, info, warn or error")
	return cmd
}

// runDemo runs the shop and serve until ctx ends, or for a duration unless it is 0, and
// then removes their data.
func runDemo(ctx context.Context, o serve.Options, schedule demo.Schedule, duration time.Duration, out io.Writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "upheld-demo-")
	if err != nil {
		return fmt.Errorf("folder for the samples: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	o.Specs = []string{filepath.Join(dir, "shop.yaml")}
	o.StoragePath = filepath.Join(dir, "data")
	o.ScrapeInterval, o.RulesInterval = demoInterval, demoInterval
	if err := errors.Join(o.Check(), isFree(o.ListenAddress)); err != nil {
		return err
	}
	fmt.Fprintln(out, "Making up 35 days of past, which takes some seconds ...")
	if err := writeDemoPast(ctx, &o); err != nil {
		if ctx.Err() != nil {
			return nil // it was stopped
		}
		return err
	}
	shop, err := demo.Start(schedule, func(elapsed time.Duration, words string) {
		fmt.Fprintf(out, "%s  %s\n", clock(elapsed), words)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.Close()) }()

	if err := writeDemoFiles(dir, shop.Addresses, &o); err != nil {
		return err
	}
	o.Ready = func(url string) {
		fmt.Fprint(out, welcome(url, schedule))
		if duration > 0 {
			time.AfterFunc(duration, cancel)
		}
	}
	return taken(serve.Run(ctx, o), o.ListenAddress)
}

// isFree returns an error if another process listens on an address, before the past is
// made. serve reports any other problem with the address.
func isFree(address string) error {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return taken(err, address)
	case err != nil:
		return nil //nolint:nilerr // see above
	}
	return listener.Close()
}

// taken says what to do about an address that is in use.
func taken(err error, address string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken, perhaps by another demo; take a free port with --web.listen-address=127.0.0.1:0", address)
	}
	return err
}

// writeDemoFiles writes the agreement with the real addresses, and a scrape
// configuration, and sets both in the options.
func writeDemoFiles(dir string, addresses map[string]string, o *serve.Options) error {
	scrape := fmt.Sprintf(`scrape_configs:
  - job_name: payments
    scrape_interval: %s
    scrape_timeout: %s
    static_configs:
      - targets: [%q]
`, demoInterval, demoInterval, addresses[demo.Payments])
	o.ScrapeConfigFile = filepath.Join(dir, "prometheus.yaml")
	return errors.Join(
		os.WriteFile(o.Specs[0], []byte(example.SpecAt(addresses)), 0o600),
		os.WriteFile(o.ScrapeConfigFile, []byte(scrape), 0o600),
	)
}

// writeDemoPast gives serve's storage and reports a past that ends now.
func writeDemoPast(ctx context.Context, o *serve.Options) error {
	agreements, findings := spec.LoadText("shop.yaml", example.Spec)
	if err := findings.Err(); err != nil {
		return err
	}
	now := time.Now()
	of, err := past.New(agreements[0], now)
	if err != nil {
		return err
	}
	if err := of.Write(ctx, o.StoragePath, serve.RuleFile(o.StoragePath, agreements[0].Name), o.RulesInterval); err != nil {
		return fmt.Errorf("the demo's past: %w", err)
	}
	o.RetentionTime = past.Retention
	o.Past = func(*sla.Agreement) verdict.Evidence { return of.Evidence() }
	o.Note = "Simulated by upheld demo: everything before " + now.UTC().Format("15:04 UTC") + ", when it started. What you see after that is measured."
	return nil
}

// welcome says where to look, and what to look for.
func welcome(url string, schedule demo.Schedule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nUpheld is at %s\n\n", url)
	fmt.Fprintln(&b, "Open it and watch a small shop break and mend, again every "+model.Duration(schedule.Cycle).String()+":")
	for _, f := range schedule.Faults {
		fmt.Fprintf(&b, "  %s to %s  %s\n", clock(f.From), clock(f.To), f.Words)
	}
	fmt.Fprintf(&b, `
What you see of the 35 days before is simulated, and marked so: outages of the
storefront and of the payment providers, a slow burn of payments, a maintenance
window, and a closed period with a breach and its credit under Reports.

Each fault shows as failures with a reason, burns error budget and brings the
alert SLABudgetBurn to firing; what pages is quiet again five minutes later. The
numbers are there for Prometheus clients, too:
  curl -s '%s/api/v1/query?query=sla:error:ratio_rate5m'
  curl -s %s/api/v1/alerts
What customers may see is the status page: %s/status/demo-shop
Ctrl-C ends the demo.

`, strings.TrimSuffix(url, "/"), strings.TrimSuffix(url, "/"), strings.TrimSuffix(url, "/"))
	return b.String()
}

// clock prints minutes and seconds: "01:15".
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
