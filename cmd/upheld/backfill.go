package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/history"
	"github.com/upheld-sla/upheld/internal/inspect"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// backfill has the flags of the verb backfill.
type backfill struct {
	files    spec.Files
	source   sampleFlags
	from, to string
	out      string
	format   string
	replace  bool
	rules    historyRules
}

// backfillFormats are the values of --format: how the past is written.
var backfillFormats = []string{"blocks", "openmetrics"}

// openMetricsFile is the name of the file in that format.
const openMetricsFile = "recorded.om"

func newBackfill() *cobra.Command {
	var b backfill
	cmd := &cobra.Command{
		Use:   "backfill SPEC... -o DIR",
		Short: "Give budgets their past: what rules would have recorded",
		Long: `Backfill evaluates the generated rules over raw samples of the past, as a Prometheus would
have, and writes what they record as blocks of its storage. With them, budgets are right
on the first day of a new level, and after a change of its target, windows, labels or
name.

Move the blocks into the server's data directory (--storage.tsdb.path): it takes them
within a few minutes, and compacts them with its own. Its retention must reach back as far.
They end before what the server has in memory only, which is up to three hours: call again
later for the rest.

Without --from it goes back by the longest period of the agreements and a day. Without
--to it ends where the server has begun to record these series, or now; with --samples
three hours ago. Where samples
of the series are there already it refuses and says when, or with --replace deletes them
before: there are never two generations in one series.

Times without any raw sample are listed. Exit code 1 means that nothing was written.`,
		Example: `  # a new agreement: budgets of the last month, from what was scraped already
  upheld backfill specs/shop.yaml --prometheus.url=http://localhost:9090 -o past
  mv past/* /var/lib/prometheus/

  # the target was changed: record October again
  upheld backfill specs/shop.yaml --prometheus.url=http://localhost:9090 --replace \
    --from=2026-10-01 --to=2026-11-01 -o past`,
		Args: atLeastOneSpec,
		RunE: b.run,
	}
	f := cmd.Flags()
	b.source.flags(f)
	f.StringVar(&b.from, "from", "", "record from this `time` on: 2026-10-01, or 2026-10-01T00:00:00Z")
	f.StringVar(&b.to, "to", "", "record until this `time`")
	f.StringVarP(&b.out, "output-dir", "o", "", "write into this `directory`, which must be empty or not there")
	bindChoice(f, &b.format, "format", backfillFormats[0], "how to write, for a Prometheus or as a file that promtool and other stores read", backfillFormats)
	f.BoolVar(&b.replace, "replace", false, "delete what the server has recorded of that time first (it needs --web.enable-admin-api)")
	b.rules.flags(f)
	bindFiles(f, &b.files)
	return cmd
}

func (b *backfill) run(cmd *cobra.Command, args []string) error {
	from, to, err := b.check()
	if err != nil {
		return usageError{err}
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), b.files, args)
	if err != nil {
		return err
	}
	files, err := b.rules.of(agreements)
	if err != nil {
		return err
	}
	notes := cmd.ErrOrStderr()
	from, to, server, err := b.span(cmd.Context(), notes, agreements, from, to)
	if err != nil {
		return err
	}
	past, err := b.record(cmd.Context(), notes, files, from, to)
	if err != nil {
		return err
	}
	// Delete the old data last, when the only step left that can fail is putting the
	// new data into place.
	drop := func() error { return nil }
	if b.replace {
		drop = func() error { return server.Delete(cmd.Context(), names(agreements), from, to) }
	}
	written, err := b.write(cmd.Context(), past, drop)
	if err != nil {
		return err
	}
	if written == 0 {
		return fmt.Errorf("nothing was written: there is no raw sample of %s to %s of what the rules read; upheld check --prometheus.url says what is missing", clockTime(from), clockTime(to))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d samples recorded from %s to %s, of %d raw samples of %d series: %s\n",
		written, clockTime(from), clockTime(to), past.Samples, past.Series, b.out)
	return err
}

// clockTime is how verbs about the past print a time.
func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (b *backfill) check() (from, to time.Time, err error) {
	if err := b.source.check(); err != nil {
		return from, to, err
	}
	switch {
	case b.out == "":
		return from, to, errors.New("name a directory to write into: -o DIR")
	case !isEmptyFolder(b.out):
		return from, to, fmt.Errorf("-o %s is not an empty directory; name one that is, or that is not there", b.out)
	case b.replace && b.source.server.url == "":
		return from, to, errors.New("--replace deletes on a server; name it with --prometheus.url")
	}
	return parseSpan(b.from, b.to)
}

// isEmptyFolder returns whether a path is an empty folder, or does not exist.
func isEmptyFolder(path string) bool {
	entries, err := os.ReadDir(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}

// parseSpan reads --from and --to; a time that is not set is zero.
func parseSpan(from, to string) (begin, end time.Time, err error) {
	for _, flag := range []struct {
		name, value string
		to          *time.Time
	}{{"from", from, &begin}, {"to", to, &end}} {
		if flag.value == "" {
			continue
		}
		if *flag.to, err = parseTime(flag.value); err != nil {
			return begin, end, fmt.Errorf("--%s=%s is not a time; write 2026-10-01 or 2026-10-01T08:30:00Z", flag.name, flag.value)
		}
	}
	if !begin.IsZero() && !end.IsZero() && !begin.Before(end) {
		return begin, end, fmt.Errorf("--from=%s is not before --to=%s", from, to)
	}
	return begin, end, nil
}

func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, text)
}

// span completes the times, and makes sure that nothing is recorded twice.
func (b *backfill) span(ctx context.Context, notes io.Writer, agreements []*sla.Agreement, from, to time.Time) (begin, end time.Time, server *inspect.Server, err error) {
	now := time.Now().UTC().Truncate(time.Minute)
	end = to
	if end.IsZero() && b.format == "blocks" && b.source.server.url == "" {
		end = now.Add(-inspect.HeadAtMost) // we cannot ask what the server only has in memory
	}
	if end.IsZero() || end.After(now) {
		end = now
	}
	begin = from
	if begin.IsZero() {
		begin = end.Add(-longestPeriod(agreements) - 24*time.Hour)
	}
	if !begin.Before(end) {
		return begin, end, nil, usageError{fmt.Errorf("--from=%s is not before %s, where it ends", b.from, clockTime(end))}
	}
	asked, err := (&environment{server: b.source.server}).connect(ctx, &rulegen.Options{})
	if err != nil || asked.server == nil {
		return begin, end, nil, err
	}
	there, err := asked.server.Recorded(ctx, names(agreements), begin, end)
	if err != nil {
		return begin, end, nil, fmt.Errorf("--prometheus.url=%s: %w", b.source.server.url, err)
	}
	last := len(there) - 1
	if len(there) == 1 && !b.replace && to.IsZero() && now.Sub(there[last].To) < time.Hour && there[last].From.After(begin) {
		end, there = there[last].From, nil
		fmt.Fprintf(notes, "the server has recorded these series since %s: the past ends there\n", clockTime(end))
	}
	if end, err = b.beforeHead(ctx, notes, asked.server, begin, end); err == nil && len(there) > 0 && !b.replace {
		err = fmt.Errorf("the server has samples of these series already, %s; choose a time without, with --from and --to, or have them deleted with --replace", spansWords(there))
	}
	return begin, end, asked.server, err
}

// beforeHead ends blocks before the data that the server only has in memory.
func (b *backfill) beforeHead(ctx context.Context, notes io.Writer, server *inspect.Server, begin, end time.Time) (time.Time, error) {
	if b.format != "blocks" {
		return end, nil
	}
	head := server.HeadBegin(ctx, time.Now())
	switch {
	case !end.After(head):
		return end, nil
	case !begin.Before(head):
		return end, fmt.Errorf("the server has everything since %s in its memory only, where no block may be added; call again in three hours", clockTime(head))
	}
	fmt.Fprintf(notes, "the server has what is later than %s in its memory only, where no block may be added: the past ends there\n", clockTime(head))
	if left := end.Sub(head); left >= time.Minute {
		fmt.Fprintf(notes, "for the %s that are left, call again in three hours with --from=%s --to=%s\n", left.Round(time.Minute), head.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	return head, nil
}

func spansWords(all sla.Spans) string {
	const most = 3
	var words []string
	for i, s := range all {
		if i == most {
			words = append(words, fmt.Sprintf("and at %d more times", len(all)-most))
			break
		}
		words = append(words, fmt.Sprintf("from %s to %s", clockTime(s.From), clockTime(s.To)))
	}
	return strings.Join(words, ", ")
}

// longestPeriod is how far budgets look back.
func longestPeriod(agreements []*sla.Agreement) time.Duration {
	var longest time.Duration
	for _, a := range agreements {
		for _, l := range a.Levels {
			for _, p := range l.Periods() {
				longest = max(longest, p.Longest())
			}
		}
	}
	return longest
}

// record reads the past and evaluates the rules over it.
func (b *backfill) record(ctx context.Context, notes io.Writer, files []replay.File, from, to time.Time) (*history.Past, error) {
	source, err := b.source.source()
	if err != nil {
		return nil, err
	}
	past, err := loadPast(ctx, notes, source, files, from, to)
	if err != nil {
		return nil, err
	}
	bar := newProgress(notes)
	defer bar.end()
	result, err := past.World.Run(ctx, replay.Plan{
		Files: files, From: from, To: to, Away: past.Holes,
		Progress: func(done, total int) { bar.show("evaluating rules", float64(done)/float64(total)) },
	})
	if err != nil {
		return nil, err
	}
	for _, e := range result.Errors {
		bar.end()
		fmt.Fprintf(notes, "rule %s of group %s failed %d times from %s to %s: %s\n", e.Rule.Name, e.Rule.Group, e.Count, clockTime(e.First), clockTime(e.Last), oneLine(e.Err))
	}
	return past, nil
}

// loadPast reads the series that rules read in a time, and lists the gaps in it.
func loadPast(ctx context.Context, notes io.Writer, source samples.Source, files []replay.File, from, to time.Time) (*history.Past, error) {
	reads, err := history.Reads(files)
	if err != nil {
		return nil, err
	}
	bar := newProgress(notes)
	defer bar.end()
	past, err := history.Load(ctx, source, reads, from, to, func(done, total int) { bar.show("reading samples", float64(done)/float64(total)) })
	if err != nil {
		return nil, err
	}
	bar.end()
	for _, h := range past.Holes {
		fmt.Fprintf(notes, "no raw samples from %s to %s\n", clockTime(h.From), clockTime(h.To))
	}
	return past, nil
}

// write writes into a folder beside the target, and puts it into place when it is
// complete and the old data is deleted.
func (b *backfill) write(ctx context.Context, past *history.Past, drop func() error) (written int, err error) {
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(b.out)), 0o755); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(b.out)), ".upheld-backfill-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if b.format == "blocks" {
		written, err = past.Blocks(ctx, dir)
	} else {
		var text strings.Builder
		if written, err = past.OpenMetrics(&text); err == nil {
			err = filetree.Write(filepath.Join(dir, openMetricsFile), []byte(text.String()))
		}
	}
	if err != nil || written == 0 {
		return written, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	if err := drop(); err != nil {
		return 0, err
	}
	if err := os.Remove(b.out); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	return written, os.Rename(dir, b.out)
}
