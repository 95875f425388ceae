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

// mixed are 100 agreements of 100 levels each, of which few are alike: six kinds
// of indicator, six targets, five periods, and groups.
func mixed(b *testing.B, dir string) {
	kinds := []string{
		`{events: {bad: 'http_requests_total{job="svc-%[1]d",code=~"5.."}', total: 'http_requests_total{job="svc-%[1]d"}'}}`,
		`{latency: {histogram: 'http_request_duration_seconds{job="svc-%[1]d"}', threshold: 300ms}}`,
		`{condition: {expr: 'queue_age_seconds{job="svc-%[1]d"} < 60'}}`,
		`{ratio: {bad: 'mesh:errors:ratio{to="svc-%[1]d"}'}}`,
		`{probe: {http: 'https://svc-%[1]d.example/', interval: 15s}}`,
		`{blackbox: {success: 'probe_success{instance="svc-%[1]d"}'}}`,
	}
	targets := []string{"95", "99", "99.5", "99.9", "99.95", "99.99"}
	periods := []string{"30d", "7d", "month", "[30d, month]", "90d"}
	for agreement := range 100 {
		text := fmt.Appendf(nil, head, fmt.Sprintf("a-%d", agreement))
		for i := agreement * levels / 100; i < (agreement+1)*levels/100; i++ {
			text = fmt.Appendf(text, "    - name: availability\n      service: svc-%d\n      target: %q\n      period: %s\n", i, targets[i/7%6], periods[i/11%5])
			if i%6 == 0 && i%4 == 0 {
				text = append(text, "      groupBy: [tenant]\n"...)
			}
			text = fmt.Appendf(text, "      indicator: "+kinds[i%6]+"\n", i)
		}
		write(b, filepath.Join(dir, fmt.Sprintf("a-%d.yaml", agreement)), text)
	}
}

// composites are 1,000 of 20 components each, of 2,000 levels.
func composites(b *testing.B, dir string) {
	const components, of = 2_000, 20
	text := fmt.Appendf(nil, head, "composites")
	for i := range components {
		text = fmt.Appendf(text, level, i)
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

// BenchmarkUpheld reports CPU seconds of user and system, the peak of memory and
// what was written, of the program itself. Files are limited to 64 open ones.
//
// Every run writes to a folder that was not there before, and nothing is removed
// before the end: for minutes after files were deleted ext4 searches past their
// inodes for each new one, which takes several times as long as all the rest.
func BenchmarkUpheld(b *testing.B) {
	program := filepath.Join(b.TempDir(), "upheld")
	build := exec.Command("go", "build", "-o", program, "github.com/upheld-sla/upheld/cmd/upheld")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for _, input := range []struct {
		name string
		make func(*testing.B, string)
	}{{"one file", oneFile}, {"10000 files", manyFiles}, {"mixed", mixed}, {"composites", composites}} {
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
		b.Run(input.name+"/generate rules only", func(b *testing.B) { // all that others write
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
