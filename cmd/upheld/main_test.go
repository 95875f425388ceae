package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite golden files, and the expected output in testdata")

// TestMain lets the test binary be the upheld command that scripts call.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"upheld": main})
}

// TestScripts runs testdata/*.txtar: each is a script with its files, named for
// the behaviour that it shows. With -update, cmp rewrites what was expected.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TMPDIR", env.WorkDir)
			return os.MkdirAll(env.WorkDir, 0o755)
		},
	})
}
