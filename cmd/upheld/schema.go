package main

import (
	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/sla/spec"
)

func newSchema() *cobra.Command {
	var ofReports bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of specifications, for editors, or of reports",
		Long: `Schema prints the JSON Schema (draft 2020-12) of specifications. Editors complete
keys with it, show what they mean and underline mistakes while you type. It is made
from the same tables as the reader, which checks more: references, bounds, PromQL.

With --report it prints the schema of the JSON of reports, for programs that read them.`,
		Example: `  upheld schema > upheld.schema.json

  # then, as the first line of a specification, for editors with yaml-language-server
  # yaml-language-server: $schema=upheld.schema.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ofReports {
				_, err := cmd.OutOrStdout().Write(report.Schema())
				return err
			}
			return writeJSON(cmd.OutOrStdout(), spec.Schema())
		},
	}
	cmd.Flags().BoolVar(&ofReports, "report", false, "print the schema of the JSON of reports instead")
	return cmd
}
