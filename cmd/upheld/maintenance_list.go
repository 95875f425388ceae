package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/maintenance"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// windowList has the flags of maintenance list.
type windowList struct {
	files       spec.Files
	past, ahead time.Duration
	format      string
	now         time.Time
}

func newMaintenanceList() *cobra.Command {
	l := windowList{now: time.Now()}
	cmd := &cobra.Command{
		Use:   "list SPEC...",
		Short: "List the maintenance windows of specifications, past and ahead",
		Long: `List prints the windows of maintenance and of other exclusions that were in the last 30
days, are open now, or begin in the next 90, with what is done in them, who approved it
and which levels they excuse. The windows of a rule are a line each. It says why a window
excuses nothing, as one that was announced too late. Times are wall times of the agreement.`,
		Example: `  upheld maintenance list specs/
  upheld maintenance list specs/ --past=0s --ahead=168h --format=json`,
		Args: atLeastOneSpec,
		RunE: l.run,
	}
	f := cmd.Flags()
	f.DurationVar(&l.past, "past", 30*24*time.Hour, "how far back to look")
	f.DurationVar(&l.ahead, "ahead", 90*24*time.Hour, "how far ahead to look")
	bindFormat(f, &l.format, "how to print them")
	bindFiles(f, &l.files)
	return cmd
}

// mostLooked is how far back or ahead windows are listed.
const mostLooked = 10 * 366 * 24 * time.Hour

func (l *windowList) run(cmd *cobra.Command, args []string) error {
	for _, f := range []struct {
		flag   string
		length time.Duration
	}{{"past", l.past}, {"ahead", l.ahead}} {
		if f.length < 0 || f.length > mostLooked {
			return usageError{fmt.Errorf("--%s=%s is not between 0s and ten years", f.flag, f.length)}
		}
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), l.files, args)
	if err != nil {
		return err
	}
	var all []maintenance.Entry
	for _, a := range agreements {
		all = append(all, maintenance.Entries(a, l.now.Add(-l.past), l.now.Add(l.ahead))...)
	}
	if l.format == jsonFormat {
		return l.json(cmd.OutOrStdout(), all)
	}
	return l.text(cmd.OutOrStdout(), all)
}

// when says whether a window is over, open or planned.
func (l *windowList) when(e maintenance.Entry) string {
	switch {
	case !e.To.After(l.now):
		return "past"
	case e.From.After(l.now):
		return "ahead"
	}
	return "open"
}

func (l *windowList) text(out io.Writer, all []maintenance.Entry) error {
	if len(all) == 0 {
		_, err := io.WriteString(out, "No windows in this time.\n")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range all {
		from, to := e.From.In(zoneOf(e)), e.To.In(zoneOf(e))
		until := to.Format("15:04")
		if from.Format(time.DateOnly) != to.Format(time.DateOnly) {
			until = to.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%s to %s %s\t%s\n", l.when(e), e.Agreement, from.Format("2006-01-02 15:04"), until, zoneOf(e), listWords(e))
	}
	return w.Flush()
}

func zoneOf(e maintenance.Entry) *time.Location {
	loc, err := time.LoadLocation(e.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// listWords says what a window is for, which levels it affects, and what is unusual
// about it.
func listWords(e maintenance.Entry) string {
	words := e.Exclusion
	if e.Emergency {
		words += " (emergency)"
	}
	if e.Reason != "" {
		words += ": " + e.Reason
	}
	if e.ApprovedBy != "" {
		words += ", approved by " + e.ApprovedBy
	}
	words += "; " + plural(len(e.Levels), "level")
	if e.Void != "" {
		words += "; does not excuse all of it: " + e.Void
	}
	return words
}

// listedWindow is a window as JSON.
type listedWindow struct {
	When       string    `json:"when"`
	Agreement  string    `json:"agreement"`
	Exclusion  string    `json:"exclusion"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Recurs     bool      `json:"recurs,omitempty"`
	Emergency  bool      `json:"emergency,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	ApprovedBy string    `json:"approvedBy,omitempty"`
	Void       string    `json:"doesNotExcuse,omitempty"`
	Levels     []string  `json:"levels"`
}

func (l *windowList) json(out io.Writer, all []maintenance.Entry) error {
	list := []listedWindow{}
	for _, e := range all {
		list = append(list, listedWindow{l.when(e), e.Agreement, e.Exclusion, e.From.UTC(), e.To.UTC(), e.Recurs, e.Emergency, e.Reason, e.ApprovedBy, e.Void, shortIDs(e.Levels)})
	}
	return json.NewEncoder(out).Encode(list)
}

func shortIDs(ids []sla.ID) []string {
	all := []string{}
	for _, id := range ids {
		all = append(all, strings.TrimPrefix(id.String(), id.SLA+":"))
	}
	return all
}
