package demo

import (
	"cmp"
	"slices"
	"time"
)

// Incident is one thing that went wrong in the shop's simulated past.
type Incident struct {
	Service  string
	Effect   Effect
	Share    float64 // of requests or probes that failed, 0 to 1
	From, To time.Time
	Words    string // what was broken, for readers
}

// event is an Incident whose time depends on when the demo starts.
type event struct {
	service string
	effect  Effect
	share   float64
	from    func(start time.Time) time.Time
	lasted  time.Duration
	words   string
}

const day = 24 * time.Hour

// past is what happened before the demo started. docs/demo.md has the same table.
var past = []event{
	{Storefront, Down, 1, beforeMonthEnd(28*day - 9*time.Hour), 75 * time.Minute, "the storefront answered 503"},
	{Storefront, Down, 1, ago(19 * day), 14 * time.Minute, "the storefront answered 503"},
	{Payments, Failing, 0.012, ago(13 * day), 5 * day, "1.2 % of payments ended with 500"},
	{ProviderA, Down, 1, ago(8*day + 40*time.Minute), 78 * time.Minute, "psp-a answered 503"},
	{ProviderB, Down, 1, ago(8 * day), 38 * time.Minute, "psp-b answered 503, too"},
	{Payments, Slow, 0.06, ago(6 * day), 8 * time.Hour, "6 % of payments took over 300 ms"},
	{Storefront, Slow, 1, ago(4 * day), 50 * time.Minute, "the storefront took over 400 ms"},
	{Orders, Closed, 1, ago(3 * day), 9 * time.Minute, "the order queue refused connections"},
	{Orders, Closed, 1, lastSunday(2*time.Hour + 10*time.Minute), 35 * time.Minute, "the order queue was down in its maintenance window"},
}

// Past returns the incidents before start, in order of time, the oldest two months
// before.
func Past(start time.Time) []Incident {
	var all []Incident
	for _, e := range past {
		from := e.from(start.UTC().Truncate(time.Minute))
		all = append(all, Incident{Service: e.service, Effect: e.effect, Share: e.share, From: from, To: from.Add(e.lasted), Words: e.words})
	}
	slices.SortStableFunc(all, func(a, b Incident) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	return all
}

func ago(d time.Duration) func(time.Time) time.Time {
	return func(start time.Time) time.Time { return start.Add(-d) }
}

// beforeMonthEnd is a time before the end of the last month with a report. A month that
// ended within the last day has none yet.
func beforeMonthEnd(d time.Duration) func(time.Time) time.Time {
	return func(start time.Time) time.Time {
		year, month, _ := start.Add(-day).Date()
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Add(-d)
	}
}

// lastSunday is a time of day on the last Sunday that is over.
func lastSunday(clock time.Duration) func(time.Time) time.Time {
	return func(start time.Time) time.Time {
		midnight := start.Truncate(day)
		back := time.Duration(cmp.Or(int(midnight.Weekday()), 7)) * day
		return midnight.Add(clock - back)
	}
}
