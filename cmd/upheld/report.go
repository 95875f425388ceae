package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/buildinfo"
	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// reportOptions are the flags of the verb report.
type reportOptions struct {
	files   spec.Files
	from    sampleFlags
	period  string
	formats []string
	dir     string
	sign    signFlags
	past    pastFlags
	restate restateFlags
}

func newReport() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report SPEC...",
		Short: "Say whether agreements were kept in a period, from raw samples",
		Long: `Report reads the raw samples of a period and judges each agreement exactly: met,
breached, too little data, or in dispute, with every outage, what was excluded, and
what follows. It reads a server, by remote read or else by range selectors of its HTTP
API, or text files of samples with timestamps (OpenMetrics, as "promtool tsdb
dump-openmetrics" writes them, or Prometheus' text format). Nothing is extrapolated; how
samples become evidence is in docs/evidence.md.

A period is named 2026-10, 2026-Q3, 2026-W41, 2026, or "30d to 2026-11-01"; without
--period each agreement is judged over its last one that is over. A period that is not
over is judged to date.

With -o each report becomes a file in each format; else one format goes to standard
output. The exit code says what the answer is: 0 for met.`,
		Example: `  # last month, from a server
  upheld report specs/ --prometheus.url=http://localhost:9090 -o reports

  # a certain month as JSON, from files
  upheld report specs/shop.yaml --samples=october.om --period=2026-10 --format=json`,
		Args: atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	o.from.flags(f)
	f.StringVar(&o.period, "period", "", "the period to judge: 2026-10, 2026-Q3, 2026-W41, 2026, \"30d to 2026-11-01\" (default: the last one that is over)")
	f.StringSliceVar(&o.formats, "format", nil, "how to write reports: "+strings.Join(reportFormatNames(), ", ")+" (default: json to standard output, html and json to a directory)")
	f.StringVarP(&o.dir, "output-dir", "o", "", "write each report into this `directory`, which is made if need be")
	o.sign.flags(f)
	o.past.flags(f)
	o.restate.flags(f)
	bindFiles(f, &o.files)
	return cmd
}

func reportFormatNames() []string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// chosen are the formats that were asked for.
func (o reportOptions) chosen() ([]report.Format, error) {
	names := o.formats
	switch {
	case len(names) == 0 && o.dir == "":
		names = []string{"json"}
	case len(names) == 0:
		names = []string{"html", "json"}
	case len(names) > 1 && o.dir == "":
		return nil, usageError{fmt.Errorf("--format=%s: only one format goes to standard output; write several into a directory with -o", strings.Join(names, ","))}
	}
	var formats []report.Format
	for _, name := range names {
		i := slices.IndexFunc(report.Formats(), func(f report.Format) bool { return f.Name == name })
		if i < 0 {
			return nil, usageError{fmt.Errorf("--format=%s: no such format; write %s", name, strings.Join(reportFormatNames(), ", "))}
		}
		formats = append(formats, report.Formats()[i])
	}
	return formats, nil
}

func (o reportOptions) run(cmd *cobra.Command, args []string) error {
	formats, err := o.chosen()
	if err != nil {
		return err
	}
	var name *sla.PeriodName
	if o.period != "" {
		parsed, err := sla.ParsePeriodName(o.period)
		if err != nil {
			return usageError{fmt.Errorf("--period=%s: %w", o.period, err)}
		}
		name = &parsed
	}
	if err := o.from.check(); err != nil {
		return usageError{err}
	}
	restate, err := o.restate.read()
	if err != nil {
		return err
	}
	sign, err := o.sign.signer(o.dir)
	if err != nil {
		return err
	}
	previous, err := o.past.read()
	if err != nil {
		return err
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), o.files, args)
	if err != nil {
		return err
	}
	now := time.Now()
	judgements, err := judgementsOf(agreements, name, now)
	if err != nil {
		return err
	}
	source, err := o.from.source()
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.end()
	var reports []*verdict.Report
	var measured []report.File // evidence, packed
	for i, j := range judgements {
		r, evidence, err := j.judge(cmd.Context(), source, previous, now, func(share float64) {
			bar.show(j.agreement.Name, (float64(i)+share)/float64(len(judgements)))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", j.agreement.Name, err)
		}
		if r, err = restate.of(r); err != nil {
			return err
		}
		reports = append(reports, r)
		if o.dir != "" {
			file, err := evidenceFile(formats, r, evidence)
			if err != nil {
				return err
			}
			measured = append(measured, file...)
		}
	}
	bar.end()
	if err := restate.missed(); err != nil {
		return err
	}
	if err := o.write(cmd, formats, reports, previous, measured, sign); err != nil {
		return err
	}
	for _, r := range reports {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s: %s\n", r.Agreement, r.Period.Name, r.Summary)
	}
	if code := reportExit(reports); code != exitDone {
		return answered{code}
	}
	return nil
}

// periodsOf are the periods of an agreement's levels, in order.
func periodsOf(a *sla.Agreement) []sla.Period {
	var all []sla.Period
	for _, l := range a.Levels {
		for _, p := range l.Periods() {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// judge reads the samples of a period and judges it.
func (j judgement) judge(ctx context.Context, from samples.Source, previous []*verdict.Report, now time.Time, progress func(float64)) (*verdict.Report, verdict.Evidence, error) {
	first, last := j.start, j.end
	for _, p := range periodsOf(j.agreement) { // of levels in other zones
		if j.name.Of(p) {
			from, to := j.name.Bounds(p)
			first, last = earliest(first, from), latest(last, to)
		}
	}
	evidence, err := samples.Load(ctx, from, samples.Request{Agreement: j.agreement, From: first, To: last, Now: now, Progress: progress})
	if err != nil {
		return nil, evidence, err
	}
	loc := j.period.Location()
	r, err := verdict.Judge(verdict.Input{
		Agreement: j.agreement, Period: j.period, Name: j.title, Start: j.start.In(loc), End: j.end.In(loc), Now: now, InForce: j.inForce,
		By: "upheld " + buildinfo.Version(), Spec: j.spec, Also: j.also, Evidence: evidence,
		Previous: ofAgreement(j.agreement.Name, previous),
	})
	return r, evidence, err
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// write writes reports to a directory, all or none, or to standard output.
func (o reportOptions) write(cmd *cobra.Command, formats []report.Format, reports, previous []*verdict.Report, measured []report.File, sign signer) error {
	if o.dir == "" {
		data, err := formats[0].Render(reports, previous)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(data)
		return err
	}
	files, err := report.Files(formats, reports, previous)
	if err != nil {
		return err
	}
	if files, err = sign.add(append(files, measured...)); err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(o.dir, f.Name)
		if err := filetree.Write(path, f.Bytes); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return nil
}

// reportExit is the exit code for the verdicts of a run.
func reportExit(reports []*verdict.Report) int {
	codes := map[verdict.Verdict]int{verdict.Breached: exitNo, verdict.Insufficient: exitInsufficient, verdict.Disputed: exitDisputed}
	code := exitDone
	for _, r := range reports {
		of, bad := codes[r.Verdict]
		switch {
		case !bad || of == code:
		case code == exitDone:
			code = of
		default:
			return exitMixed
		}
	}
	return code
}
