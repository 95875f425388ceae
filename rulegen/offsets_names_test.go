package rulegen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

// offsetNames are chosen so that, by the hash of a group's name and file, each
// level is evaluated in each stretch between the ends of two scrapes, also in the
// one of three seconds.
var offsetNames = []string{"svc410", "svc259", "svc401", "svc535", "svc177", "svc585", "svc795", "svc722", "svc037"}

// offsetScrapes is how long the scrapes take that begin at the third second of a
// minute, and fifteen, thirty and forty-five seconds later.
var offsetScrapes = [...]time.Duration{2 * time.Second, 9 * time.Second, 5 * time.Second, 14 * time.Second}

// demandEachStretch fails if there is a stretch between the ends of two scrapes in
// which no group of a level is evaluated: then other names are needed.
func demandEachStretch(t *testing.T, w *enginetest.World) {
	t.Helper()
	seen := map[string]map[int]bool{}
	evaluated := func(what, group string) {
		offset, ended := w.Offset(group), 0 // scrapes of the minute
		for i, takes := range offsetScrapes {
			begin := 3*time.Second + time.Duration(i)*15*time.Second
			if (begin+takes)%time.Minute <= offset {
				ended++
			}
		}
		if seen[what] == nil {
			seen[what] = map[int]bool{}
		}
		seen[what][ended%len(offsetScrapes)] = true // when all have ended, it is as before the first of the next minute
	}
	for _, name := range offsetNames {
		evaluated("masks", fmt.Sprintf("upheld:hours-%s:masks", name))
		for level := range offsetTruth {
			evaluated("plain "+level, fmt.Sprintf("upheld:plain-%s:%s:%s", name, name, level))
			if level != "quorum" {
				evaluated("hours "+level, fmt.Sprintf("upheld:hours-%s:%s:%s", name, name, level))
			}
		}
	}
	for what, stretches := range seen {
		if len(stretches) != len(offsetScrapes) {
			t.Errorf("%s is evaluated in %d of %d stretches between scrapes", what, len(stretches), len(offsetScrapes))
		}
	}
}
