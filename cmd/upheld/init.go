package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// schemaURL is where the JSON Schema of specifications is published.
const schemaURL = "https://raw.githubusercontent.com/upheld-sla/upheld/main/docs/upheld.schema.json"

// firstFile is the file that init writes if none is named.
const firstFile = "sla.yaml"

func newInit() *cobra.Command {
	answers := newAnswers()
	var schema string
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a first specification",
		Long: `Init writes a specification with one service level to FILE (` + firstFile + ` unless you name
another, or - for standard output). It never overwrites a file.

On a terminal it asks for what no flag says; an empty answer takes what stands in
brackets. Elsewhere flags must say all that has no default. What comes out has been
checked as upheld check does, and nothing is written if there is an error in it. Its first line names the JSON Schema,
from which editors complete keys and explain them.`,
		Example: `  # asks five questions
  upheld init

  # in a script: a URL that must answer
  upheld init specs/shop.yaml --service=storefront --indicator=http --address=https://shop.example/health --target=99.9

  # requests that your service counts
  upheld init - --service=api --indicator=events \
    --bad='http_requests_total{job="api",code=~"5.."}' --total='http_requests_total{job="api"}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := firstFile
			if len(args) > 0 {
				file = args[0]
			}
			if err := absent(file); err != nil {
				return err
			}
			if err := answers.complete(cmd); err != nil {
				return err
			}
			return writeFirst(cmd, file, answers.specification(schema))
		},
	}
	answers.flags(cmd.Flags())
	cmd.Flags().StringVar(&schema, "schema", schemaURL, "`address` of the JSON Schema for editors, a URL or a file; empty leaves the line out")
	return cmd
}

// absent returns an error if a file exists: better before the questions than after.
func absent(file string) error {
	if file == "-" {
		return nil
	}
	_, err := os.Lstat(file)
	switch {
	case err == nil:
		return alreadyThere(file)
	case errors.Is(err, os.ErrNotExist):
		return nil
	}
	return err
}

// writeFirst checks a specification like the verb check, and writes it.
func writeFirst(cmd *cobra.Command, file string, text []byte) error {
	name := file
	if file == "-" {
		name = "specification"
	}
	agreements, findings := spec.LoadText(name, string(text))
	for _, a := range agreements {
		found, _ := rulegen.Each(a, rulegen.Options{}, func(rulegen.LevelPlan) error { return nil })
		findings = append(findings, found...)
	}
	findings.Sort()
	if err := printText(cmd.ErrOrStderr(), findings); err != nil {
		return err
	}
	if findings.HasErrors() {
		fmt.Fprintf(cmd.ErrOrStderr(), "this is what the answers made; nothing was written:\n%s", indented(text))
		return errReported
	}
	if file == "-" {
		_, err := cmd.OutOrStdout().Write(text)
		return err
	}
	if err := writeNew(file, text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), `%s is written, and checked. What to do next:
  upheld explain %[1]s                 what it promises, with every default
  upheld simulate %[1]s --outage=20m   which alerts an outage would fire
  upheld serve %[1]s                   probe, alert and report, in one process
  upheld generate %[1]s -o generated   rules, dashboards and routes for servers that you have
`, file)
	return err
}

func indented(text []byte) string {
	var b strings.Builder
	for line := range bytes.Lines(text) {
		b.WriteString("  " + string(line))
	}
	return b.String()
}

// ask prints a question and reads one line; an empty line means the usual answer.
func ask(in io.Reader, out io.Writer, question, usual string) (string, error) {
	if usual != "" {
		question += " [" + usual + "]"
	}
	if _, err := fmt.Fprint(out, question+": "); err != nil {
		return "", err
	}
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := in.Read(one)
		if n == 1 && one[0] != '\n' {
			line = append(line, one[0])
		}
		if n == 1 && one[0] == '\n' {
			break
		}
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return "", errors.New("there are no more answers; nothing was written")
		}
		if err != nil {
			break
		}
	}
	if answer := strings.TrimSpace(string(line)); answer != "" {
		return answer, nil
	}
	return usual, nil
}
