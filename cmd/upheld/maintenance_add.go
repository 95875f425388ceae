package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/maintenance"
	"github.com/upheld-sla/upheld/internal/weburl"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// addition has the flags of maintenance add.
type addition struct {
	files     spec.Files
	agreement string
	levels    []string
	exclusion string
	effect    string
	from, to  string
	length    time.Duration
	announced string
	emergency bool
	reason    string
	approved  string
	dryRun    bool

	alertmanager, httpConfig string
	createdBy                string
	now                      time.Time
}

func newMaintenanceAdd() *cobra.Command {
	a := addition{now: time.Now()}
	cmd := &cobra.Command{
		Use:   "add SPEC... (--for=DURATION | --to=TIME) --reason=TEXT",
		Short: "Add a maintenance window to a specification, and silence its alerts",
		Long: `Add writes a window into the maintenance of an agreement. The file is edited as text:
comments and formatting stay, and lines are only added; a list that stands in one line
gets longer. The result is read again, and compared: nothing is written unless exactly
this window is new. The file is replaced whole, or not at all.

The window is for all levels that have the exclusion maintenance. With --level it must be
for these levels alone: then an exclusion with windows that exactly they have is taken,
and else nothing is written. Times are wall times of the agreement, 2026-12-01T22:00, or
have an offset or Z.

With --alertmanager.url it then sets a silence for the same time, for the alerts of these
levels. If that fails, the window stays, and it says how to go on; to call it again with
the same times sets the silence only.`,
		Example: `  # now, for an hour
  upheld maintenance add specs/shop.yaml --for=1h --reason="Database upgrade" --alertmanager.url=http://localhost:9093

  # announced, for one level
  upheld maintenance add specs/shop.yaml --level=orders/accepting --from=2026-12-05T22:00 --to=2026-12-06T02:00 \
    --announced=2026-11-28T09:00 --reason="New queue" --approved-by="A. Provider"`,
		Args: atLeastOneSpec,
		RunE: a.run,
	}
	f := cmd.Flags()
	f.StringVar(&a.agreement, "agreement", "", "`name` of the agreement, if there are several")
	f.StringArrayVar(&a.levels, "level", nil, "the window must be for this `level` and others that are named alone, as level or service/level; may be repeated")
	f.StringVar(&a.exclusion, "exclusion", "", "`name` of the exclusion with windows that gets it (default maintenance)")
	f.StringVar(&a.effect, "effect", "", "what maintenance does to its time, if the agreement has none yet: "+strings.Join(effectNames(), ", "))
	f.StringVar(&a.from, "from", "", "`time` when it begins (default now)")
	f.StringVar(&a.to, "to", "", "`time` when it ends")
	f.DurationVar(&a.length, "for", 0, "how long it lasts, instead of --to")
	f.StringVar(&a.announced, "announced", "", "`time` when customers were informed (default now, if the agreement asks for a notice)")
	f.BoolVar(&a.emergency, "emergency", false, "it needs no notice")
	f.StringVar(&a.reason, "reason", "", "what is done, for people")
	f.StringVar(&a.approved, "approved-by", "", "`name` of who approved it")
	f.BoolVar(&a.dryRun, "dry-run", false, "only show what would be written")
	f.StringVar(&a.alertmanager, "alertmanager.url", "", "`URL` of an Alertmanager at which a silence is set for the window")
	f.StringVar(&a.httpConfig, "alertmanager.http.config.file", "", "`file` with TLS and authentication for --alertmanager.url, in Prometheus' format of HTTP clients")
	f.StringVar(&a.createdBy, "created-by", "", "`name` of who sets the silence (default: your user name)")
	bindFiles(f, &a.files)
	return cmd
}

func effectNames() []string {
	var names []string
	for _, e := range sla.Effects() {
		names = append(names, string(e))
	}
	return names
}

func (a *addition) run(cmd *cobra.Command, args []string) error {
	if err := a.check(args); err != nil {
		return usageError{err}
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	agreements, before := checkSpecs(a.files, args, rulegen.Options{}, func(rulegen.LevelPlan) {})
	if before.HasErrors() {
		return tell(cmd.ErrOrStderr(), agreements, before)
	}
	c := change{addition: a, paths: args, before: before}
	if err := c.choose(agreements); err != nil {
		return usageError{err}
	}
	if err := c.edit(); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if a.dryRun {
		_, err := io.WriteString(out, c.words("would be added to"))
		return err
	}
	done := "is already in"
	if !c.there {
		done = "is now in"
		if err := c.write(); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(out, c.words(done)); err != nil {
		return err
	}
	if err := c.warn(cmd.ErrOrStderr()); err != nil {
		return err
	}
	if client == nil {
		return nil
	}
	return c.silence(cmd.Context(), out, maintenance.Alertmanager{URL: a.alertmanager, Client: client})
}

// check returns what is wrong with the flags by themselves.
func (a *addition) check(args []string) error {
	switch {
	case slices.Contains(args, "-"):
		return errors.New("standard input cannot be edited; name the file")
	case a.to == "" && a.length == 0:
		return errors.New("say when it ends: --for=1h, or --to=2026-12-01T23:00")
	case a.to != "" && a.length != 0:
		return errors.New("--for and --to both say when it ends; leave one out")
	case a.length < 0:
		return fmt.Errorf("--for=%s is no time", a.length)
	case strings.TrimSpace(a.reason) == "":
		return errors.New(`say what is done, for those who read the specification: --reason="Database upgrade"`)
	case a.effect != "" && !slices.Contains(effectNames(), a.effect):
		return fmt.Errorf("--effect=%s: there is no such effect; write %s", a.effect, strings.Join(effectNames(), " or "))
	case a.emergency && a.announced != "":
		return errors.New("--emergency is for a window that was not announced; leave it or --announced out")
	case a.alertmanager == "" && (a.httpConfig != "" || a.createdBy != ""):
		return errors.New("--alertmanager.http.config.file and --created-by are for --alertmanager.url, which is missing")
	}
	if a.alertmanager != "" {
		if _, err := weburl.Parse(a.alertmanager, "write basic_auth or authorization into a file, and name it by --alertmanager.http.config.file"); err != nil {
			return fmt.Errorf("--alertmanager.url: %w", err)
		}
	}
	return nil
}

// silenceTakes is how long Alertmanager may take to answer.
const silenceTakes = 10 * time.Second

// client is the HTTP client for Alertmanager, nil if no silence is wanted.
func (a *addition) client() (*http.Client, error) {
	if a.alertmanager == "" {
		return nil, nil
	}
	settings, err := readHTTPConfig("alertmanager.http.config.file", a.httpConfig)
	if err != nil {
		return nil, err
	}
	client, err := config.NewClientFromConfig(*settings, "upheld")
	if err != nil {
		return nil, fmt.Errorf("--alertmanager.http.config.file: %s", oneLine(err))
	}
	client.Timeout = silenceTakes
	return client, nil
}

// change is a window being added to a file.
type change struct {
	*addition
	paths     []string
	before    sla.Findings   // of the unchanged file
	of        *sla.Agreement // the revision that gets the window
	exclusion string
	window    maintenance.Window
	there     bool // the file already has the window
	text      []byte
	edited    maintenance.Edited
	excused   []sla.ID
	entry     maintenance.Entry
}

// edit makes the new text, and checks that it means what it should.
func (c *change) edit() error {
	var err error
	if c.text, err = os.ReadFile(c.of.Pos.File); err != nil {
		return err
	}
	if c.there = c.findWindow(); c.there {
		c.excused = maintenance.LevelsOf(c.of, c.exclusion)
		return nil
	}
	at := maintenance.Place{Agreement: c.of.Pos, Zone: c.of.Zone, Exclusion: c.exclusion, Effect: sla.Effect(c.effect)}
	if c.edited, err = maintenance.Add(c.text, at, c.window); err != nil {
		return err
	}
	files := c.files
	files.Instead = map[string]string{c.of.Pos.File: string(c.edited.Text)}
	after, findings := files.Load(c.paths...)
	before, _ := c.files.Load(c.paths...)
	if err := findings.Err(); err != nil {
		return fmt.Errorf("%s: the window cannot be added, nothing was written: %w", c.of.Pos.File, err)
	}
	if err := c.judge(after); err != nil {
		return err
	}
	if err := maintenance.Prove(before, after, c.of, c.exclusion, c.window); err != nil {
		return fmt.Errorf("%s: the window cannot be added, nothing was written: %w", c.of.Pos.File, err)
	}
	return nil
}

// judge finds out which levels the window excuses.
func (c *change) judge(after []*sla.Agreement) error {
	for _, a := range after {
		for _, r := range a.AllRevisions() {
			if r.Name == c.of.Name && r.Terms.Revision == c.of.Terms.Revision {
				c.excused = maintenance.LevelsOf(r, c.exclusion)
				for _, e := range maintenance.Entries(r, c.window.From, c.window.To) {
					if e.Exclusion == c.exclusion && e.From.Equal(c.window.From) && e.To.Equal(c.window.To) {
						c.entry = e
					}
				}
			}
		}
	}
	if len(c.excused) == 0 {
		return fmt.Errorf("%s: no level has the exclusion %s, so the window would excuse nothing; name it in exclusions of a level", c.of.Pos.File, c.exclusion)
	}
	return c.onlyWanted()
}

func (c *change) findWindow() bool {
	for _, e := range c.of.Exclusions {
		for _, w := range e.Windows {
			if e.Name == c.exclusion && w.Recurs == nil && w.Once == c.window.Span {
				c.edited.Line = w.Pos.Line
				return true
			}
		}
	}
	return false
}

// write replaces the file, unless somebody else has changed it meanwhile.
func (c *change) write() error {
	name := c.of.Pos.File
	replacement, err := filetree.Replace(name, c.edited.Text)
	if err != nil {
		return fmt.Errorf("%s: nothing was written: %w", name, err)
	}
	defer replacement.Discard()
	if now, err := os.ReadFile(name); err != nil || string(now) != string(c.text) {
		return fmt.Errorf("%s: somebody changed it meanwhile, nothing was written; try again", name)
	}
	if err := replacement.Commit(); err != nil {
		return fmt.Errorf("%s: nothing was written: %w", name, err)
	}
	return nil
}

// warn prints the findings of check that the window caused, for example that it exceeds
// a cap.
func (c *change) warn(notes io.Writer) error {
	_, after := checkSpecs(c.files, c.paths, rulegen.Options{}, func(rulegen.LevelPlan) {})
	known := func(f sla.Finding) bool {
		return slices.ContainsFunc(c.before, func(old sla.Finding) bool { return old.Rule == f.Rule && old.Message == f.Message })
	}
	return printText(notes, slices.DeleteFunc(after, known))
}

// words says what was done, and which levels the window excuses.
func (c *change) words(done string) string {
	var b strings.Builder
	zone := c.of.Location()
	fmt.Fprintf(&b, "The window %s %s:%d: from %s to %s (%s, %s)\n", done, c.of.Pos.File, c.edited.Line,
		c.window.From.In(zone).Format("2006-01-02 15:04"), c.window.To.In(zone).Format("2006-01-02 15:04"), zone, sla.FormatDuration(c.window.To.Sub(c.window.From)))
	if c.edited.Text != nil {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(strings.Split(string(c.edited.Text), "\n")[c.edited.Line-1]))
	}
	fmt.Fprintf(&b, "It excuses %s: %s\n", plural(len(c.excused), "level"), idWords(c.excused))
	if c.entry.Void != "" {
		fmt.Fprintf(&b, "Note: it does not excuse all of its time, because %s.\n", c.entry.Void)
	}
	if c.window.From.Before(c.now.Add(-time.Minute)) {
		b.WriteString("Note: it began before now. What the rules have recorded by now stays as it is; the verdict follows the specification.\n")
	}
	return b.String()
}

func idWords(ids []sla.ID) string {
	var words []string
	for _, id := range ids {
		words = append(words, id.Service+"/"+id.SLO)
	}
	return strings.Join(words, ", ")
}

// silence sets the silences, and says how to continue if one cannot be set.
func (c *change) silence(ctx context.Context, out io.Writer, at maintenance.Alertmanager) error {
	comment := c.reason
	if c.approved != "" {
		comment += " (approved by " + c.approved + ")"
	}
	by := c.createdBy
	for _, name := range []string{os.Getenv("USER"), os.Getenv("LOGNAME"), "upheld maintenance add"} {
		if by == "" {
			by = name
		}
	}
	all := maintenance.Silences(c.excused, c.window, by, comment)
	for i, s := range all {
		id, there, err := at.Set(ctx, s)
		if err != nil {
			var b strings.Builder
			fmt.Fprintf(&b, "--alertmanager.url=%s: %v\nThe window is in %s, but %d of %s not set. Call this again with --from=%s --to=%s, or set by hand:\n", at.URL, err,
				c.of.Pos.File, len(all)-i, pluralIs(len(all), "silence"), c.window.From.Format(time.RFC3339), c.window.To.Format(time.RFC3339))
			for _, left := range all[i:] {
				b.WriteString("  " + left.Amtool(at.URL) + "\n")
			}
			return errors.New(strings.TrimSuffix(b.String(), "\n"))
		}
		done := "is set"
		if there {
			done = "was set already"
		}
		var matchers []string
		for _, m := range s.Matchers {
			matchers = append(matchers, m.String())
		}
		if _, err := fmt.Fprintf(out, "The silence %s %s: %s\n", id, done, strings.Join(matchers, ", ")); err != nil {
			return err
		}
	}
	return nil
}

func pluralIs(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return fmt.Sprintf("%d %ss are", n, noun)
}
