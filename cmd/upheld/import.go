package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// anyFormat is the argument of import that means any format.
const anyFormat = "auto"

func newImport() *cobra.Command {
	var files spec.Files
	var output, prometheus string
	cmd := &cobra.Command{
		Use:   "import FORMAT FILE...",
		Short: "Write specifications of other tools as ours",
		Long: `Import reads specifications of other tools and prints what they become as ours, with
comments where something means another thing afterwards. FORMAT is ` + strings.Join(importFormats(), ", ") + `
(whatever a document says that it is), or blackbox. FILE is a file, a directory, a glob, or - for
standard input; a file may have several documents, also as a list of Kubernetes objects.

What cannot be carried is listed on standard error, each with its place and what to
write instead: as a warning, or as an error if a level or an agreement is missing because of it. What
could be carried is printed all the same.

You need not import: every verb reads these formats as they are, also beside ours.

With blackbox, FILE has modules of blackbox_exporter, and --prometheus.config says which
targets they probe. Each scrape job becomes levels, with probes of our own; where one
cannot be carried, the level counts what blackbox_exporter goes on finding.`,
		Example: `  upheld import sloth slos/checkout.yaml > specs/checkout.yaml

  # what a cluster has
  kubectl get prometheusservicelevels -A -o yaml | upheld import auto - -o specs/cluster.yaml

  # what a Prometheus has blackbox_exporter probe
  upheld import blackbox blackbox.yml --prometheus.config=prometheus.yml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("import needs a format (%s) and at least one file, or - for standard input", strings.Join(importNames(), ", "))}
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return importNames(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			documents, findings, err := imported(files, args[0], args[1:], prometheus)
			if err != nil {
				return err
			}
			findings = presentable(findings)
			if err := printText(cmd.ErrOrStderr(), findings); err != nil {
				return err
			}
			if err := writeImported(cmd.OutOrStdout(), output, documents, findings); err != nil {
				return err
			}
			errs, warnings := count(findings)
			fmt.Fprintf(cmd.ErrOrStderr(), "%s imported: %s, %s\n", plural(len(documents), "agreement"), plural(errs, "error"), plural(warnings, "warning"))
			if findings.HasErrors() {
				return errReported
			}
			if len(documents) == 0 {
				return fmt.Errorf("%s: nothing to import", strings.Join(args[1:], " "))
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write instead of standard output; it must not exist")
	cmd.Flags().StringVar(&prometheus, "prometheus.config", "", "with blackbox: configuration `file` of the Prometheus whose scrape jobs probe")
	bindFiles(cmd.Flags(), &files)
	return cmd
}

// imported converts files in a format.
func imported(files spec.Files, format string, paths []string, prometheus string) ([]spec.Converted, sla.Findings, error) {
	if format == foreign.Blackbox.Name {
		if prometheus != "" {
			paths = append(slices.Clone(paths), prometheus)
		}
		documents, findings := files.ConvertBlackbox(paths...)
		return documents, findings, nil
	}
	if prometheus != "" {
		return nil, nil, usageError{fmt.Errorf("--prometheus.config goes with the format blackbox, and this is %s", format)}
	}
	only, err := importFormat(format)
	if err != nil {
		return nil, nil, err
	}
	documents, findings := files.Convert(only, paths...)
	return documents, findings, nil
}

// importFormats are the formats that import reads.
func importFormats() []string {
	var names []string
	for _, f := range spec.ForeignFormats() {
		names = append(names, f.Name)
	}
	return append(names, anyFormat)
}

// importNames are the accepted names, for completion and messages.
func importNames() []string { return append(importFormats(), foreign.Blackbox.Name) }

// importFormat returns the format with a name, nil for any.
func importFormat(name string) (*foreign.Format, error) {
	if name == anyFormat {
		return nil, nil
	}
	all := spec.ForeignFormats()
	if i := slices.IndexFunc(all, func(f *foreign.Format) bool { return f.Name == name }); i >= 0 {
		return all[i], nil
	}
	near := ""
	if n := spec.Nearest(name, importNames()); n != "" {
		near = fmt.Sprintf("; did you mean %s?", n)
	}
	return nil, usageError{fmt.Errorf("there is no format %q to import; there is %s%s", name, strings.Join(importNames(), ", "), near)}
}

// importable says which agreements are specifications of other tools, and what import
// would make of them; "" if there are none.
func importable(agreements []*sla.Agreement) string {
	var b strings.Builder
	for _, a := range agreements {
		if f := foreignFormat(a); f != nil {
			fmt.Fprintf(&b, "%s is a specification for %s, read as the agreement %s with %s; `upheld import %s %s` writes it as ours\n",
				a.Pos.File, f.Title, a.Name, plural(len(a.Levels)+len(a.Broken), "level"), f.Name, a.Pos.File)
		}
	}
	return b.String()
}

// foreignFormat is the other tool's format in which an agreement was written, nil if it
// is ours.
func foreignFormat(a *sla.Agreement) *foreign.Format {
	for _, f := range spec.ForeignFormats() {
		if f.Title == a.Format {
			return f
		}
	}
	return nil
}

// writeImported writes documents to a new file, or to standard output. It first lists
// what could not be converted.
func writeImported(stdout io.Writer, file string, documents []spec.Converted, findings sla.Findings) error {
	var text bytes.Buffer
	for _, f := range findings {
		if f.Severity == sla.Error {
			fmt.Fprintf(&text, "# Not imported: %s: %s\n", f.Pos, strings.ReplaceAll(f.Message, "\n", " "))
		}
	}
	var roots []*yaml.Node
	for _, d := range documents {
		roots = append(roots, d.Root)
	}
	if err := imports.Write(&text, roots...); err != nil {
		return err
	}
	if len(documents) == 0 {
		return nil
	}
	if file == "" {
		_, err := stdout.Write(text.Bytes())
		return err
	}
	return writeNew(file, text.Bytes())
}

// writeNew writes a new file.
func writeNew(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return alreadyThere(file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func alreadyThere(file string) error {
	return fmt.Errorf("%s is there already, and is not overwritten; name another file", file)
}
