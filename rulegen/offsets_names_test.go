package rulegen_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// offsetNames are chosen so that, by the hash of a group's name and file, each
// level is evaluated in each stretch between the ends of two scrapes, also in the
// one of three seconds.
var offsetNames = []string{"svc410", "svc259", "svc401", "svc535", "svc177", "svc585", "svc795", "svc722", "svc037"}

// offsetScrapes is how long the scrapes take that begin at the third second of a
// minute, and fifteen, thirty and forty-five seconds later.
var offsetScrapes = [...]time.Duration{2 * time.Second, 9 * time.Second, 5 * time.Second, 14 * time.Second}

// stretchOf is the stretch between the ends of two scrapes in which a group is evaluated.
func stretchOf(w *enginetest.World, group string) int {
	offset, ended := w.Offset(group), 0 // scrapes of the minute
	for i, takes := range offsetScrapes {
		begin := 3*time.Second + time.Duration(i)*15*time.Second
		if (begin+takes)%time.Minute <= offset {
			ended++
		}
	}
	return ended % len(offsetScrapes) // when all have ended, it is as before the first of the next minute
}

// offsetCompared are the names under which a level of a kind is compared: as many as it
// takes to have it evaluated in each stretch, or all if every case is repeated. It
// fails if there is a stretch in which no group of a level is evaluated: then other names
// are needed.
func offsetCompared(t *testing.T, w *enginetest.World) map[string][]string {
	t.Helper()
	compared := map[string][]string{}
	in := func(what string, first int, groupOf func(name string) string) {
		seen := map[int]bool{}
		for i := range offsetNames {
			name := offsetNames[(first+i)%len(offsetNames)] // levels take turns, so that all masks are read
			if s := stretchOf(w, groupOf(name)); !seen[s] || testsize.Every() {
				seen[s] = true
				compared[what] = append(compared[what], name)
			}
		}
		if len(seen) != len(offsetScrapes) {
			t.Errorf("%s is evaluated in %d of %d stretches between scrapes", what, len(seen), len(offsetScrapes))
		}
	}
	in("masks", 0, func(name string) string { return fmt.Sprintf("upheld:hours-%s:masks", name) })
	for i, level := range slices.Sorted(maps.Keys(offsetTruth)) {
		in("plain "+level, i, func(name string) string { return fmt.Sprintf("upheld:plain-%s:%s:%s", name, name, level) })
		if level != "quorum" {
			in("hours "+level, i, func(name string) string { return fmt.Sprintf("upheld:hours-%s:%s:%s", name, name, level) })
		}
	}
	return compared
}

// offsetNeeded is whether a level of a kind is needed under a name: to be compared, or
// as a component of one that is.
func offsetNeeded(compared map[string][]string, kind, name, level string) bool {
	if slices.Contains(compared[kind+" "+level], name) {
		return true
	}
	return (level == "minute" || level == "disk") && slices.ContainsFunc([]string{"all", "either", "weights", "failover"}, func(of string) bool {
		return slices.Contains(compared[kind+" "+of], name)
	})
}
