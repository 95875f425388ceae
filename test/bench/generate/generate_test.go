//go:build unix

// Package generate measures what `upheld check` and `upheld generate` cost for
// thousands of service levels. It builds and runs the program, and imports nothing of
// ours.
package generate

import (
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

// kinds are indicators of level number %[1]d, of the metrics of team %[2]d.
var kinds = []string{
	`{events: {bad: 'http_requests_total{job="svc-%[1]d",code=~"5.."}', total: 'http_requests_total{job="svc-%[1]d"}'}}`,
	`{latency: {histogram: 'team%[2]d_request_duration_seconds{job="svc-%[1]d"}', threshold: 300ms}}`,
	`{condition: {expr: 'team%[2]d_queue_age_seconds{job="svc-%[1]d"} < %[2]d'}}`,
	`{events: {good: 'team%[2]d_jobs_total{queue="q-%[1]d",result="ok"}', total: 'team%[2]d_jobs_total{queue="q-%[1]d"}'}}`,
	`{ratio: {bad: 'mesh:errors:ratio{to="svc-%[1]d"}'}}`,
	`{probe: {http: 'https://svc-%[1]d.example/', interval: 15s}}`,
	`{blackbox: {success: 'probe_success{instance="svc-%[1]d"}'}}`,
}

var periods = []string{"30d", "7d", "month", "28d", "[30d, month]", "90d", "quarter"}

// appendLevel adds a level. Levels differ in kind, queries, target (500 of them, from
// 95 to 99.99 %), period and thresholds of alerts, so that hardly any two have an
// expression in common except for names. One in 28 has groups.
func appendLevel(text []byte, i int) []byte {
	target := float64(9500+i*37%500) / 100
	text = fmt.Appendf(text, "    - name: availability\n      service: svc-%d\n      target: \"%g\"\n      period: %s\n", i, target, periods[i/7%len(periods)])
	if i%7 == 0 && i%4 == 0 {
		text = append(text, "      groupBy: [tenant]\n"...)
	}
	if i%7 == 0 || i%7 == 3 {
		text = fmt.Appendf(text, "      alerting: {minimumBadEvents: %d}\n", 1+i%11)
	}
	return fmt.Appendf(text, "      indicator: "+kinds[i%7]+"\n", i, i%97+3)
}

// files writes n agreements that share the levels.
func files(n int) func(b *testing.B, dir string) {
	return func(b *testing.B, dir string) {
		for f := range n {
			text := fmt.Appendf(nil, head, fmt.Sprintf("a-%d", f))
			for i := f * levels / n; i < (f+1)*levels/n; i++ {
				text = appendLevel(text, i)
			}
			write(b, filepath.Join(dir, fmt.Sprintf("a-%d.yaml", f)), text)
		}
	}
}

func write(b *testing.B, name string, content []byte) {
	b.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		b.Fatal(err)
	}
}

// composites writes 1,000 composites of 20 components each, from 2,000 levels.
func composites(b *testing.B, dir string) {
	const components, of = 2_000, 20
	text := fmt.Appendf(nil, head, "composites")
	for i := range components {
		text = fmt.Appendf(text, "    - {name: availability, service: svc-%d, target: \"99.9\", indicator: "+kinds[0]+"}\n", i)
	}
	for i := range 1_000 {
		members := make([]string, of)
		for j := range members {
			members[j] = fmt.Sprintf("svc-%d/availability", (i*of+j)%components)
		}
		text = fmt.Appendf(text, "    - {name: whole, service: whole-%d, target: \"97\", indicator: {composite: {all: [%s]}}}\n", i, strings.Join(members, ", "))
	}
	write(b, filepath.Join(dir, "composites.yaml"), text)
}

// BenchmarkUpheld reports CPU seconds of user and system, the peak of memory and the
// output of the program itself. It may have at most 64 files open.
//
// Every run writes to a new folder, and nothing is removed before the end: for minutes
// after files were deleted, ext4 searches past their inodes for each new one, which
// takes several times as long as everything else.
func BenchmarkUpheld(b *testing.B) {
	program := filepath.Join(b.TempDir(), "upheld")
	build := exec.Command("go", "build", "-o", program, "github.com/upheld-sla/upheld/cmd/upheld")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for _, input := range []struct {
		name string
		make func(*testing.B, string)
	}{{"100 files", files(100)}, {"one file", files(1)}, {"10000 files", files(levels)}, {"composites", composites}} {
		specs, outs := b.TempDir(), b.TempDir()
		input.make(b, specs)
		b.Run(input.name+"/check", func(b *testing.B) {
			for b.Loop() {
				measure(b, program, "check", specs)
			}
		})
		out, runs := "", 0
		b.Run(input.name+"/generate", func(b *testing.B) {
			for b.Loop() {
				runs++
				out = filepath.Join(outs, fmt.Sprint(runs))
				measure(b, program, "generate", specs, "-o", out)
			}
			b.ReportMetric(size(b, filepath.Join(out, "rules"))/1e6, "MB-rules")
			b.ReportMetric(size(b, filepath.Join(out, "dashboards"))/1e6, "MB-dashboards")
		})
		b.Run(input.name+"/generate rules only", func(b *testing.B) { // all that other generators write
			for b.Loop() {
				runs++
				measure(b, program, "generate", specs, "-o", filepath.Join(outs, fmt.Sprint(runs)), "--outputs=rules")
			}
		})
		b.Run(input.name+"/generate again", func(b *testing.B) {
			for b.Loop() {
				measure(b, program, "generate", specs, "-o", out)
			}
		})
		b.Run(input.name+"/generate --verify", func(b *testing.B) {
			for b.Loop() {
				measure(b, program, "generate", specs, "-o", out, "--verify")
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
	b.ReportMetric(cmd.ProcessState.UserTime().Seconds(), "user-s")
	b.ReportMetric(cmd.ProcessState.SystemTime().Seconds(), "system-s")
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
