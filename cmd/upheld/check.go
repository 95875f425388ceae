package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

func newCheck() *cobra.Command {
	var c check
	cmd := &cobra.Command{
		Use:   "check SPEC...",
		Short: "Find everything that is wrong with specifications",
		Long: `Check reads specifications and lists all their mistakes at once, each with its
place, the line and what to write instead. It also reads the PromQL in them. SPEC is a file, a directory (every *.yaml and *.yml directly in
it; a warning names specifications in subdirectories, which are not read), a glob,
or - for standard input. References between agreements are resolved among all that
are named.

If you say how often Prometheus scrapes and how long it keeps data, it also finds
windows with too few scrapes and periods that are longer than the retention.

It also reminds you, as warnings, of what is due: the review of an agreement, its next
revision, exercises of recovery methods, and obligations that are late.

With --prometheus.url it asks a server whether the series that levels read exist,
are counters, have the labels and the bucket they need, are scraped often enough and
kept long enough, and what the rules will cost. It changes nothing there.

Findings go to standard output, the count at the end to standard error. Exit code 0
means no errors, 1 errors (or, with --strict, warnings).`,
		Example: `  # everything in a directory
  upheld check specs/

  # for a server that scrapes every 30 s and keeps 15 days
  upheld check specs/ --scrape.interval=30s --retention=15d

  # against a server
  upheld check specs/ --prometheus.url=http://localhost:9090

  # in GitHub Actions: findings appear beside the lines of the change
  upheld check --strict --format=github specs/*.yaml`,
		Args: atLeastOneSpec,
		RunE: c.run,
	}
	bindChoice(cmd.Flags(), &c.format, "format", "text", "how to print findings", findingFormatNames())
	cmd.Flags().BoolVar(&c.strict, "strict", false, "exit with 1 on warnings too")
	c.server.flags(cmd.Flags())
	return cmd
}

// check has the flags of the verb check.
type check struct {
	format string
	strict bool
	server environment
}

func (c *check) run(cmd *cobra.Command, args []string) error {
	rules, err := c.server.options()
	if err != nil {
		return usageError{err}
	}
	known := slices.Index(findingFormatNames(), c.format)
	collectLess()
	var cost groupCost
	asked, err := c.server.connect(cmd.Context(), &rules)
	if err != nil {
		return err
	}
	agreements, findings := checkSpecs(c.server.files, args, rules, func(l rulegen.LevelPlan) {
		cost.add(l)
		asked.level(l)
	})
	if err := asked.failed(); err != nil {
		return err
	}
	findings = append(findings, asked.findings...)
	for _, a := range agreements {
		findings = append(findings, a.Reminders(time.Now())...)
	}
	findings = append(findings, sla.ComponentReminders(agreements, time.Now())...)
	findings = presentable(findings)
	if err := findingFormats[known].print(cmd.OutOrStdout(), findings); err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s\n%s%s%s", summary(agreements, findings), importable(agreements)+verdictOnly(agreements), cost, asked)
	if findings.HasErrors() || c.strict && len(findings) > 0 {
		return errReported
	}
	return nil
}

// atLeastOneSpec is the argument check of verbs that read specifications.
func atLeastOneSpec(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("%s needs at least one specification: a file, a directory, a glob, or - for standard input", cmd.Name())}
	}
	return nil
}

// noArguments is the argument check of verbs that take none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, it got %q", cmd.Name(), args[0])}
	}
	return nil
}
