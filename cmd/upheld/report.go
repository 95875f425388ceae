package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla/spec"
)

// reportOptions has the flags of the verb report.
type reportOptions struct {
	files   spec.Files
	from    sampleFlags
	period  string
	formats []string
	dir     string
	sign    signFlags
	past    pastFlags
	restate restateFlags

	evidence string // instead of samples
	state    string // folder of what an interrupted run has read
	force    bool
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
output. A report that is there already, and differs, is not written over: restate it
with --supersedes. When the samples are gone, --evidence takes what the report was made
of, which -o keeps beside it. The exit code says what the answer is: 0 for met.`,
		Example: `  # last month, from a server
  upheld report specs/ --prometheus.url=http://localhost:9090 -o reports

  # a certain month as JSON, from files
  upheld report specs/shop.yaml --samples=october.om --period=2026-10 --format=json

  # restate a month whose samples are gone, after something was agreed
  upheld report specs/ -o reports --evidence=reports/shop-2026-10.evidence.json.gz \
    --supersedes=reports/shop-2026-10.json --reason="the power failure was agreed"`,
		Args: atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	o.from.flags(f)
	f.StringVar(&o.period, "period", "", "the period to judge: 2026-10, 2026-Q3, 2026-W41, 2026, \"30d to 2026-11-01\" (default: the last one that is over)")
	f.Var(choices{&o.formats, reportFormatNames()}, "format", "how to write reports: "+strings.Join(reportFormatNames(), ", ")+" (default: json to standard output, html and json to a directory)")
	f.StringVarP(&o.dir, "output-dir", "o", "", "write each report into this `directory`, which is made if need be")
	o.sign.flags(f)
	o.past.flags(f)
	o.restate.flags(f)
	f.StringVar(&o.evidence, "evidence", "", "judge by the measurements in this `file`, of which an earlier report was made, instead of raw samples")
	f.StringVar(&o.state, "state", "", "keep what is read in this `directory` until the run is done, so that one that is interrupted goes on from there when it is called again")
	f.BoolVar(&o.force, "force", false, "write over a report of the same period and version that differs")
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

// chosen returns the requested formats.
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
		formats = append(formats, report.Formats()[i])
	}
	return formats, nil
}

func (o reportOptions) run(cmd *cobra.Command, args []string) error {
	formats, err := o.chosen()
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return usageError{err}
	}
	restate, err := o.restate.read()
	if err != nil {
		return err
	}
	name, err := o.periodName(restate)
	if err != nil {
		return err
	}
	if o.sign.key != "" && o.dir == "" {
		return usageError{errors.New("--sign.key without -o: a signature is a file beside the report, so name a directory")}
	}
	sign, err := o.sign.signer()
	if err != nil {
		return err
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), o.files, args)
	if err != nil {
		return err
	}
	now := time.Now()
	state, err := o.resume(agreements, now)
	if err != nil {
		return err
	}
	if state != nil {
		now = state.Now()
	}
	judgements, err := closing.Judgements(agreements, name, now)
	if err != nil {
		return err
	}
	by, err := o.judging(restate, state, now)
	if err != nil {
		return err
	}
	if judgements, err = by.chosen(judgements); err != nil {
		return err
	}
	reports, measured, err := o.judge(cmd, formats, by, judgements, restate)
	if err != nil {
		return by.interrupted(err)
	}
	if err := o.write(cmd, formats, reports, by.previous, measured, sign); err != nil {
		return err
	}
	if err := by.done(); err != nil {
		return err
	}
	o.summarize(cmd, reports, closing.LeftOut(agreements, judgements, name))
	if code := reportExit(reports); code != exitDone {
		return answered{code}
	}
	return nil
}

// summarize prints the verdicts, and which agreements have none in this run.
func (o reportOptions) summarize(cmd *cobra.Command, reports []*verdict.Report, leftOut []string) {
	for _, r := range reports {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s: %s\n", r.Agreement, r.Period.Name, r.Summary)
	}
	if o.evidence != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "made of stored evidence (%s), and not of raw samples\n", o.evidence)
		return // there is only one agreement
	}
	for _, line := range leftOut {
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
}

// judge makes the reports, each with its evidence, packed.
func (o reportOptions) judge(cmd *cobra.Command, formats []report.Format, by judging, judgements []closing.Judgement, restate *restating) (reports []*verdict.Report, measured []report.File, err error) {
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.end()
	for i, j := range judgements {
		r, evidence, err := by.judge(cmd.Context(), j, func(share float64) {
			bar.show(j.Agreement.Name, (float64(i)+share)/float64(len(judgements)))
		})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", j.Agreement.Name, err)
		}
		if r, err = restate.of(r); err != nil {
			return nil, nil, err
		}
		reports = append(reports, r)
		if o.dir != "" {
			files, err := evidenceFiles(formats, r, evidence)
			if err != nil {
				return nil, nil, err
			}
			measured = append(measured, files...)
		}
	}
	return reports, measured, restate.missed()
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
