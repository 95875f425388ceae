package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// judging judges periods: from raw samples, or from stored evidence.
type judging struct {
	samples  samples.Source // nil: from evidence
	evidence verdict.Evidence
	previous []*verdict.Report
	now      time.Time
	run      *samples.Run // nil: nothing is kept for a later run
}

// check checks that samples or evidence were named, and not both.
func (o reportOptions) check() error {
	switch {
	case o.state != "" && o.from.server.url == "":
		return errors.New("--state is for a server (--prometheus.url): files are read again")
	case o.evidence == "" && !o.from.given():
		return errors.New("name where measurements come from: a server with --prometheus.url, files of samples with --samples, or what an earlier report was made of with --evidence")
	case o.evidence == "":
		return o.from.check()
	case o.from.given():
		return errors.New("--evidence and --samples or --prometheus.url: measurements come from one of them")
	}
	return nil
}

// resume opens the folder of a run that may have been interrupted, nil if none is
// named. The run depends on the server, the period and the specifications.
func (o reportOptions) resume(agreements []*sla.Agreement, now time.Time) (*samples.Run, error) {
	if o.state == "" {
		return nil, nil
	}
	about := []string{o.from.server.url, o.period}
	for _, a := range agreements {
		about = append(about, a.Name, a.Digest)
	}
	run, err := samples.OpenRun(o.state, now, about...)
	if err != nil {
		err = fmt.Errorf("--state: %w", err)
	}
	return run, err
}

// judging reads the evidence, or opens the source of samples. If a report is replaced,
// the evidence must be that report's.
func (o reportOptions) judging(restate *restating, run *samples.Run, now time.Time) (g judging, err error) {
	g.now, g.run = now, run
	if g.previous, err = o.past.read(); err != nil {
		return g, err
	}
	switch {
	case o.evidence == "":
		if g.samples, err = o.from.source(); err == nil && run != nil {
			g.samples = run.Source(g.samples)
		}
	case restate != nil:
		g.evidence, err = closing.EvidenceOf(restate.old, o.evidence)
	default:
		g.evidence, err = closing.ReadEvidence(o.evidence)
	}
	return g, err
}

func (g judging) judge(ctx context.Context, j closing.Judgement, progress func(float64)) (*verdict.Report, verdict.Evidence, error) {
	if g.samples != nil {
		return j.Judge(ctx, g.samples, g.previous, g.now, progress)
	}
	r, err := j.JudgeEvidence(g.evidence, g.previous, g.now)
	return r, g.evidence, err
}

// chosen returns the judgements to make; from stored evidence, only the one that the
// evidence fits.
func (g judging) chosen(all []closing.Judgement) ([]closing.Judgement, error) {
	if g.samples != nil {
		return all, nil
	}
	var fit []closing.Judgement
	var first error
	for _, j := range all {
		if err := samples.Covers(g.evidence, j.Agreement); err == nil {
			fit = append(fit, j)
		} else if first == nil {
			first = err
		}
	}
	switch {
	case len(fit) == 0:
		return nil, first
	case len(fit) > 1:
		var names []string
		for _, j := range fit {
			names = append(names, j.Agreement.Name+", "+j.Title)
		}
		return nil, usageError{fmt.Errorf("--evidence is of one agreement and period, but fits several: %s; name one SPEC and --period", strings.Join(names, "; "))}
	}
	return fit, nil
}

// periodName is the named period, or that of the report to replace; nil if there is
// neither.
func (o reportOptions) periodName(restate *restating) (*sla.PeriodName, error) {
	switch {
	case o.period != "":
		parsed, err := sla.ParsePeriodName(o.period)
		if err != nil {
			return nil, usageError{fmt.Errorf("--period=%s: %w", o.period, err)}
		}
		return &parsed, nil
	case restate != nil:
		parsed, err := closing.NameOf(restate.old)
		return &parsed, err
	}
	return nil, nil
}

// interrupted says how to continue a run that failed after it had read something.
func (g judging) interrupted(err error) error {
	if g.run == nil || g.run.Kept+g.run.Reused == 0 {
		return err
	}
	return fmt.Errorf("%w; %d pieces that were read are kept: call it again, and it goes on from there", err, g.run.Kept+g.run.Reused)
}

// done removes the data of a finished run.
func (g judging) done() error {
	if g.run == nil {
		return nil
	}
	return g.run.Done()
}
