package exporter

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
)

// anyRecord is one of all kinds that there are, and of extreme ones.
func anyRecord(r *rand.Rand, last measure.ID) Record {
	one := Record{
		At: time.Unix(0, time.Now().UnixNano()+r.Int64N(1e12)-5e11), Outcome: probe.Outcomes[r.IntN(len(probe.Outcomes))],
		Reason: probe.Reason(fmt.Sprint("reason", r.IntN(2))), Detail: fmt.Sprint("detail ", r.IntN(4)), Count: 1,
	}
	if one.Outcome == probe.Good {
		one.Reason = ""
	}
	if r.IntN(4) == 0 {
		one.Count = int(r.Int32())
		return one
	}
	one.ID = last + 1 + measure.ID(r.Int64N(1e5))
	if r.IntN(9) == 0 {
		one.ID = measure.ID(r.Uint64() | 1)
	}
	one.Duration = time.Duration(r.Int64N(1 << (1 + r.IntN(61))))
	for _, p := range probe.AllPhases() {
		if r.IntN(2) == 0 {
			one.Phases.Add(p, time.Duration(r.Int64N(1<<(1+r.IntN(40)))))
		}
	}
	if r.IntN(5) == 0 {
		one.Parts = []probe.Part{{Step: "login", URL: fmt.Sprint(r.IntN(9))}}
	}
	return one
}

// TestPackedRecordsAreTheRecords compares with plain lists, whatever happens.
func TestPackedRecordsAreTheRecords(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var h history
		var kept excerpts
		var all, bad []Record // newest first
		last := measure.ID(time.Now().UnixNano())
		for range r.IntN(150) {
			one := anyRecord(r, last)
			if one.Outcome == probe.Bad && r.IntN(3) == 0 {
				one.Excerpt = fmt.Sprint("excerpt ", r.IntN(3))
			}
			if one.ID != 0 {
				last = one.ID
			}
			changed := len(all) == 0 || all[0].Outcome != one.Outcome || all[0].Reason != one.Reason
			if got := h.add(one, &kept); got != changed {
				t.Fatalf("seed %d: changed is %t after %+v, then %+v", seed, got, all[0], one)
			}
			all = slices.Insert(all, 0, one)
			all = all[:min(len(all), RecentResults)]
			if one.Outcome != probe.Good {
				bad = slices.Insert(bad, 0, one)
				bad = bad[:min(len(bad), recentFailures)]
			}
			if kept.size != held(&kept) {
				t.Fatalf("seed %d: %d bytes of excerpts, counted as %d", seed, held(&kept), kept.size)
			}
		}
		for i, lists := range [][2][]Record{{h.recent(), all}, {h.failures(), bad}} {
			got, want := lists[0], lists[1]
			if !slices.EqualFunc(got, want, func(a, b Record) bool { return reflect.DeepEqual(a, b) }) {
				t.Fatalf("seed %d, list %d:\n%+v\nwant\n%+v", seed, i, got, want)
			}
			for _, one := range want {
				if one.ID != 0 && !h.remembers(one.ID) {
					t.Errorf("seed %d: %s is not remembered", seed, one.ID)
				}
			}
		}
		if h.remembers(last+1) || h.remembers(1) {
			t.Errorf("seed %d: what never was is remembered", seed)
		}
	}
}

// TestARememberedResultIsSmall holds what a target's history takes once it is
// full.
func TestARememberedResultIsSmall(t *testing.T) {
	const n, most = 2000, 750
	var kept excerpts
	histories := make([]history, n)
	before := heapInUse()
	for i := range 3 * RecentResults {
		at := time.Now().Add(time.Duration(i) * 10 * time.Second)
		for j := range histories {
			r := Record{At: at, ID: measure.ID(1e18 + n*i + j), Outcome: probe.Good, Detail: fmt.Sprint("HTTP ", 200), Duration: 52 * time.Millisecond, Count: 1}
			for _, p := range []probe.Phase{probe.Connect, probe.Processing, probe.Transfer} {
				r.Phases.Add(p, 17*time.Millisecond)
			}
			histories[j].add(r, &kept)
		}
	}
	each := (heapInUse() - before) / n
	if t.Logf("%d bytes each", each); each > most {
		t.Errorf("%d results take %d bytes, more than %d", RecentResults, each, most)
	}
	if got := len(histories[0].recent()); got != RecentResults {
		t.Errorf("%d are remembered", got)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
