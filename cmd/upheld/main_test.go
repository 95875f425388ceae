package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/upheld-sla/upheld/internal/golden"
)

// TestMain lets the test binary be the upheld command that scripts call.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"upheld": main})
}

// TestScripts runs testdata/*.txtar: each is a script with its files, named for
// the behaviour that it shows. With -update, cmp rewrites what was expected.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       golden.Updating(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exec-code": execCode, "exec-closed": execClosed, "exec-to": execTo, "ssh-keys": sshKeys, "prometheus": prometheusCommand(t), "alertmanager": alertmanagerCommand(t), "ruler": rulerCommand,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TMPDIR", env.WorkDir)
			return os.MkdirAll(env.WorkDir, 0o755)
		},
	})
}

// sshKeys is the script command "ssh-keys PRIVATE SIGNERS NAME": it makes a key pair, and
// writes the private key and a file of allowed signers with the public one.
func sshKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: ssh-keys PRIVATE SIGNERS NAME")
	}
	public, private, err := ed25519.GenerateKey(nil)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKey(private, "")
	ts.Check(err)
	key, err := ssh.NewPublicKey(public)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(block), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append([]byte(args[2]+" "), ssh.MarshalAuthorizedKey(key)...), 0o600))
}

// execCode is the script command "exec-code CODE PROGRAM ARGS...": it runs the
// program and demands exactly that exit code.
func execCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exec-code CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s did not run: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v exited with %d, not %d", args[1:], got, want)
	}
}

// execClosed is the script command "exec-closed CODE PROGRAM ARGS...": it runs the
// program with a standard output that nobody reads.
func execClosed(ts *testscript.TestScript, neg bool, args []string) {
	r, w, err := os.Pipe()
	ts.Check(err)
	ts.Check(r.Close())
	runWith(ts, w, args)
}

// execTo is the script command "exec-to FILE CODE PROGRAM ARGS...": it runs the
// program with its standard output in a file.
func execTo(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(args[0], os.O_WRONLY, 0)
	ts.Check(err)
	runWith(ts, f, args[1:])
}

func runWith(ts *testscript.TestScript, stdout *os.File, args []string) {
	defer stdout.Close()
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var stderr bytes.Buffer
	path := args[1]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, args[1])); err == nil {
			path = filepath.Join(dir, args[1])
			break
		}
	}
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), stdout, &stderr
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "TMPDIR="+ts.Getenv("TMPDIR"))
	err = cmd.Run()
	_, _ = ts.Stderr().Write(stderr.Bytes())
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Check(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%v exited with %d, not %d: %s", args[1:], got, want, stderr.String())
	}
}
