package samples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/samples"
)

// FuzzReadFiles reads any bytes as a file of samples: they are refused with a place, or
// every series has its samples in order of time and can be read again in parts.
func FuzzReadFiles(f *testing.F) {
	const whole = "# TYPE up gauge\nup{job=\"a\"} 1 1790812800\nup{job=\"a\"} 0 1790812815.5 # {trace=\"x\"} 1\nup NaN 1790812800\n# EOF\n"
	for _, text := range []string{
		whole, whole[:len(whole)/2], strings.ReplaceAll(whole, " 17", " 0x17"), strings.ReplaceAll(whole, "\n", "\r\n"), strings.ReplaceAll(whole, "# EOF\n", ""),
		"up 1 1790812800000\n", "up{a=\"\\\"}\"} +Inf 1790812800000\nup 1e400 1790812800000\n", "{\"a b\",c=\"d\"} 1 1790812800\n# EOF", "up 1 1e300\n", "up{} 1 -5\n", "\x00", "", "# EOF",
	} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(dir, "samples.om")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		from, err := samples.ReadFiles(name)
		if err != nil {
			if !strings.HasPrefix(err.Error(), name) {
				t.Errorf("the error does not begin with the file: %v", err)
			}
			return
		}
		all := selected(t, from, 0, 1<<52)
		if len(all) == 0 {
			t.Fatal("there are neither samples nor an error")
		}
		for i, s := range all {
			if len(s.T) == 0 || len(s.T) != len(s.V) {
				t.Fatalf("%s has %d times and %d values", s.Labels, len(s.T), len(s.V))
			}
			for k := 1; k < len(s.T); k++ {
				if s.T[k] <= s.T[k-1] {
					t.Fatalf("%s is not in order of time", s.Labels)
				}
			}
			if i > 0 && labels.Compare(all[i-1].Labels, s.Labels) >= 0 {
				t.Fatalf("%s is not in order, or there twice", s.Labels)
			}
		}
		middle := all[0].T[len(all[0].T)/2]
		if got := count(selected(t, from, 0, middle)) + count(selected(t, from, middle, 1<<52)); got != count(all) {
			t.Errorf("in two parts there are %d samples, and %d in one", got, count(all))
		}
	})
}

func selected(t *testing.T, from samples.Source, first, last int64) []samples.Series {
	t.Helper()
	all, err := from.Select(t.Context(), everyLabel, first, last)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// everyLabel matches series without a name, too.
var everyLabel = []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".*")}

func count(all []samples.Series) int {
	n := 0
	for _, s := range all {
		n += len(s.T)
	}
	return n
}
