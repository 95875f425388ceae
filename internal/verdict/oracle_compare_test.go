package verdict_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// drawnWorlds is how many agreements and histories make test-all compares.
const drawnWorlds = 2000

func worldOf(seed uint64) *world { return drawWorld(rand.New(rand.NewPCG(seed, 15))) }

// outcomeOf is a level of a report as the oracle writes it.
func outcomeOf(w *world, l verdict.Level) outcome {
	o := outcome{verdict: string(l.Verdict), exact: l.Exact, bad: l.Bad, agreed: l.Agreed, unknown: l.Unknown, removed: l.Removed, excused: l.Excused, coverage: l.Coverage}
	if w.method == "request_ratio" || w.method == "mean_slot_error_rate" || w.method == "slot_quantile" {
		return o
	}
	var list []string
	for _, x := range l.Outages {
		list = append(list, fmt.Sprintf("%s-%s", x.Start.Format(time.TimeOnly), x.End.Format(time.TimeOnly)))
	}
	o.outages = strings.Join(list, ", ")
	return o
}

func TestVerdictsAreThoseOfTheOracle(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(testsize.Of(200, drawnWorlds)) {
		w := worldOf(seed)
		r, err := verdict.Judge(w.input())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want, got := w.judge(""), outcomeOf(w, r.Levels[0])
		if w.hours != nil {
			want.outages, got.outages = "", "" // those outside of hours are left out
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Fatalf("seed %d, %s: %s", seed, w.name(), diff)
		}
		seen[w.name()+" "+want.verdict]++
	}
	if !testsize.All() {
		return
	}
	for _, m := range methods {
		for _, v := range []string{"met", "breached", "insufficient_data"} {
			if seen[m+" "+v] == 0 {
				t.Errorf("no drawn agreement by %s is %s", m, v)
			}
		}
	}
}

// mutations are the rules of the oracle that can be changed, one at a time.
var mutations = []string{
	"zone is UTC", "offset of the start all the time", "hours end a minute late", "night hours belong to the day they end on",
	"caps begin in UTC", "late notice excuses", "notice must be more than agreed", "window caps begin with the period", "no window caps",
	"caps from the last exclusion on", "no caps on downtime", "the first exclusion wins", "caps from the end on", "caps count outside of hours", "caps count what others excuse",
	"effects are swapped", "exclusions excuse nothing", "missing counts as good", "unseen counts as missing", "removed time stays agreed", "unknown time counts as good",
	"excused time is removed", "policies raise the coverage", "rounded before comparing", "the target itself is a breach", "the floor itself is too little", "no floor of coverage",
	"a place without a result is good", "the worst place decides", "minutes begin 20 seconds late", "one failure of a minute is enough", "the quantile itself is bad",
	"the threshold itself is bad", "no minimum of requests", "the minimum itself is too few", "empty is the other thing", "one location is enough", "too few locations are good",
	"runs must be longer than agreed", "no runs", "runs are cut by the period first", "unknown minutes are part of runs", "slots begin in UTC", "slots are judged with what is removed",
	"slots weigh by traffic", "confirmed a step late", "recovered a step early", "outages are not confirmed", "unknown does not end an outage", "backdating is turned around",
	"the minimum holds before merging", "the gap itself merges", "outages are not merged", "no minimum of outages", "merged gaps are bad", "short good time of an outage is good",
	"policies hold for what was not seen", "unknown weights count as good", "components are down above a quarter", "components are down at the limit", "unknown components are good",
	"unknown components are bad", "one more must work", "all is as good as the best", "failing over takes no time", "failing over takes a step more",
}

func TestEveryChangeOfARuleIsNoticed(t *testing.T) {
	testsize.Skip(t, "whether the drawn agreements notice each change of a rule")
	t.Parallel()
	unnoticed := map[string]bool{}
	for _, m := range mutations {
		unnoticed[m] = true
	}
	for seed := uint64(0); seed < drawnWorlds && len(unnoticed) > 0; seed++ {
		w := worldOf(seed)
		want := w.judge("")
		for m := range unnoticed {
			if w.judge(m) != want {
				delete(unnoticed, m)
			}
		}
	}
	for m := range unnoticed {
		t.Errorf("no agreement of %d has another result if %s", drawnWorlds, m)
	}
	if len(mutations) < 40 {
		t.Errorf("only %d rules are changed", len(mutations))
	}
}
