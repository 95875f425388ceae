package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// exportFormats are the formats that export writes, one line each.
func exportFormats() []exportFormat {
	return []exportFormat{{"openslo", imports.WriteOpenSLO}}
}

type exportFormat struct {
	name  string
	write func(io.Writer, []spec.Document) error
}

func newExport() *cobra.Command {
	var files spec.Files
	var output string
	cmd := &cobra.Command{
		Use:   "export FORMAT SPEC...",
		Short: "Write specifications for other tools",
		Long: `Export writes specifications as those of other tools. FORMAT is openslo.

OpenSLO says less than a specification: a Service and an SLO for each level say what it
can, in its own words, and the rest stands in annotations that begin with upheld.dev/.
Other programs ignore those; importing what was exported gives the same specification.
What a level measures that OpenSLO has no words for, such as probes, is read from the
series that the generated rules record.

Comments are not exported. Files that the specification names are still relative to it,
so write the result beside it.`,
		Example: `  upheld export openslo specs/shop.yaml > openslo/shop.yaml

  # and back
  upheld import openslo openslo/shop.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("export needs a format (openslo) and at least one specification")}
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return exportNames(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			i := slices.IndexFunc(exportFormats(), func(f exportFormat) bool { return f.name == args[0] })
			if i < 0 {
				return usageError{fmt.Errorf("there is no format %q to export to; there is %s", args[0], strings.Join(exportNames(), ", "))}
			}
			agreements, findings := checkSpecs(files, args[1:], rulegen.Options{}, func(rulegen.LevelPlan) {})
			if err := tell(cmd.ErrOrStderr(), agreements, findings); err != nil {
				return err
			}
			documents, _ := files.Documents(args[1:]...)
			var text bytes.Buffer
			if err := exportFormats()[i].write(&text, documents); err != nil {
				return err
			}
			if output != "" {
				return writeNew(output, text.Bytes())
			}
			_, err := cmd.OutOrStdout().Write(text.Bytes())
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write instead of standard output; it must not exist")
	bindFiles(cmd.Flags(), &files)
	return cmd
}

func exportNames() []string {
	var names []string
	for _, f := range exportFormats() {
		names = append(names, f.name)
	}
	return names
}
