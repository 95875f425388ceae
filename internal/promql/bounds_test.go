package promql

import (
	"strconv"
	"testing"
)

// A bound is matched as the text format of clients in Go, Python and Java writes
// it, and as Prometheus writes it since version 3.
func TestBoundsInEverySpelling(t *testing.T) {
	for v, texts := range map[float64][]string{
		0.3:     {"0.3"},
		1:       {"1", "1.0"},
		5000:    {"5000", "5000.0"},
		1e6:     {"1e+06", "1000000", "1000000.0"},
		2.5e7:   {"2.5e+07", "25000000", "25000000.0", "2.5E7"},
		0.00005: {"5e-05", "0.00005", "5.0E-5"},
	} {
		for _, text := range texts {
			if m := Bound("le", v); !m.matcher.Matches(text) {
				t.Errorf("%s does not match %q", m.matcher, text)
			}
			e, err := Parse(`h_bucket{le="` + text + `",a="1"}`)
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range texts {
				if s := e.Reads()[0]; !s.Matches(Metric{"__name__": "h_bucket", "le": other, "a": "1"}) || s.Matches(Metric{"__name__": "h_bucket", "le": other, "a": "1.0"}) {
					t.Errorf("le=%q is read as %s, which is not %q", text, e, other)
				}
			}
		}
		if m := Bound("le", v); m.matcher.Matches(strconv.FormatFloat(2*v, 'g', -1, 64)) || m.matcher.Matches("+Inf") {
			t.Errorf("%s matches another bound", m.matcher)
		}
	}
}

// What a user wrote of other labels, and what is no number, stays as it is.
func TestOnlyNumbersAreRespelled(t *testing.T) {
	for text, want := range map[string]string{
		`rate(h_bucket{le="5000"}[5m]) < 1`: `rate(h_bucket{le=~"5000(\\.0)?"}[5m]) < 1`,
		`h_bucket{le!="5000.0"}`:            `h_bucket{le!~"5000(\\.0)?"}`,
		`h_bucket{le="0.30"}`:               `h_bucket{le=~"0\\.3|0\\.30"}`,
		`h{quantile="1"}`:                   `h{quantile=~"1(\\.0)?"}`,
		`h_bucket{le="+Inf"}`:               `h_bucket{le="+Inf"}`,
		`h_bucket{le="0.3"}`:                `h_bucket{le="0.3"}`,
		`h_bucket{le=~"5000|1"}`:            `h_bucket{le=~"5000|1"}`,
		`h_bucket{code="200"}`:              `h_bucket{code="200"}`,
		`h_bucket{le=""}`:                   `h_bucket{le=""}`,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.String(); got != want {
			t.Errorf("%s is read as %s, want %s", text, got, want)
		}
		if _, err := e.Prove(); err != nil {
			t.Error(err)
		}
	}
}
