package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

func newDocument() *cobra.Command {
	var files spec.Files
	var format, agreement, against string
	cmd := &cobra.Command{
		Use:   "document SPEC...",
		Short: "Write an agreement as a document to be signed",
		Long: `Document prints one agreement for people: the parties and how it was approved, which
services it is about, what is promised and how that is measured, in words and with its
formula, budgets in minutes, recovery, service hours, what does not count, what each
party owes, who is notified, credits with a worked example, a glossary and lines for
signatures. All of it is made from the specification; of several revisions, the last.

It also lists what changed since the revision before, if that is loaded too, or since
the one that --against names.`,
		Example: `  upheld document specs/shop.yaml > shop.html

  # what changed since the signed revision, for a meeting
  upheld document specs/shop.yaml --against=signed/shop.yaml --format=markdown`,
		Args: atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			i := slices.IndexFunc(report.AgreementFormats(), func(f report.AgreementFormat) bool { return f.Name == format })
			doc := report.AgreementDocument{Now: time.Now()}
			var err error
			if doc.Agreement, err = oneAgreement(cmd, files, args, agreement); err != nil {
				return err
			}
			doc.Agreement, doc.Against = lastRevision(doc.Agreement)
			if against != "" {
				if doc.Against, err = oneAgreement(cmd, files, []string{against}, doc.Agreement.Name); err != nil {
					return err
				}
				doc.Against, _ = lastRevision(doc.Against)
			}
			data, err := report.AgreementFormats()[i].Render(doc)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(data)
			return err
		},
	}
	f := cmd.Flags()
	bindChoice(f, &format, "format", "html", "how to write it", agreementFormatNames())
	f.StringVar(&agreement, "agreement", "", "`name` of the agreement, if there are several")
	f.StringVar(&against, "against", "", "`file` with the revision before, to list what changed")
	bindFiles(f, &files)
	return cmd
}

func agreementFormatNames() []string {
	var names []string
	for _, f := range report.AgreementFormats() {
		names = append(names, f.Name)
	}
	return names
}

// lastRevision is the revision of an agreement that takes effect last, and the previous
// one, nil if there is none.
func lastRevision(a *sla.Agreement) (last, before *sla.Agreement) {
	all := a.AllRevisions()
	if len(all) > 1 {
		before = all[len(all)-2]
	}
	return all[len(all)-1], before
}

// oneAgreement loads specifications and returns the agreement with the name, or the
// only one. If it has several revisions, it is the one in force.
func oneAgreement(cmd *cobra.Command, files spec.Files, paths []string, name string) (*sla.Agreement, error) {
	agreements, err := mustLoad(cmd.ErrOrStderr(), files, paths)
	if err != nil {
		return nil, err
	}
	var names []string
	var last *sla.Agreement
	for _, a := range agreements {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
		if (name == "" || a.Name == name) && (last == nil || a.Terms.Revision > last.Terms.Revision) {
			last = a
		}
	}
	where := filepath.ToSlash(strings.Join(paths, " "))
	switch {
	case name == "" && len(names) > 1:
		return nil, usageError{fmt.Errorf("%s has %s: %s; name one with --agreement", where, plural(len(names), "agreement"), strings.Join(names, ", "))}
	case last == nil:
		return nil, usageError{fmt.Errorf("%s has no agreement %q; there is %s", where, name, strings.Join(names, ", "))}
	}
	return last, nil
}
