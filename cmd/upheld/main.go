// Command upheld checks service level agreements, generates what Prometheus,
// Grafana and Alertmanager need for them, and serves the whole loop in one
// process. Each verb is one file here with one line in the table below.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
)

// verbs are the commands, in the order that help shows them.
var verbs = []func() *cobra.Command{
	newCheck,
	newGenerate,
	newDemo,
	newServe,
	newExplain,
	newSchema,
}

// Exit codes, as docs/cli.md documents them.
const (
	exitFailed = 1 // errors in a specification, stale output, a server that could not run
	exitUsage  = 2 // unknown flags, missing arguments
)

// errReported is returned by a verb that has already printed what is wrong.
var errReported = errors.New("reported")

// usageError marks mistakes in how the command was called.
type usageError struct{ error }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "upheld: %v\nSee 'upheld help'.\n", err)
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "upheld: %v\n", err)
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "upheld",
		Short:         "SLAs as code for Prometheus",
		Version:       version.Info(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, verb := range verbs {
		root.AddCommand(verb())
	}
	return root
}
