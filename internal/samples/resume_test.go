package samples_test

import (
	"context"
	stderrors "errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// failing is a source that fails at the n-th question, and counts them.
type failing struct {
	samples.Source
	asked, at int
}

var errBroken = stderrors.New("the server is gone")

func (f *failing) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]samples.Series, error) {
	if f.asked++; f.asked == f.at {
		return nil, errBroken
	}
	return f.Source.Select(ctx, matchers, from, to)
}

// A run that was interrupted asks for what is missing alone, and comes to the same
// evidence as one that was not.
func TestInterruptedRunGoesOn(t *testing.T) {
	h := &history{}
	for _, outcome := range []string{"good", "bad"} {
		n := 0.0
		h.series(`upheld_probe_results_total{job="upheld",instance="a:1",sla="shop",service="shop",slo="up",target="https://shop.example/",location="a",outcome="`+outcome+`"}`, time.Minute, func(at time.Duration) float64 {
			if down := at > time.Hour && at < 2*time.Hour; down == (outcome == "bad") {
				n++
			}
			return n
		})
	}
	h.series(`http_requests_total{job="api",code="200"}`, time.Minute, func(at time.Duration) float64 {
		if at == 90*time.Minute {
			return math.NaN()
		}
		return 100 * at.Minutes()
	})
	h.series(`up{job="api",instance="a"}`, time.Minute, func(time.Duration) float64 { return 1 })
	a := agreement(t, `    - {name: up, indicator: {probe: {http: "https://shop.example/", interval: 1m}}, target: "99"}
    - {name: errors, indicator: {events: {bad: 'http_requests_total{code="500"}', total: 'http_requests_total'}}, target: "99"}
    - {name: held, indicator: {condition: {expr: 'rate(http_requests_total[5m]) > 0'}}, target: "99"}
`)
	load := func(from samples.Source) (verdict.Evidence, error) {
		return samples.Load(context.Background(), from, samples.Request{Agreement: a, From: start, To: until})
	}
	plain := &failing{Source: h.source(t)}
	want, err := load(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, 3, plain.asked / 2, plain.asked} {
		dir := filepath.Join(t.TempDir(), "state")
		first, err := samples.OpenRun(dir, until, "this")
		if err != nil {
			t.Fatal(err)
		}
		source := &failing{Source: plain.Source, at: at}
		if _, err := load(first.Source(source)); !stderrors.Is(err, errBroken) {
			t.Fatalf("question %d: %v", at, err)
		}
		if at == 3 { // a piece that is damaged is asked for again
			pieces, _ := filepath.Glob(filepath.Join(dir, "*.piece"))
			data, err := os.ReadFile(pieces[0])
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)-1] ^= 1
			if err := os.WriteFile(pieces[0], data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		second, err := samples.OpenRun(dir, until.Add(time.Hour), "this")
		if err != nil {
			t.Fatal(err)
		}
		if !second.Now().Equal(until) {
			t.Errorf("the run goes on as of %s, and began at %s", second.Now(), until)
		}
		source = &failing{Source: plain.Source}
		got, err := load(second.Source(source))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := digest(t, want), digest(t, got); a != b {
			t.Errorf("after an interruption at question %d the evidence differs: %s, %s", at, a, b)
		}
		kept := first.Kept
		if at == 3 {
			kept--
		}
		if source.asked+second.Reused != plain.asked || second.Reused < kept {
			t.Errorf("interrupted at question %d: %d were kept, %d reused, %d asked of %d", at, kept, second.Reused, source.asked, plain.asked)
		}
		if err := second.Done(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); !stderrors.Is(err, os.ErrNotExist) {
			t.Errorf("after the end there is still %s: %v", dir, err)
		}
	}
}

func digest(t *testing.T, e verdict.Evidence) string {
	t.Helper()
	sum, err := e.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestFolderOfAnotherRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := samples.OpenRun(dir, until, "october"); err != nil {
		t.Fatal(err)
	}
	if _, err := samples.OpenRun(dir, until, "november"); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("another run: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := samples.OpenRun(dir, until, "october"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := samples.OpenRun(other, until, "october"); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a folder with other files: %v", err)
	}
}
