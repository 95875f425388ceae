package history_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/history"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/samples"
)

const rules = `groups:
  - name: shop
    query_offset: 30s
    rules:
      - {record: "job:requests:rate5m", expr: 'sum by (job) (rate(requests_total{job="shop"}[5m]))'}
      - {record: "job:errors:rate5m", expr: 'sum by (job) (rate(requests_total{job="shop",code=~"5.."}[10m] offset 1h))'}
      - {record: "job:errors:ratio", expr: 'job:errors:rate5m / job:requests:rate5m'}
      - {alert: Down, expr: 'max_over_time(up[2m:30s] offset 3m) == 0 unless ALERTS{alertname="Other"}'}
`

func files(text string) []replay.File { return []replay.File{{Name: "rules.yaml", Text: []byte(text)}} }

func TestReadsAreTheWidestSelectorsOfWhatIsNotRecorded(t *testing.T) {
	reads, err := history.Reads(files(rules))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range reads {
		got = append(got, fmt.Sprint(r, " ", r.Back))
	}
	want := []string{
		`{job="shop",__name__="requests_total"} 1h15m30s`, // an hour, ten minutes, what an instant looks back, and the offset
		`{__name__="up"} 10m30s`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRulesThatReadEverythingAreRefused(t *testing.T) {
	_, err := history.Reads(files(`groups: [{name: a, rules: [{record: x, expr: 'count({job="shop"})'}]}]`))
	want := `the rules read {job="shop"}, which names no metric: a past of all series cannot be read; give it a name`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// memory is a source of series as functions of time.
type memory struct {
	series map[string]func(t time.Time) float64 // NaN: no sample
	asked  []string
}

func (*memory) Name() string { return "memory" }

func (m *memory) Select(_ context.Context, matchers []*labels.Matcher, from, to int64) ([]samples.Series, error) {
	m.asked = append(m.asked, fmt.Sprintf("%s for %s", matchers[len(matchers)-1].Value, time.Duration(to-from)*time.Millisecond))
	var all []samples.Series
	for name, of := range m.series {
		l := parse(name)
		held := true
		for _, matcher := range matchers {
			held = held && matcher.Matches(l.Get(matcher.Name))
		}
		s := samples.Series{Labels: l}
		for t := from + (30_000-from%30_000)%30_000; held && t < to; t += 30_000 {
			if v := of(time.UnixMilli(t)); !math.IsNaN(v) {
				s.T, s.V = append(s.T, t), append(s.V, v)
			}
		}
		if len(s.T) > 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

func parse(name string) labels.Labels {
	metric, rest, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
	b := labels.NewBuilder(labels.FromStrings(labels.MetricName, metric))
	for pair := range strings.SplitSeq(rest, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			b.Set(k, v)
		}
	}
	return b.Labels()
}

var begin = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// shop is a day in which the server was away from 10:00 to 10:40.
func shop() *memory {
	away := func(of func(time.Time) float64) func(time.Time) float64 {
		return func(t time.Time) float64 {
			if since := t.Sub(begin); since >= 10*time.Hour && since < 10*time.Hour+40*time.Minute {
				return math.NaN()
			}
			return of(t)
		}
	}
	return &memory{series: map[string]func(time.Time) float64{
		"requests_total{job=shop,code=200}":  away(func(t time.Time) float64 { return t.Sub(begin).Seconds() * 9 }),
		"requests_total{job=shop,code=500}":  away(func(t time.Time) float64 { return t.Sub(begin).Seconds() }),
		"requests_total{job=other,code=200}": away(func(t time.Time) float64 { return 1 }),
		"up{job=shop}":                       away(func(time.Time) float64 { return 1 }),
	}}
}

func load(t *testing.T) *history.Past {
	t.Helper()
	reads, err := history.Reads(files(rules))
	if err != nil {
		t.Fatal(err)
	}
	source := shop()
	past, err := history.Load(context.Background(), source, reads, begin, begin.Add(24*time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range source.asked {
		if strings.HasSuffix(asked, "h0m0s") && !strings.HasSuffix(asked, " 6h0m0s") {
			t.Errorf("%s were asked for at once", asked)
		}
	}
	return past
}

func TestLoadReadsWhatRulesReadAndFindsHoles(t *testing.T) {
	past := load(t)
	if past.Series != 3 {
		t.Errorf("%d series were read, want 3", past.Series)
	}
	want := []replay.Span{{From: begin.Add(10 * time.Hour), To: begin.Add(10*time.Hour + 40*time.Minute)}}
	if diff := cmp.Diff(want, past.Holes); diff != "" {
		t.Error(diff)
	}
}

// A past that ends within a minute, and with a hole.
func TestHolesEndWithThePast(t *testing.T) {
	end := begin.Add(10*time.Hour + 20*time.Minute + 30*time.Second)
	reads, err := history.Reads(files(rules))
	if err != nil {
		t.Fatal(err)
	}
	past, err := history.Load(context.Background(), shop(), reads, begin, end, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]replay.Span{{From: begin.Add(10 * time.Hour), To: end}}, past.Holes); diff != "" {
		t.Error(diff)
	}
	if _, err := past.World.Run(context.Background(), replay.Plan{Files: files(rules), From: begin, To: end, Away: past.Holes}); err != nil {
		t.Error(err)
	}
}

func run(t *testing.T) *history.Past {
	t.Helper()
	past := load(t)
	result, err := past.World.Run(context.Background(), replay.Plan{Files: files(rules), From: begin, To: begin.Add(24 * time.Hour), Away: past.Holes})
	if err != nil || len(result.Errors) > 0 {
		t.Fatal(err, result.Errors)
	}
	return past
}

// A Prometheus that opens the blocks has what was recorded, sample by sample.
func TestBlocksHoldWhatWasRecorded(t *testing.T) {
	past := run(t)
	dir := filepath.Join(t.TempDir(), "past")
	written, err := past.Blocks(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = math.MaxInt64
	db, err := tsdb.Open(dir, nil, nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	q, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	got := map[string]int{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, ".+"))
	stored := 0
	for set.Next() {
		points := pointsOf(set.At())
		got[set.At().Labels().String()] = len(points)
		stored += len(points)
		want := pointsOf(recorded(past, set.At().Labels()))
		if diff := cmp.Diff(want, points); diff != "" {
			t.Errorf("%s (-recorded +stored): %.500s", set.At().Labels(), diff)
		}
	}
	if len(got) != 3 || stored != written || written < 3*24*55 {
		t.Errorf("%d samples were written and %d stored, of %v; want three series of a day", written, stored, got)
	}
}

func recorded(past *history.Past, l labels.Labels) storage.Series {
	for _, s := range past.World.Recorded() {
		if labels.Equal(s.Labels(), l) {
			return s
		}
	}
	return nil
}

// pointsOf are samples as text, because a staleness marker equals nothing.
func pointsOf(s storage.Series) []string {
	if s == nil {
		return nil
	}
	var all []string
	it := s.Iterator(nil)
	for it.Next() != chunkenc.ValNone {
		t, v := it.At()
		all = append(all, fmt.Sprintf("%d %x", t, math.Float64bits(v)))
	}
	return all
}

func TestOpenMetricsHoldsWhatWasRecorded(t *testing.T) {
	past := run(t)
	var text strings.Builder
	written, err := past.OpenMetrics(&text)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if last := all[len(all)-1]; last != "# EOF" || len(all) < 3*24*55 || strings.Contains(text.String(), "ALERTS") {
		t.Errorf("%d lines of %d samples that end with %q", len(all), written, last)
	}
	if !strings.Contains(text.String(), "\n"+`job:requests:rate5m{job="shop"} 10 `) {
		t.Errorf("no rate of 10 a second in\n%.300s", text.String())
	}
	if bits := fmt.Sprint(math.Float64frombits(value.StaleNaN)); strings.Contains(text.String(), bits) {
		t.Error("staleness markers are text")
	}
}
