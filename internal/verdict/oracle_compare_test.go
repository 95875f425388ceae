package verdict_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// drawnWorlds is how many agreements and histories a run compares that repeats every case.
const drawnWorlds = 2000

// comparedDraws are the draws that a run compares: the first ones, and those that notice
// a change of one of the oracle's rules, so that each rule is compared in every run.
func comparedDraws(t *testing.T) []uint64 {
	t.Helper()
	draws := slices.Collect(maps.Values(knownDraws(t)))
	for seed := range uint64(testsize.Repeats(50, 500, drawnWorlds)) {
		draws = append(draws, seed)
	}
	slices.Sort(draws)
	return slices.Compact(draws)
}

func worldOf(seed uint64) *world { return drawWorld(rand.New(rand.NewPCG(seed, 15))) }

// outcomeOf is a level of a report as the oracle writes it.
func outcomeOf(w *world, l verdict.Level) outcome {
	o := outcome{verdict: string(l.Verdict), exact: l.Exact, bad: l.Bad, agreed: l.Agreed, unknown: l.Unknown, removed: l.Removed, excused: l.Excused, coverage: l.Coverage, achieved: l.Achieved, raw: l.Raw, best: l.Best, budget: l.Budget}
	var list, objectives, places []string
	for _, r := range l.Recovery {
		objectives = append(objectives, strings.TrimSpace(fmt.Sprintf("%s %s", r.Verdict, r.Value)))
	}
	for _, p := range l.Places {
		places = append(places, fmt.Sprintf("%s/%s: %s %% good, %s bad of %s", p.Labels["location"], p.Labels["target"], p.Achieved, p.Bad, p.Known))
	}
	o.recovery, o.places = strings.Join(objectives, ", "), strings.Join(places, ", ")
	if l.Credit != nil {
		o.credit = l.Credit.Percent
	}
	for _, x := range l.Outages {
		list = append(list, fmt.Sprintf("%s-%s", x.Start.Format(time.TimeOnly), x.End.Format(time.TimeOnly)))
	}
	o.outages = strings.Join(list, ", ")
	return o
}

func TestVerdictsAreThoseOfTheOracle(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	const parts = 4 // side by side
	draws := comparedDraws(t)
	t.Run("draws", func(t *testing.T) {
		for part := range parts {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				for i := part; i < len(draws); i += parts {
					seed := draws[i]
					name, outcomes := compareDraw(t, seed)
					mu.Lock()
					for _, o := range outcomes {
						seen[name+" "+o.verdict]++
						seen[o.verdict]++
					}
					mu.Unlock()
				}
			})
		}
	})
	if !testsize.All() {
		return
	}
	for _, v := range []string{"disputed", "not_applicable"} {
		if seen[v] == 0 {
			t.Errorf("no drawn agreement is %s", v)
		}
	}
	for _, m := range methods {
		for _, v := range []string{"met", "breached", "insufficient_data"} {
			if seen[m+" "+v] == 0 {
				t.Errorf("no drawn agreement by %s is %s", m, v)
			}
		}
	}
}

// compareDraw compares the verdicts on a drawn agreement, and returns its name and what
// the oracle says.
func compareDraw(t *testing.T, seed uint64) (name string, want []outcome) {
	t.Helper()
	w := worldOf(seed)
	r, err := verdict.Judge(w.input())
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	want = w.judgeAll("")
	var got []outcome
	for _, l := range r.Levels {
		got = append(got, outcomeOf(w, l))
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Fatalf("seed %d, %s: %s", seed, w.name(), diff)
	}
	return w.name(), want
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
	"weights are ignored", "only what counts is weighed", "the month is that of UTC", "the month is 30 days", "force is ignored", "force begins a step late", "what is not in force is left out",
	"what is not in force is not scored", "exclusions hold before the agreement", "events count before the agreement is in force", "fixed minutes are ignored",
	"fixed minutes are those of all hours", "a fixed period can be less than nothing", "outages outside of hours are listed",
	"filing is approval", "one approval is enough", "withdrawn adjustments count", "disputed claims count", "late disputes count", "claims that both gave up are open",
	"contested exclusions hold nothing", "exclusions that both gave up hold", "nobody disputes", "the strict view decides nothing", "the lenient view decides nothing",
	"claims have no caps", "claims have a cap each", "corrections need no approval", "corrections are of all places", "the first correction holds", "corrected counts are gone",
	"all groups have the level's target", "the last promise that matches holds", "groups that must be there are left out",
	"nothing is still to come", "events stop coming", "the budget is that of the time so far", "raw is what counts", "a place needs a quorum", "places have caps of their own",
	"credits are owed for what is not known", "credits are owed in a dispute", "credits are those so far", "the tier itself is the other thing", "hours of credits begin in UTC",
	"an hour with just as much is free", "outages count where they begin", "outages of which nobody knows the end have ended", "outages outside of hours have to be restored",
	"outages are served by what the period has of them", "outages last from the start of the period", "the limit of recovery itself is too much", "excused downtime is time of failures",
	"an age that nobody saw did not grow",
}

// noticedIn has a line for each mutation: a draw whose results it changes, and its name.
const noticedIn = "testdata/noticed.txt"

// With -update, a mutation that its draw does not notice any more is tried on all draws.
func TestEveryChangeOfARuleIsNoticed(t *testing.T) {
	t.Parallel()
	known := knownDraws(t)
	var draws [drawnWorlds]drawn
	notices := func(seed uint64, mutation string) bool {
		w, want := draws[seed].judged(seed)
		return !slices.Equal(w.judgeAll(mutation), want)
	}
	found := make([]uint64, len(mutations))
	t.Run("rule", func(t *testing.T) {
		for i, m := range mutations {
			t.Run(m, func(t *testing.T) {
				t.Parallel()
				seed, ok := known[m]
				if ok = ok && notices(seed, m); !ok && !golden.Updating() {
					t.Fatalf("draw %d, which %s names, has the same results if %s; run the test with -update to find another", seed, noticedIn, m)
				}
				for s := uint64(0); s < drawnWorlds && !ok; s++ {
					seed, ok = s, notices(s, m)
				}
				if found[i] = seed; !ok {
					t.Errorf("no agreement of %d has another result if %s", drawnWorlds, m)
				}
			})
		}
	})
	var lines strings.Builder
	for i, m := range mutations {
		fmt.Fprintf(&lines, "%d %s\n", found[i], m)
	}
	if !t.Failed() {
		golden.Equal(t, noticedIn, []byte(lines.String()))
	}
	if len(mutations) < 40 {
		t.Errorf("only %d rules are changed", len(mutations))
	}
}

// drawn is a world with its results, which several mutations are compared with.
type drawn struct {
	once sync.Once
	of   *world
	want []outcome
}

func (d *drawn) judged(seed uint64) (*world, []outcome) {
	d.once.Do(func() { d.of = worldOf(seed); d.want = d.of.judgeAll("") })
	return d.of, d.want
}

// knownDraws reads the draws by mutation.
func knownDraws(t *testing.T) map[string]uint64 {
	t.Helper()
	file, err := os.ReadFile(noticedIn)
	if err != nil && !golden.Updating() {
		t.Fatal(err)
	}
	draws := map[string]uint64{}
	for line := range strings.Lines(string(file)) {
		number, mutation, _ := strings.Cut(strings.TrimSpace(line), " ")
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil || seed >= drawnWorlds {
			t.Fatalf("%s: no draw: %q", noticedIn, line)
		}
		draws[mutation] = seed
	}
	return draws
}
