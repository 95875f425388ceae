package samples

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told are increments of the first column as text.
func told(all []increment) []string {
	var lines []string
	for _, i := range all {
		line := fmt.Sprintf("%d-%d %g", i.from/second, i.to/second, i.d[0])
		if i.gap {
			line += " gap"
		}
		if i.restart {
			line += " restart"
		}
		lines = append(lines, line)
	}
	return lines
}

// increments are those of samples of two columns: seconds, first, second.
func increments(rows ...[3]float64) []increment {
	var d differences
	var all []increment
	emit := func(i increment) { all = append(all, i) }
	for _, r := range rows {
		d.add(row{t: int64(r[0]) * second, v: [columns]float64{r[1], r[2], math.NaN(), math.NaN()}}, emit)
	}
	d.rest(emit)
	return all
}

func TestDifferencesAreExact(t *testing.T) {
	for name, c := range map[string]struct {
		rows [][3]float64
		want []string
	}{
		"one sample": {[][3]float64{{0, 5}}, nil},
		"two":        {[][3]float64{{0, 5}, {15, 7}}, []string{"0-15 2"}},
		"a restart":  {[][3]float64{{0, 5}, {15, 7}, {30, 3}}, []string{"0-15 2", "15-30 3 restart"}},
		"a restart that the other counter shows": {
			[][3]float64{{0, 5, 100}, {15, 6, 110}, {30, 7, 4}},
			[]string{"0-15 1", "15-30 7 restart"},
		},
		"not in order": {[][3]float64{{0, 5}, {15, 7}, {15, 9}, {10, 1}, {30, 8}}, []string{"0-15 2", "15-30 1"}},
		"two intervals are no gap, and three are": {
			[][3]float64{{0, 0}, {15, 1}, {30, 2}, {45, 3}, {60, 4}, {75, 5}, {105, 7}, {150, 10}, {165, 11}},
			[]string{"0-15 1", "15-30 1", "30-45 1", "45-60 1", "60-75 1", "75-105 2", "105-150 3 gap", "150-165 1"},
		},
		"a gap at the beginning": {
			[][3]float64{{0, 0}, {600, 40}, {615, 41}, {630, 42}, {645, 43}, {660, 44}},
			[]string{"0-600 40 gap", "600-615 1", "615-630 1", "630-645 1", "645-660 1"},
		},
		"another interval": {
			[][3]float64{{0, 0}, {15, 1}, {30, 2}, {45, 3}, {60, 4}, {75, 5}, {90, 6}, {105, 7}, {120, 8}, {135, 9}, {195, 13}, {255, 17}, {315, 21}, {375, 25}, {435, 29}, {495, 33}, {555, 37}},
			[]string{
				"0-15 1", "15-30 1", "30-45 1", "45-60 1", "60-75 1", "75-90 1", "90-105 1", "105-120 1", "120-135 1",
				"135-195 4 gap", "195-255 4 gap", "255-315 4 gap", "315-375 4 gap", "375-435 4 gap", "435-495 4", "495-555 4",
			},
		},
	} {
		if diff := cmp.Diff(c.want, told(increments(c.rows...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestIncrementsBelongToTheMinuteOfTheirLaterSample(t *testing.T) {
	cuts := []int64{0, 60 * second, 90 * second, 120 * second}
	for _, c := range []struct {
		inc  increment
		want map[int]float64
	}{
		{increment{from: 45 * second, to: 60 * second}, map[int]float64{0: 1}},
		{increment{from: 50 * second, to: 61 * second}, map[int]float64{1: 1}},
		{increment{from: -15 * second, to: 0}, map[int]float64{}},
		{increment{from: 115 * second, to: 125 * second}, map[int]float64{}},
		{increment{from: 30 * second, to: 130 * second, gap: true}, map[int]float64{0: 0.3, 1: 0.3, 2: 0.3}},
		{increment{from: -100 * second, to: 100 * second, gap: true}, map[int]float64{0: 0.3, 1: 0.15, 2: 0.05}},
	} {
		got := map[int]float64{}
		c.inc.spread(cuts, func(piece int, share float64) { got[piece] += share })
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.inc, diff)
		}
	}
}

func TestGridOfSamples(t *testing.T) {
	series := func(times ...int64) Series { return Series{T: times, V: make([]float64, len(times))} }
	for name, c := range map[string]struct {
		series      []Series
		begin, step int64
	}{
		"one interval":             {[]Series{series(3*second, 18*second, 33*second)}, 3 * second, 15 * second},
		"two phases":               {[]Series{series(3*second, 18*second), series(8*second, 23*second)}, 3 * second, 5 * second},
		"no common second":         {[]Series{series(3*second, 18*second), series(8*second+1, 23*second+1)}, 0, 15 * second},
		"five minutes":             {[]Series{series(0, 5*minute, 10*minute)}, 0, minute},
		"ninety seconds":           {[]Series{series(0, 90*second, 180*second)}, 0, 45 * second},
		"nothing":                  {nil, 0, 15 * second},
		"a sample out of the grid": {[]Series{series(0, 15*second, 31*second)}, 0, second},
	} {
		u := &unit{from: 0, to: hour, inputs: []input{{series: c.series}}}
		if begin, step := u.grid(); begin != c.begin || step != c.step {
			t.Errorf("%s: the grid is %d from %d, want %d from %d", name, step, begin, c.step, c.begin)
		}
	}
}

func TestSeriesEndAtTheScrapeWithoutThem(t *testing.T) {
	s := Series{T: []int64{0, 15, 60, 75}, V: []float64{1, 2, 3, 4}}
	got := withMarkers(s, []int64{0, 15, 30, 45, 60, 75, 90})
	if diff := cmp.Diff([]int64{0, 15, 30, 60, 75, 90}, got.T); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	own := Series{T: []int64{1, 16, 61}, V: []float64{1, 2, 3}} // timestamps of their own
	if got := withMarkers(own, []int64{0, 15, 30, 45, 60, 75}); len(got.T) != 3 {
		t.Errorf("markers in %v", got.T)
	}
}
