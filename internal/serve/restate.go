package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// restating is a request for a new version of a report.
type restating struct{ file, reason string }

// mostRestatings is how many requests may wait.
const mostRestatings = 16

var (
	errTooManyRestatings = errors.New("too many periods are being restated; try again when they are done")
	// errNothingChanged says that a restatement would not differ.
	errNothingChanged = errors.New("nothing would change: the specification and the adjustments give the same report. First write down what was agreed, as an adjustment beside the specification")
)

// ask puts a restatement into the queue. The page shows its outcome.
func (c *closer) ask(r restating) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.restate <- r:
		c.restated[r.file] = nil
		return nil
	default:
		return errTooManyRestatings
	}
}

// restateNow writes the next version of a report, or notes why it cannot.
func (c *closer) restateNow(ctx context.Context, ask restating) {
	err := c.nextVersion(ctx, ask)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.restated, ask.file)
		return
	}
	c.restated[ask.file] = err
	c.logger.Error("A period could not be restated", "file", ask.file, "err", err)
}

// nextVersion makes the next version of a report from its evidence and the current
// specifications and adjustments.
func (c *closer) nextVersion(ctx context.Context, ask restating) error {
	old, err := c.archive.Read(ask.file)
	if err != nil {
		return err
	}
	c.say(old.Agreement + ", " + old.Period.Name + ", restated")
	agreements, err := c.specifications(c.s.state.Load())
	if err != nil {
		return err
	}
	name, err := closing.NameOf(old)
	if err != nil {
		return err
	}
	now := time.Now()
	judgements, err := closing.JudgementsOf(agreements, old.Agreement, name, now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(judgements, func(j closing.Judgement) bool { return j.Title == old.Period.Name })
	if i < 0 {
		return fmt.Errorf("the agreement %s has no period %s any more", old.Agreement, old.Period.Name)
	}
	evidence, err := closing.EvidenceOf(old, closing.EvidencePath(c.archive.Path(ask.file)))
	if err != nil {
		return err
	}
	previous, err := c.archive.ReportsOf(old.Agreement)
	if err != nil {
		return err
	}
	r, err := judgements[i].JudgeEvidence(evidence, previous, now)
	if err != nil {
		return err
	}
	if r, err = verdict.Restate(old, r, ask.reason); err != nil {
		return err
	}
	if !closing.Changes(old, r) {
		return errNothingChanged
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	file, err := c.archive.Freeze(r, evidence)
	if err == nil {
		c.logger.Info("A period was restated", "agreement", r.Agreement, "period", r.Period.Name, "version", r.Version, "verdict", string(r.Verdict), "file", c.archive.Path(file.File))
	}
	return err
}
