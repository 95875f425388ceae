package main

import (
	"os"
	"syscall"
)

// Exit codes. What each means is in the tables below, which docs/cli.md prints.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitNo     = 3
	// For reports, in addition to exitNo for a breach.
	exitInsufficient = 4
	exitDisputed     = 5
	exitMixed        = 6
)

// exitSignal is added to the number of a signal that ends a verb early, as
// shells do.
const exitSignal = 128

type exitCode struct {
	code  int
	means string
}

// exitCodes are all codes, for every verb.
var exitCodes = []exitCode{
	{exitDone, "done, and nothing is wrong"},
	{exitFailed, "something is wrong with what was given, or could not be done; see the verb below"},
	{exitUsage, "the call itself is wrong: unknown verbs and flags, missing or senseless arguments"},
	{exitNo, "the question was answered, and the answer is no; see the verb below"},
	{exitInsufficient, "too little is known for an answer"},
	{exitDisputed, "the parties do not agree on what decides"},
	{exitMixed, "several answers, of which none is yes, and not all are the same"},
	{exitSignal + int(syscall.SIGINT), "ended by Ctrl-C (SIGINT) before it was done"},
	{exitSignal + int(syscall.SIGTERM), "ended by SIGTERM before it was done"},
}

// verbExits says what codes mean for single verbs, by name. Planned verbs are listed
// too, so that a code means one thing from the start; docs/cli.md only shows existing
// ones.
var verbExits = []struct {
	verb string
	code int
	when string
}{
	{"init", exitFailed, "the answers make no good specification, or the file is there already. Nothing is written then"},
	{"check", exitFailed, "errors in a specification, or, with `--strict`, warnings; a server that does not answer"},
	{"generate", exitFailed, "errors in a specification; files that are not upheld's to overwrite; with `--verify`, files that are missing, differ or are stale"},
	{"generate", exitNo, "with `--diff`: something would change"},
	{"push", exitFailed, "errors in a specification; a ruler that does not answer, or refuses a group. What was done until then stays"},
	{"push", exitNo, "without `--apply`: something would change"},
	{"explain", exitFailed, "errors in a specification"},
	{"document", exitFailed, "errors in a specification"},
	{"schema", exitFailed, "standard output cannot be written"},
	{"serve", exitFailed, "errors in a specification when it starts; a part that could not run. SIGINT and SIGTERM end it with 0"},
	{"demo", exitFailed, "a part that could not run. SIGINT and SIGTERM end it with 0"},
	{"help", exitFailed, "standard output cannot be written"},
	{"completion", exitFailed, "standard output cannot be written"},
	{"report", exitFailed, "errors in a specification; samples that cannot be read, so that there is no verdict. Nothing is written then"},
	{"report", exitNo, "an agreement was breached, and none is in dispute or has too little data"},
	{"report", exitInsufficient, "an agreement has too little data for a verdict, and none was breached or is in dispute"},
	{"report", exitDisputed, "an agreement is in dispute, and none was breached or has too little data"},
	{"report", exitMixed, "of several agreements, two were not met for different ones of these reasons"},
	{"verify", exitFailed, "a report, signature or samples that cannot be read, so that nothing was compared"},
	{"verify", exitNo, "the report differs from what was recomputed, or no signer that was named signed it"},
	{"gate", exitFailed, "errors in a specification; a server that does not answer"},
	{"gate", exitNo, "a level has too little of its budget left"},
	{"gate", exitInsufficient, "the budget of a level is unknown, and no other refuses"},
	{"status", exitFailed, "errors in a specification; a server that does not answer, or has no service levels"},
	{"status", exitNo, "a level is in a state that `--fail-on` names"},
	{"maintenance", exitFailed, "errors in a specification; a window that cannot be added, so that nothing is written; a silence that cannot be set, while the window stays"},
	{"backfill", exitFailed, "errors in a specification; samples that cannot be read, or of which there are none; samples of the series that are there already. Nothing is written then"},
	{"simulate", exitFailed, "errors in a specification or a scenario"},
	{"simulate", exitNo, "what the scenario expects did not happen"},
	{"backtest", exitFailed, "errors in a specification or rule file; samples that are not there or cannot be read"},
	{"import", exitFailed, "a file that cannot be read, or says what no specification can say"},
	{"export", exitFailed, "errors in a specification, or something in it that the format cannot say"},
}

// exitOf is the exit code after a signal.
func exitOf(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return exitSignal + int(number)
	}
	return exitFailed
}
