package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/weburl"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// generateOptions has the flags of generate.
type generateOptions struct {
	dir     string
	stdout  bool // write to standard output instead of a directory
	verify  bool
	diff    bool   // show what would change, by rule
	scratch string // a folder for the new content to compare
	format  string // of the difference
	force   bool
	prune   bool
	tests   bool
	rules   ruleFlags
	grafana string
	boards  dashboards.Options
	links   rulegen.Links
	files   spec.Files
	merged  string // somebody else's Alertmanager configuration
	project string // the project in Perses
	helm    bool   // write objects as templates of a Helm chart
	chosen  []string
	scrape  emit.ScrapeOptions

	provision emit.GrafanaOptions
}

func newGenerate() *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:     "generate SPEC... -o DIR",
		Short:   "Write rules, dashboards, scrape and Alertmanager configuration",
		Long:    generateHelp,
		Example: generateExamples,
		Args:    atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			return o.run(cmd, args)
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

func (o *generateOptions) flags(f *pflag.FlagSet) {
	f.StringVarP(&o.dir, "output-dir", "o", "", "the directory to write to (required), or -, for one file, standard output")
	f.BoolVar(&o.verify, "verify", false, "write nothing; exit with 1 if what is in the directory is stale")
	f.BoolVar(&o.diff, "diff", false, "write nothing; say by rule and alert what would change, and exit with 3 if anything would")
	bindFormat(f, &o.format, "how to print what changed")
	f.BoolVar(&o.force, "force", false, "overwrite and remove also files that were changed since they were generated, or were there before")
	f.BoolVar(&o.prune, "prune", false, "drop the agreements that are not named from what is in the directory")
	bindFiles(f, &o.files)
	o.rules.flags(f)
	f.StringSliceVar(&o.chosen, "outputs", outputFolders, "which folders to write, also grafana, perses and objects; those that are left out are not touched")
	f.StringVar(&o.project, "perses.project", "upheld", "project of the dashboards for Perses")
	f.BoolVar(&o.helm, "helm", false, "escape {{ in objects of Kubernetes, so that they can be templates of a Helm chart")
	f.BoolVar(&o.tests, "tests", false, "also write DIR/tests/<agreement>.yaml, tests of the rules for promtool test rules")
	o.linkFlags(f)
	f.StringVar(&o.provision.PrometheusURL, "grafana.prometheus.url", "http://prometheus:9090", "where a Grafana that is provisioned by --outputs=grafana asks Prometheus")
	f.StringSliceVar(&o.scrape.Exporters, "exporter.address", []string{usualExporter}, "host:port of each upheld-exporter")
	f.DurationVar(&o.scrape.Interval, "scrape.interval", 15*time.Second, "how often Prometheus scrapes the exporter")
	f.StringSliceVar(&o.scrape.Alertmanagers, "alertmanager.address", []string{"localhost:9093"}, "host:port of each Alertmanager, for prometheus.yml")
	f.StringVar(&o.merged, "alertmanager.merge", "", "write routes and receivers into this alertmanager.yml, and leave all else in it as it is, instead of DIR/alertmanager/alertmanager.yml")
	f.StringToStringVar(&o.scrape.ExternalLabels, "prometheus.external-label", nil, "name=value that prometheus.yml adds to everything that leaves the server")
}

// linkFlags are the flags for the links of alerts.
func (o *generateOptions) linkFlags(f *pflag.FlagSet) {
	f.StringVar(&o.grafana, "grafana.url", "", "where Grafana is; every alert then links the dashboard of its level")
	f.StringVar(&o.boards.PagesURL, "pages.url", "", "where upheld serve shows its pages; dashboards, and every alert, then link them")
	f.StringVar(&o.links.Runbooks, "runbooks.url", rulegen.RunbooksURL, "the folder of runbooks; every alert links <alert>.md in it, unless the specification names a runbook")
	f.StringVar(&o.links.Alertmanager, "alertmanager.url", "", "where people open Alertmanager; every alert then links the form that silences it")
}

// usualExporter is the usual address of an exporter next to its server.
const usualExporter = "localhost:9799"

// maxRulesInterval keeps five samples of the first layer in the second layer's windows,
// and every recorded sample within Prometheus' five-minute lookback.
const maxRulesInterval = time.Minute

// checkLinks finds URLs that alerts cannot link.
func (o *generateOptions) checkLinks() error {
	for _, link := range []struct{ flag, url string }{
		{"grafana.url", o.grafana}, {"grafana.prometheus.url", o.provision.PrometheusURL}, {"runbooks.url", o.links.Runbooks}, {"pages.url", o.boards.PagesURL}, {"alertmanager.url", o.links.Alertmanager},
	} {
		if link.url != "" {
			if _, err := weburl.Parse(link.url, "leave it out: who opens a link is asked for it"); err != nil {
				return fmt.Errorf("--%s: %w", link.flag, err)
			}
		}
		if strings.Contains(link.url, "{{") {
			return fmt.Errorf("--%s=%s is a template, which alerts would expand; write it out", link.flag, link.url)
		}
	}
	return nil
}

func (o *generateOptions) check() error {
	if o.dir == "" {
		return fmt.Errorf("generate needs a directory to write to: -o DIR")
	}
	o.stdout, o.dir = o.dir == "-", filepath.Clean(o.dir)
	o.boards.RunbooksURL = o.links.Runbooks
	if err := errors.Join(o.checkOutputs(), o.rules.check()); err != nil {
		return err
	}
	if o.merged == "-" || o.merged != "" && o.stdout {
		return fmt.Errorf("--alertmanager.merge edits a file: name it, and a directory with -o DIR")
	}
	if o.verify && o.stdout {
		return fmt.Errorf("--verify compares with a directory, not with standard output: -o DIR")
	}
	if o.diff && (o.stdout || o.verify) {
		return fmt.Errorf("--diff compares with a directory, and says more than --verify: -o DIR, without --verify")
	}
	if o.stdout && o.format != textFormat {
		return fmt.Errorf("--format=%s is of what changed in a directory; -o - prints the file itself", o.format)
	}
	if o.tests && !o.rules.Plain() {
		return fmt.Errorf("--tests are of rule files; promtool reads no files of --rules.format=%s", o.rules.Format)
	}
	if o.scrape.Interval < time.Second || o.scrape.Interval > sla.BaseWindow/4 {
		return fmt.Errorf("--scrape.interval=%s is not between 1s and %s: a five-minute rate needs four scrapes", o.scrape.Interval, sla.BaseWindow/4)
	}
	if err := o.checkLinks(); err != nil {
		return err
	}
	for name, value := range o.scrape.ExternalLabels {
		if err := rulegen.CheckLabel(name, value); err != nil {
			return fmt.Errorf("--prometheus.external-label=%s=%s: %w", name, value, err)
		}
	}
	for _, a := range append(o.scrape.Exporters, o.scrape.Alertmanagers...) {
		if err := weburl.Address(a); err != nil {
			return err
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("%q is not host:port", a)
		}
	}
	return nil
}

func (o generateOptions) run(cmd *cobra.Command, paths []string) error {
	collectLess()
	agreements, findings := o.files.Load(paths...)
	good := !findings.HasErrors()
	var stage *filetree.Stage // nil without good agreements: then it does not even look at the directory
	if good {
		dir, remove, err := o.target()
		if err != nil {
			return err
		}
		defer remove()
		if o.diff {
			if o.scratch, err = os.MkdirTemp("", "upheld-diff-"); err != nil {
				return err
			}
			defer os.RemoveAll(o.scratch)
		}
		if stage, err = o.open(cmd, dir, agreements); err != nil {
			return err
		}
		defer stage.Discard()
		defer context.AfterFunc(cmd.Context(), stage.Discard)() // on a signal
	}
	merged, more, err := o.merge(agreements, good)
	findings = append(findings, more...)
	omissions := ""
	if err == nil {
		more, omissions, err = o.outputs(stage, agreements, !findings.HasErrors())
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
	fmt.Fprint(cmd.ErrOrStderr(), omissions)
	if o.merged != "" {
		stage.Edited(o.mergedPath(), merged.had, names(agreements))
	}
	unfilled, err := o.receiversHint(agreements, merged)
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), o.groupsHint(agreements))
	if o.stdout {
		return o.print(cmd, stage, unfilled)
	}
	return o.put(cmd, stage, merged, unfilled)
}

// target is the directory for the files, a temporary one for standard output, and a
// function that removes it.
func (o generateOptions) target() (dir string, remove func(), err error) {
	if !o.stdout {
		return o.dir, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "upheld-generate-")
	return dir, func() { os.RemoveAll(dir) }, err
}

// open makes the stage for the directory.
func (o generateOptions) open(cmd *cobra.Command, dir string, agreements []*sla.Agreement) (*filetree.Stage, error) {
	folders := slices.Clone(o.chosen)
	if o.writes("rules") {
		folders = append(folders, "tests")
	}
	if o.writes(objectsFolder) {
		folders = append(folders, kustomizationFile)
	}
	return filetree.Open(cmd.Context(), dir, filetree.Options{
		Marker:   rulegen.Marker,
		Ignore:   emit.VersionLine,
		Folders:  folders,
		Sources:  names(agreements),
		FilledIn: []string{alertmanagerPath},
		From:     emit.AgreementsOf,
		Dry:      o.dry(),
		Scratch:  o.scratch,
		Force:    o.force,
		Prune:    o.prune,
		Waiting: func() {
			fmt.Fprintf(cmd.ErrOrStderr(), "another upheld generate has %s; waiting for it to end\n", o.dir)
		},
	})
}

func names(agreements []*sla.Agreement) []string {
	var names []string
	for _, a := range agreements {
		names = append(names, a.Name)
	}
	return names
}

// dry reports whether nothing will be written.
func (o generateOptions) dry() bool { return o.verify || o.diff }

// print writes the only file to standard output, and what you must fill in to standard
// error.
func (o generateOptions) print(cmd *cobra.Command, stage *filetree.Stage, unfilled string) error {
	changes, err := stage.Changes()
	if err != nil {
		return err
	}
	if len(changes) != 1 {
		return usageError{fmt.Errorf("-o - prints one file, and these are %d: choose one folder by --outputs, of the rules one agreement or --rules.bundle, or name a directory", len(changes))}
	}
	if err := stage.Commit(changes); err != nil {
		return err
	}
	if err := stage.Print(cmd.OutOrStdout(), changes[0].Path); err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), unfilled)
	return nil
}

// manyLevels is the number of levels from which a hint about shared groups is useful.
const manyLevels = 1000

// groupsHint says how much shared groups save; docs/performance.md has the figures.
func (o generateOptions) groupsHint(agreements []*sla.Agreement) string {
	levels := 0
	for _, a := range agreements {
		levels += len(a.Levels)
	}
	if levels < manyLevels || o.rules.GroupSize > 0 || o.dry() || !o.writes("rules") {
		return ""
	}
	return fmt.Sprintf("%d levels have two rule groups each; in groups that they share (--rules.group-size=1000) Prometheus takes less than half of the memory and CPU for them\n", levels)
}
