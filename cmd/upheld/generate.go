package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// generateOptions are the flags of generate.
type generateOptions struct {
	dir     string
	verify  bool
	tests   bool
	rules   ruleFlags
	grafana string
	merged  string // an Alertmanager configuration of somebody else's
	chosen  []string
	scrape  emit.ScrapeOptions
}

func newGenerate() *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate SPEC... -o DIR",
		Short: "Write rules, dashboards, scrape and Alertmanager configuration",
		Long: `Generate writes what Prometheus, Grafana and Alertmanager need for agreements:

  DIR/rules/<agreement>.yaml             recording rules and alerts
  DIR/dashboards/upheld_overview.json    every level at a glance
  DIR/dashboards/<agreement>.json        one dashboard an agreement
  DIR/prometheus/scrape.yaml             the exporter's scrape job
  DIR/prometheus/prometheus.yml          a complete small configuration (not for the operator)
  DIR/prometheus/servicemonitor.yaml     the scrape job as an object of the operator (only for it)
  DIR/tests/<agreement>.yaml             with --tests: tests of the rules for promtool
  DIR/tests/<agreement>.days.yaml        and of windows of more than six hours
  DIR/tests/<agreement>.<time>.yaml      and of service hours and windows at single instants
  DIR/alertmanager/alertmanager.yml      routes by severity, receivers to fill in; tells nobody until
                                         they are (or see --alertmanager.merge)

The same specifications give the same bytes. All files are made before any is
put into place, so an error in one specification leaves the whole directory as it was.
Files that were generated before and no longer are get removed; files that upheld
did not make are never touched. Paths that changed go to standard output.`,
		Example: `  upheld generate specs/ -o generated

  # rules only: somebody else looks after the rest
  upheld generate specs/ -o generated --outputs=rules

  # in CI: fail if somebody changed a specification and forgot to generate
  upheld generate specs/ -o generated --verify

  # tests of the rules, which promtool runs
  upheld generate specs/ -o generated --tests
  promtool test rules generated/tests/*.yaml

  # into the configuration of an Alertmanager that has other work
  upheld generate specs/ -o generated --alertmanager.merge=alertmanager.yml

  # objects for the Prometheus operator
  upheld generate specs/ -o generated --rules.format=operator --operator.namespace=monitoring --operator.label=prometheus=main`,
		Args: atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			return o.run(cmd, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.dir, "output-dir", "o", "", "the directory to write to (required)")
	f.BoolVar(&o.verify, "verify", false, "write nothing; exit with 1 if what is in the directory is stale")
	o.rules.flags(f)
	f.StringSliceVar(&o.chosen, "outputs", outputFolders, "which of these folders to write; those that are left out are not touched")
	f.BoolVar(&o.tests, "tests", false, "also write DIR/tests/<agreement>.yaml, tests of the rules for promtool test rules")
	f.StringVar(&o.grafana, "grafana.url", "", "where Grafana is; every alert then links the agreement's dashboard")
	f.StringSliceVar(&o.scrape.Exporters, "exporter.address", []string{"localhost:9799"}, "host:port of each upheld-exporter")
	f.DurationVar(&o.scrape.Interval, "scrape.interval", 15*time.Second, "how often Prometheus scrapes the exporter")
	f.StringSliceVar(&o.scrape.Alertmanagers, "alertmanager.address", []string{"localhost:9093"}, "host:port of each Alertmanager, for prometheus.yml")
	f.StringVar(&o.merged, "alertmanager.merge", "", "write routes, inhibit rules and receivers into this alertmanager.yml, and leave all else in it as it is, instead of DIR/alertmanager/alertmanager.yml")
	f.StringToStringVar(&o.scrape.ExternalLabels, "prometheus.external-label", nil, "name=value that prometheus.yml adds to everything that leaves the server")
	return cmd
}

// maxRulesInterval keeps five first-tier samples in the second tier's windows
// and every recorded sample within Prometheus' five-minute lookback.
const maxRulesInterval = time.Minute

func (o *generateOptions) check() error {
	if o.dir == "" {
		return fmt.Errorf("generate needs a directory to write to: -o DIR")
	}
	if err := errors.Join(o.checkOutputs(), o.rules.check()); err != nil {
		return err
	}
	if o.tests && o.rules.Format == operatorFormat {
		return fmt.Errorf("--tests are of rule files; promtool reads no objects of the operator")
	}
	if o.scrape.Interval < time.Second || o.scrape.Interval > sla.BaseWindow/4 {
		return fmt.Errorf("--scrape.interval=%s is not between 1s and %s: a five-minute rate needs four scrapes", o.scrape.Interval, sla.BaseWindow/4)
	}
	if u, err := url.Parse(o.grafana); o.grafana != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("--grafana.url=%s is not a URL like https://grafana.example", o.grafana)
	}
	for name, value := range o.scrape.ExternalLabels {
		if err := rulegen.CheckLabel(name, value); err != nil {
			return fmt.Errorf("--prometheus.external-label=%s=%s: %w", name, value, err)
		}
	}
	for _, a := range append(o.scrape.Exporters, o.scrape.Alertmanagers...) {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("%q is not host:port", a)
		}
	}
	return nil
}

func (o generateOptions) run(cmd *cobra.Command, paths []string) error {
	collectLess()
	stage := filetree.New(o.dir, emit.Marker, o.verify)
	stage.Ignore(emit.VersionLine)
	if o.writes("rules") {
		stage.Folder("tests")
	}
	if o.writes("alertmanager") {
		stage.Folder(filepath.Dir(alertmanagerPath))
	}
	defer stage.Discard()
	agreements, findings := spec.Load(paths...)
	merged, more, err := o.merge(agreements, !findings.HasErrors())
	defer merged.discard()
	findings = append(findings, more...)
	if err == nil {
		more, err = o.outputs(stage, agreements, !findings.HasErrors())
		findings = append(findings, more...)
	}
	if findings := presentable(findings); len(findings) > 0 {
		if err := tell(cmd.ErrOrStderr(), agreements, findings); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	changes, err := stage.Changes()
	if err != nil {
		return err
	}
	unfilled, err := o.receiversHint(agreements, merged)
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), o.groupsHint(agreements), unfilled)
	return o.put(cmd, stage, changes, merged)
}

// put tells what changes and, unless it is only looked at, puts it into place.
func (o generateOptions) put(cmd *cobra.Command, stage *filetree.Stage, changes []filetree.Change, merged mergedFile) error {
	var told bytes.Buffer
	for _, c := range changes {
		fmt.Fprintf(&told, "%s %s/%s\n", verb(c.Kind, o.verify), o.dir, c.Path)
	}
	if merged.stale {
		fmt.Fprintf(&told, "%s %s\n", verb(filetree.Differs, o.verify), merged.path)
	}
	if _, err := cmd.OutOrStdout().Write(told.Bytes()); err != nil {
		return fmt.Errorf("tell what changes: %w", err)
	}
	if o.verify {
		if len(changes) > 0 {
			return fmt.Errorf("%s of %d in %s stale; run: upheld generate SPEC... -o %s", plural(len(changes), "file"), stage.Len(), o.dir, o.dir)
		}
		if merged.stale {
			return fmt.Errorf("%s is stale; run: upheld generate SPEC... -o %s --alertmanager.merge=%s", merged.path, o.dir, merged.path)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s up to date\n", plural(stage.Len(), "file"), o.dir)
		return nil
	}
	if err := stage.Commit(changes); err != nil {
		return err
	}
	if err := merged.commit(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s, %d changed\n", plural(stage.Len(), "file"), o.dir, len(changes))
	return nil
}

// manyLevels is from where on groups of their own are worth a word.
const manyLevels = 1000

// groupsHint tells what shared groups save; docs/performance.md has the figures.
func (o generateOptions) groupsHint(agreements []*sla.Agreement) string {
	levels := 0
	for _, a := range agreements {
		levels += len(a.Levels)
	}
	if levels < manyLevels || o.rules.GroupSize > 0 || o.verify || !o.writes("rules") {
		return ""
	}
	return fmt.Sprintf("%d levels have two rule groups each; in groups that they share (--rules.group-size=1000) Prometheus takes less than half of the memory and CPU for them\n", levels)
}

// verb is what happened to a file, or what is the matter with it.
func verb(k filetree.Kind, verify bool) string {
	done := map[filetree.Kind]string{filetree.Missing: "created", filetree.Differs: "updated", filetree.Stale: "removed"}
	if verify {
		return string(k)
	}
	return done[k]
}
