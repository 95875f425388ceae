package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// verifyOptions has the flags of the verb verify.
type verifyOptions struct {
	from      sampleFlags
	evidence  string
	signature string
	signers   string
	edge      time.Duration
	points    string
	past      pastFlags
}

func newVerify() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify REPORT.json",
		Short: "Recompute a report from raw samples, and say where it differs",
		Long: `Verify recomputes a report from raw samples and the specification that it holds, and
says that both are equal, or which verdict, value, outage, exclusion or measurement
differs.

On a copy of the samples everything must be equal. Beside another server, which scraped
at other moments, allow a difference: with --edge outages may begin and end so much
earlier or later, and with --points the achieved value may differ by so many percentage
points. Verdicts, targets and credits must be equal all the same.

The measurements are compared too, stretch by stretch, with the file of evidence that
"upheld report -o" writes beside the report, if it is there or named by --evidence. When
the samples are gone, --evidence alone recomputes the report from that file: this shows
that the verdict follows from what was measured, and not that it was measured right.

With --signers the signature of the report is checked first.`,
		Example: `  # on a copy of the samples
  upheld verify shop-2026-10.json --samples=october.om --evidence=shop-2026-10.evidence.json.gz

  # beside your own server, which scrapes every 30 s
  upheld verify shop-2026-10.json --prometheus.url=http://localhost:9090 --edge=30s --points=0.005

  # when the samples are gone
  upheld verify shop-2026-10.json --evidence=shop-2026-10.evidence.json.gz

  # the signature alone
  upheld verify shop-2026-10.json --signers=provider.pub`,
		Args: cobra.MatchAll(exactlyOneReport),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	o.from.flags(f)
	o.past.flags(f)
	f.StringVar(&o.evidence, "evidence", "", "compare with the measurements in this `file`; without --samples and --prometheus.url, recompute the report from them")
	f.StringVar(&o.signature, "signature", "", "the `file` with the signature (default: the report's name and "+signature.Suffix+", if --signers is given)")
	f.StringVar(&o.signers, "signers", "", "the `file` with who may have signed: allowed signers of ssh-keygen, public keys, or a public key of minisign")
	f.DurationVar(&o.edge, "edge", 0, "how much earlier or later an outage may begin and end")
	f.StringVar(&o.points, "points", "0", "how many percentage points the achieved value may differ by")
	return cmd
}

func exactlyOneReport(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("verify takes one report, a file that upheld report wrote as JSON; %d were given", len(args))}
	}
	return nil
}

func (o verifyOptions) tolerance() (verdict.Tolerance, error) {
	points, err := sla.ParseDecimal(o.points)
	if err != nil || points.Sign() < 0 {
		return verdict.Tolerance{}, usageError{fmt.Errorf("--points=%s: write percentage points, for example 0.005", o.points)}
	}
	if o.edge < 0 {
		return verdict.Tolerance{}, usageError{fmt.Errorf("--edge=%s: write a duration that is not negative", o.edge)}
	}
	return verdict.Tolerance{Edge: o.edge, Points: points}, nil
}

func (o verifyOptions) run(cmd *cobra.Command, file string) error {
	tolerance, err := o.tolerance()
	if err != nil {
		return err
	}
	recompute := o.from.given() || o.evidence != ""
	switch {
	case o.signers == "" && o.signature != "":
		return usageError{errors.New("--signature without --signers: name the file with who may have signed")}
	case o.signers == "" && !recompute:
		return usageError{errors.New("name what to recompute the report from: a server with --prometheus.url, files with --samples, or, when the samples are gone, the evidence that was stored with the report (--evidence)")}
	case o.from.given():
		if err := o.from.check(); err != nil {
			return usageError{err}
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if o.signers != "" {
		who, err := o.checkSignature(file, text)
		if errors.Is(err, signature.ErrNoMatch) {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %v\n", file, err)
			return answered{exitNo}
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: signed by %s\n", file, who)
	}
	if !recompute {
		return nil
	}
	kept, err := report.Read(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	differences, err := o.recompute(cmd.Context(), file, kept, tolerance)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	bound := o.bound(tolerance)
	return printDifferences(cmd.OutOrStdout(), file, kept, bound, differences)
}

func (o verifyOptions) checkSignature(file string, text []byte) (string, error) {
	path := o.signature
	if path == "" {
		path = file + signature.Suffix
	}
	signed, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	signers, err := os.ReadFile(o.signers)
	if err != nil {
		return "", err
	}
	return signature.Verify(text, signed, signers)
}

// recompute judges the period of a report again, and returns how both differ. It uses
// raw samples if any are named, or else the stored evidence.
func (o verifyOptions) recompute(ctx context.Context, file string, kept *verdict.Report, t verdict.Tolerance) ([]verdict.Difference, error) {
	j, err := closing.OfReport(kept)
	if err != nil {
		return nil, err
	}
	previous, err := o.past.read()
	if err != nil {
		return nil, err
	}
	// The time is when the report was made, so that later samples are not read.
	by := judging{previous: previous, now: kept.Made.At}
	if o.from.given() {
		by.samples, err = o.from.source()
	} else {
		by.evidence, err = closing.EvidenceOf(kept, o.evidence)
	}
	if err != nil {
		return nil, err
	}
	again, evidence, err := by.judge(ctx, j, func(float64) {})
	if err != nil {
		return nil, err
	}
	differences := verdict.Compare(kept, again, t)
	path, ok := o.evidenceOf(file, t)
	if !ok || by.samples == nil {
		return differences, nil
	}
	measured, err := closing.EvidenceOf(kept, path)
	if err != nil {
		return nil, err
	}
	return append(differences, verdict.CompareEvidence(measured, evidence)...), nil
}

// evidenceOf returns the file of evidence to compare with: the named one, or without a
// tolerance the one beside the report.
func (o verifyOptions) evidenceOf(file string, t verdict.Tolerance) (path string, ok bool) {
	if o.evidence != "" {
		return o.evidence, true
	}
	if !t.Exact() {
		return "", false
	}
	path = closing.EvidencePath(file)
	_, err := os.Stat(path)
	return path, err == nil
}

// bound says what was compared.
func (o verifyOptions) bound(t verdict.Tolerance) string {
	bound := "everything that was measured and judged"
	if !t.Exact() {
		bound = fmt.Sprintf("edges of outages within %s, achieved values within %s percentage points", t.Edge, t.Points)
	}
	if !o.from.given() {
		bound = "everything that was judged, from the evidence stored with the report and not from raw samples"
	}
	return bound
}

// printDifferences says that a report is confirmed, or how it differs.
func printDifferences(w io.Writer, file string, kept *verdict.Report, bound string, differences []verdict.Difference) error {
	if len(differences) == 0 {
		_, err := fmt.Fprintf(w, "%s: equal (%s). %s\n", filepath.Base(file), bound, kept.Summary)
		return err
	}
	fmt.Fprintf(w, "%s differs (compared: %s):\n", filepath.Base(file), bound)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "level\twhat\tin the report\trecomputed")
	for _, d := range differences {
		fmt.Fprintln(table, strings.Join([]string{orDash(d.Level), d.What, orDash(d.Kept), orDash(d.Again)}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return answered{exitNo}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
