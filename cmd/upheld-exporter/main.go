// Command upheld-exporter probes the targets of service level agreements and exposes
// the outcome of every probe as Prometheus metrics. It reads the same specification
// files as upheld, and has no rule engine and no storage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/internal/buildinfo"
)

// Exit codes.
const (
	exitFailed = 1 // errors in a specification, or the server could not run
	exitUsage  = 2 // unknown flags, missing arguments
)

// errReported is returned by functions that have already printed what is wrong.
var errReported = errors.New("reported")

// usageError marks mistakes in the call of the command.
type usageError struct{ error }

func main() {
	buildinfo.Complete()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := newCommand()
	command.SetArgs(args)
	command.SetOut(stdout)
	command.SetErr(stderr)
	err := command.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "upheld-exporter: %s\nSee 'upheld-exporter --help'.\n", redact.Error(err))
		return exitUsage
	}
	fmt.Fprintf(stderr, "upheld-exporter: %s\n", redact.Error(err))
	return exitFailed
}
