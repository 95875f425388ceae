//go:build unix

package spec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const smallSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: %s}
spec: {serviceLevels: [{name: up, indicator: {probe: {tcp: "a.example:443"}}, target: "99"}]}
`

func put(t *testing.T, dir, path, content string) string {
	t.Helper()
	name := filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func loads(t *testing.T, want int, path string) sla.Findings {
	t.Helper()
	agreements, findings := spec.Load(path)
	if len(agreements) != want {
		t.Errorf("%s: %d agreements, want %d: %v", path, len(agreements), want, findings)
	}
	return findings
}

// A directory's symbolic links are followed inside of it, as a mounted ConfigMap
// has them, and never out of it; special files are not opened.
func TestDirectoryIsNotLeft(t *testing.T) {
	root := t.TempDir()
	secret := put(t, root, "secret.yaml", "password=hunter2\n")
	dir := filepath.Join(root, "specs")
	put(t, dir, "..2026_11_29/shop.yaml", fmt.Sprintf(smallSpec, "shop"))
	for link, to := range map[string]string{"..data": "..2026_11_29", "shop.yaml": "..data/shop.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{dir, dir + "/", filepath.Join(dir, "*.yaml")} {
		if findings := loads(t, 1, path); len(findings) > 0 {
			t.Errorf("%s: %v", path, findings)
		}
	}
	if err := os.Symlink(secret, filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../..", filepath.Join(dir, "up")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "*.yaml")} {
		findings := loads(t, 1, path)
		text := fmt.Sprintf("%+v", findings)
		for _, want := range []string{"a.yaml: error: is a symbolic link to outside of " + dir, "pipe.yaml: error: is no regular file"} {
			if !strings.Contains(findings.Error(), want) {
				t.Errorf("%s: no finding %q in %v", path, want, findings)
			}
		}
		if len(findings) != 2 || strings.Contains(text, "hunter2") {
			t.Errorf("%s: findings %s", path, text)
		}
	}
}

// A file that is no mapping may be another one than was meant: nothing of it is
// shown. One that is a specification with a mistake is.
func TestContentOfOtherFilesIsNotShown(t *testing.T) {
	dir := t.TempDir()
	for i, content := range []string{
		"HOME=/root\x00TOKEN=hunter2\x00", "root:hunter2:0:0:root:/root:/bin/bash\n", "hunter2\n", "- hunter2\n", "hunter2: *hunter2 [\n hunter2",
		"-----BEGIN PRIVATE KEY-----\nhunter2: hunter2\n", "*hunter2\n", "!hunter2!x y\n", "'hunter2", "hunter2\xff\n", "\"hunter2\": hunter2: hunter2",
		"machine x login y password hunter2\n", "TOKEN=hunter2: x: y\n", "42hunter2\n", "2026-11-29\n",
	} {
		mapping := strings.HasPrefix(content, "hunter2:") || strings.HasPrefix(content, `"`)
		file := put(t, dir, fmt.Sprintf("%d.yaml", i), content)
		findings := spec.WithSnippets(loads(t, 0, file))
		if len(findings) == 0 || !mapping && strings.Contains(fmt.Sprintf("%+v", findings), "hunter2") {
			t.Errorf("%q: findings %+v", content, findings)
		}
	}
	for _, content := range []string{
		"apiVersion upheld/v1\nkind: x: y\n", "\ufeff# a comment\n---\napiVersion: x: y\n", "{apiVersion: [\n", "%YAML 1.2\n---\nmetadata:\n\tname: a\n",
	} {
		findings := loads(t, 0, put(t, dir, "mistake.yaml", content))
		if len(findings) != 1 || findings[0].Snippet == "" {
			t.Errorf("%q: findings %+v", content, findings)
		}
	}
}

// Specifications that a directory has in its subdirectories are not read, and
// that is said; other YAML files there are nobody's business.
func TestSpecificationsInSubdirectoriesAreNamed(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "team/k8s/deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n")
	put(t, dir, "a.yaml", fmt.Sprintf(smallSpec, "a"))
	put(t, dir, ".git/x.yaml", fmt.Sprintf(smallSpec, "x"))
	if findings := loads(t, 1, dir); len(findings) > 0 {
		t.Errorf("findings %v", findings)
	}
	for _, name := range []string{"b", "c", "d", "e"} {
		put(t, dir, "team/deep/"+name+".yaml", fmt.Sprintf(smallSpec, name))
	}
	findings := loads(t, 1, dir)
	want := dir + ": warning: subdirectories are not searched, and there are specifications in them: " +
		filepath.Join(dir, "team/deep/b.yaml") + ", " + filepath.Join(dir, "team/deep/c.yaml") + ", " + filepath.Join(dir, "team/deep/d.yaml") + " and more; name the directories too"
	if !strings.HasPrefix(findings.Error(), want) {
		t.Errorf("findings %v", findings)
	}
	if findings := loads(t, 0, filepath.Join(dir, "team")); !findings.HasErrors() || len(findings) != 1 {
		t.Errorf("findings %v", findings)
	}
}
