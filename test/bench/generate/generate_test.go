//go:build unix

// Package generate measures what `upheld check` and `upheld generate` take for
// thousands of service levels. It builds and drives the program, and imports
// nothing of ours.
package generate

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const levels = 10_000

const head = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: %s}
spec:
  serviceLevels:
`

const level = `    - name: availability
      service: svc-%[1]d
      indicator: {events: {bad: 'http_requests_total{job="svc-%[1]d",code=~"5.."}', total: 'http_requests_total{job="svc-%[1]d"}'}}
      target: "99.9"
`

// oneFile is one agreement with every level; manyFiles is one level each.
func oneFile(b *testing.B, dir string) {
	var text bytes.Buffer
	fmt.Fprintf(&text, head, "huge")
	for i := range levels {
		fmt.Fprintf(&text, level, i)
	}
	write(b, filepath.Join(dir, "huge.yaml"), text.Bytes())
}

func manyFiles(b *testing.B, dir string) {
	for i := range levels {
		write(b, filepath.Join(dir, fmt.Sprintf("a-%d.yaml", i)), fmt.Appendf(fmt.Appendf(nil, head, fmt.Sprintf("a-%d", i)), level, i))
	}
}

func write(b *testing.B, name string, content []byte) {
	b.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkUpheld reports CPU seconds (user and system), the peak of memory and
// what was written, of the program itself. Files are limited to 64 open ones.
func BenchmarkUpheld(b *testing.B) {
	program := filepath.Join(b.TempDir(), "upheld")
	build := exec.Command("go", "build", "-o", program, "github.com/upheld-sla/upheld/cmd/upheld")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for _, input := range []struct {
		name string
		make func(*testing.B, string)
	}{{"one file", oneFile}, {"10000 files", manyFiles}} {
		specs := b.TempDir()
		input.make(b, specs)
		b.Run(input.name+"/check", func(b *testing.B) {
			for b.Loop() {
				measure(b, program, "check", specs)
			}
		})
		out := b.TempDir()
		b.Run(input.name+"/generate", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if err := os.RemoveAll(out); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				measure(b, program, "generate", specs, "-o", out)
			}
			b.ReportMetric(size(b, filepath.Join(out, "rules"))/1e6, "MB-rules")
			b.ReportMetric(size(b, filepath.Join(out, "dashboards"))/1e6, "MB-dashboards")
		})
		b.Run(input.name+"/generate again", func(b *testing.B) {
			for b.Loop() {
				measure(b, program, "generate", specs, "-o", out)
			}
		})
	}
}

func measure(b *testing.B, program string, args ...string) {
	b.Helper()
	quoted := `"` + strings.Join(append([]string{program}, args...), `" "`) + `"`
	cmd := exec.Command("sh", "-c", "ulimit -n 64; exec "+quoted)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", quoted, err, out[max(0, len(out)-2000):])
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
	b.ReportMetric(float64(usage.Maxrss)/1024, "MB-peak") // kilobytes on Linux
}

func size(b *testing.B, dir string) float64 {
	b.Helper()
	total := 0.
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += float64(info.Size())
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return total
}
