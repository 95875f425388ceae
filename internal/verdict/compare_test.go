package verdict_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func outageOf(from, to, counted string) verdict.Outage {
	return verdict.Outage{Start: instant(from), End: instant(to), Counted: counted}
}

func reportOf(achieved string, outages ...verdict.Outage) *verdict.Report {
	return &verdict.Report{
		Agreement: "shop", Verdict: verdict.Met,
		Levels: []verdict.Level{{Service: "web", SLO: "up", Verdict: verdict.Met, Target: "99.9", Achieved: achieved, Outages: outages}},
	}
}

func TestCompareNamesWhatDiffers(t *testing.T) {
	kept := reportOf("99.95", outageOf("2026-10-04T08:00:00Z", "2026-10-04T08:10:00Z", "600"), outageOf("2026-10-09T08:00:00Z", "2026-10-09T08:01:00Z", "60"))
	tests := []struct {
		name  string
		again *verdict.Report
		edge  time.Duration
		want  []string // what and where
	}{
		{"equal", reportOf("99.95", kept.Levels[0].Outages...), 0, nil},
		{"an outage is missing", reportOf("99.95", kept.Levels[0].Outages[1]), 0, []string{"web/up outage 2026-10-04T08:00:00Z"}},
		{"an outage is longer", reportOf("99.95", kept.Levels[0].Outages[0], outageOf("2026-10-09T08:00:00Z", "2026-10-09T08:02:00Z", "120")), 0, []string{"web/up outage 2026-10-09T08:00:00Z"}},
		{"an outage is longer within the tolerance", reportOf("99.945", kept.Levels[0].Outages[0], outageOf("2026-10-09T08:00:00Z", "2026-10-09T08:02:00Z", "120")), time.Minute, nil},
		{"an outage is longer than the tolerance", reportOf("99.945", kept.Levels[0].Outages[0], outageOf("2026-10-09T08:00:00Z", "2026-10-09T08:03:00Z", "180")), time.Minute, []string{"web/up outage 2026-10-09T08:00:00Z"}},
		{"a short outage that only one has is within the tolerance", reportOf("99.95", kept.Levels[0].Outages[0]), time.Minute, nil},
		{"a long outage that only one has is not", reportOf("99.95", kept.Levels[0].Outages[1]), time.Minute, []string{"web/up outage 2026-10-04T08:00:00Z"}},
		{"another achieved value", reportOf("99.93", kept.Levels[0].Outages...), 0, []string{"web/up achieved 99.95"}},
		{"another achieved value beyond the tolerance", reportOf("99.93", kept.Levels[0].Outages...), time.Minute, []string{"web/up achieved 99.95"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tolerance := verdict.Tolerance{Edge: test.edge}
			if test.edge > 0 {
				tolerance.Points = sla.MustDecimal("0.01")
			}
			var got []string
			for _, d := range verdict.Compare(kept, test.again, tolerance) {
				first, _, _ := strings.Cut(d.Kept, " ")
				got = append(got, d.Level+" "+d.What+" "+first)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func evidenceOf(bad ...float64) verdict.Evidence {
	start := instant("2026-10-01T00:00:00Z")
	var stretches []verdict.Stretch
	for i, b := range bad {
		from := start.Add(time.Duration(i) * time.Minute)
		stretches = append(stretches, verdict.Stretch{From: from, To: from.Add(time.Minute), State: verdict.Known, Total: 4, Bad: b})
	}
	return verdict.Evidence{Levels: []verdict.LevelEvidence{{
		Level:  sla.ID{SLA: "shop", Service: "web", SLO: "up"},
		Groups: []verdict.GroupEvidence{{Places: []verdict.Place{{Labels: map[string]string{"location": "fra"}, Stretches: stretches}}}},
		Weight: []verdict.Weight{{From: start, To: start.Add(time.Minute), Share: sla.NewDecimal(1, 3)}},
	}}}
}

func TestCompareEvidenceNamesTheStretchThatDiffers(t *testing.T) {
	kept := evidenceOf(0, 0, 1, 0)
	if found := verdict.CompareEvidence(kept, evidenceOf(0, 0, 1, 0)); len(found) > 0 {
		t.Fatalf("equal evidence differs: %v", found)
	}
	for i := range 4 {
		altered := []float64{0, 0, 1, 0}
		altered[i] = 2
		found := verdict.CompareEvidence(kept, evidenceOf(altered...))
		at := instant("2026-10-01T00:00:00Z").Add(time.Duration(i) * time.Minute).Format(time.RFC3339)
		if len(found) != 1 || found[0].What != `measured at location="fra"` || !strings.HasPrefix(found[0].Again, at) {
			t.Errorf("with minute %d altered: %v", i, found)
		}
	}
	if found := verdict.CompareEvidence(kept, evidenceOf(0, 0, 1)); len(found) != 1 || found[0].Again != "" {
		t.Errorf("with the last minute gone: %v", found)
	}
}

func TestEvidenceIsReadBackWithItsDigest(t *testing.T) {
	kept := evidenceOf(0, 0.5, 1)
	var file bytes.Buffer
	if err := verdict.WriteEvidence(&file, kept); err != nil {
		t.Fatal(err)
	}
	packed := bytes.Clone(file.Bytes())
	again, err := verdict.ReadEvidence(&file)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := kept.Digest()
	b, _ := again.Digest()
	if a == "" || a != b {
		t.Errorf("the digest is %s, and %s when read back", a, b)
	}
	if found := verdict.CompareEvidence(kept, again); len(found) > 0 {
		t.Errorf("read back it differs: %v", found)
	}
	if got := again.Levels[0].Weight[0].Share; got.Cmp(sla.NewDecimal(1, 3)) != 0 {
		t.Errorf("the weight of a third is read as %s", got)
	}
	for _, broken := range [][]byte{nil, []byte("{}"), packed[:len(packed)/2], bytes.Repeat([]byte{0}, 100)} {
		if _, err := verdict.ReadEvidence(bytes.NewReader(broken)); err == nil {
			t.Errorf("%d broken bytes are read as evidence", len(broken))
		}
	}
}
