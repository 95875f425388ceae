package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// pipeline is a pipeline of others that runs upheld: its scripts, in order.
type pipeline struct {
	name    string
	scripts []string
}

// pipelines are those that we publish.
func pipelines(t *testing.T) []pipeline {
	t.Helper()
	var action struct {
		Runs struct {
			Steps []struct{ Name, Run string }
		}
	}
	decodeFile(t, "../../action.yml", &action)
	github := pipeline{name: "GitHub"}
	for _, s := range action.Runs.Steps {
		if s.Run != "" && s.Name != "build upheld" {
			github.scripts = append(github.scripts, s.Run)
		}
	}
	var template struct {
		Upheld struct{ Script []string }
	}
	decodeFile(t, "../../templates/upheld.yml", &template)
	return []pipeline{github, {"GitLab", template.Upheld.Script}}
}

// decodeFile decodes the last document of a file.
func decodeFile(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	if err := yaml.Unmarshal(documents[len(documents)-1], into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

const ciSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: web}
spec:
  serviceLevels:
    - {name: up, indicator: {probe: {http: "http://web.example/"}}, target: "99"}
`

// The scripts of each pipeline fail where they should, and only there.
func TestPipelinesOfOthers(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	for _, p := range pipelines(t) {
		t.Run(p.name, func(t *testing.T) {
			if len(p.scripts) != 2 {
				t.Fatalf("%d scripts", len(p.scripts))
			}
			c := newCIJob(t)
			c.env["DIRECTORY"], c.env["FLAGS"], c.env["FAIL"] = "generated", "--outputs=rules --rules.interval=30s", "true"
			c.want(p.scripts[0], 0, "")
			c.want(p.scripts[1], 3, "web web/up is new")
			c.env["FAIL"] = "false"
			c.want(p.scripts[1], 0, "web web/up is new")
			c.want("upheld generate $SPECS -o $DIRECTORY $FLAGS", 0, "created generated/rules/web.yaml")
			c.env["FAIL"] = "true"
			c.want(p.scripts[1], 0, "nothing would change")
			c.write("specs/web.yaml", strings.Replace(ciSpec, `"99"`, `"99.99"`, 1))
			c.want(p.scripts[0], 1, "warning")
			c.env["STRICT"] = "false"
			c.want(p.scripts[0], 0, "warning")
			c.write("specs/web.yaml", "apiVersion: upheld/v2\n")
			c.want(p.scripts[0], 1, "error")
			c.want(p.scripts[1], 1, "error")
		})
	}
}

// ciJob is a job in a folder of its own, with a specification.
type ciJob struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newCIJob(t *testing.T) *ciJob {
	t.Helper()
	j := &ciJob{t: t, dir: t.TempDir(), env: map[string]string{"SPECS": "specs/*.yaml", "STRICT": "true"}}
	j.env["RUNNER_TEMP"], j.env["GITHUB_STEP_SUMMARY"] = j.dir, filepath.Join(j.dir, "summary.md")
	j.write("specs/web.yaml", ciSpec)
	return j
}

func (j *ciJob) write(name, text string) {
	j.t.Helper()
	file := filepath.Join(j.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		j.t.Fatal(err)
	}
}

// want runs a script as runners do, and demands its exit code and a part of what it prints.
func (j *ciJob) want(script string, code int, words string) {
	j.t.Helper()
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = j.dir, os.Environ()
	for name, value := range j.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		j.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), words) {
		j.t.Errorf("exit code %d, want %d and %q in\n%s", got, code, words, out)
	}
}

// What the hooks call is there, with these flags.
func TestHooks(t *testing.T) {
	var hooks []struct {
		ID, Entry, Language string
		Args                []string
	}
	decodeFile(t, "../../.pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 2 {
		t.Fatalf("%d hooks", len(hooks))
	}
	for _, h := range hooks {
		j := newCIJob(t)
		code, words := 0, "nothing to complain about"
		if strings.Contains(h.Entry, "--diff") {
			code, words = 3, "web web/up is new"
		}
		j.want(h.Entry+" "+strings.Join(h.Args, " "), code, words)
	}
}
