// Command upheld checks service level agreements, generates what Prometheus,
// Grafana and Alertmanager need for them, and serves the whole loop in one
// process. Each verb is one file here with one line in the table below.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/buildinfo"
	"github.com/upheld-sla/upheld/sla"
)

// verbs are the commands, in the order that help shows them.
var verbs = []func() *cobra.Command{
	newInit,
	newCheck,
	newGenerate,
	newPush,
	newDemo,
	newServe,
	newExplain,
	newImport,
	newExport,
	newDocument,
	newSimulate,
	newReport,
	newVerify,
	newGate,
	newStatus,
	newMaintenance,
	newBacktest,
	newBackfill,
	newSchema,
}

// errReported is returned by a verb that has already printed what is wrong.
var errReported = errors.New("reported")

// answered is returned by a verb that succeeded, and whose answer has its own exit
// code.
type answered struct{ code int }

func (a answered) Error() string { return fmt.Sprintf("exit code %d", a.code) }

// usageError marks mistakes in the call of the command.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// runsOn is the annotation of verbs that run until a signal ends them, which is no
// failure.
const runsOn = "runs until it is ended"

// grace is how long a verb has to tidy up after a signal. If it cannot, for example in
// the middle of a long calculation, the process then exits.
const grace = 500 * time.Millisecond

func main() {
	buildinfo.Complete()
	keepBrokenPipes()
	os.Exit(run(os.Args[1:], newStream(os.Stdout), newStream(os.Stderr)))
}

func run(args []string, stdout, stderr io.Writer) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	endless := false
	if cmd, _, err := root.Find(args); err == nil {
		endless = cmd.Annotations[runsOn] != ""
	}
	ended := make(chan int, 1)
	go func() {
		cmd, err := root.ExecuteContextC(ctx)
		ended <- exitAfter(cmd, err, ctx.Err() != nil && !endless, stderr)
	}()
	select {
	case code := <-ended:
		return code
	case s := <-signals:
		cancel()
		var late <-chan time.Time
		if !endless {
			late = time.After(grace)
		}
		select {
		case code := <-ended:
			if code == exitSignal {
				break
			}
			return code
		case <-late:
		}
		fmt.Fprintf(stderr, "upheld: ended by a signal: %s\n", s)
		return exitOf(s)
	}
}

// exitAfter prints the outcome of a verb and returns its exit code: exitSignal for a
// verb that failed because it was interrupted.
func exitAfter(cmd *cobra.Command, err error, interrupted bool, stderr io.Writer) int {
	var usage usageError
	var answer answered
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &answer):
		return answer.code
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "upheld: %s\nSee '%s --help'.\n", sla.Redact(err.Error()), cmd.CommandPath())
		return exitUsage
	case interrupted:
		return exitSignal
	}
	fmt.Fprintf(stderr, "upheld: %s\n", sla.Redact(err.Error()))
	return exitFailed
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "upheld",
		Short:         "SLAs as code for Prometheus",
		Version:       fmt.Sprintf("%s (revision %s, %s, %s/%s)", buildinfo.Version(), version.GetRevision(), runtime.Version(), runtime.GOOS, runtime.GOARCH),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, verb := range verbs {
		root.AddCommand(verb())
	}
	completeFlags(root)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	tameCompletion(root)
	return root
}

// knownVerb is the argument check of the command itself, which gets unknown verbs.
func knownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := ""
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		near = "; did you mean " + strings.Join(names, " or ") + "?"
	}
	return usageError{fmt.Errorf("there is no verb %q%s", args[0], near)}
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [VERB]",
		Short:   "Say what a verb does, with its flags and examples",
		Long:    "Help prints what a verb does, with its flags and examples. `upheld VERB --help` does the same.",
		Example: "  upheld help generate",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, verb := range cmd.Root().Commands() {
				if len(args) == 0 && verb.IsAvailableCommand() {
					names = append(names, verb.Name()+"\t"+verb.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			if len(rest) > 0 {
				return knownVerb(about, rest)
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}
