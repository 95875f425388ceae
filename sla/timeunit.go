package sla

import "time"

// TimeUnit is what a histogram of durations counts in: "milliseconds".
type TimeUnit string

// UnitSeconds is what Prometheus' conventions ask for.
const UnitSeconds TimeUnit = "seconds"

// TimeUnits are all units, the shortest first.
var TimeUnits = []TimeUnit{"nanoseconds", "microseconds", "milliseconds", UnitSeconds, "minutes", "hours"}

var lengths = map[TimeUnit]struct {
	of     time.Duration
	symbol string
}{
	"nanoseconds": {time.Nanosecond, "ns"}, "microseconds": {time.Microsecond, "us"}, "milliseconds": {time.Millisecond, "ms"},
	UnitSeconds: {time.Second, "s"}, "minutes": {time.Minute, "min"}, "hours": {time.Hour, "h"},
}

// Of is a duration in the unit: 5s is 5000 milliseconds.
func (u TimeUnit) Of(d time.Duration) Decimal { return NewDecimal(int64(d), int64(lengths[u].of)) }

// Symbol is the unit's: "ms".
func (u TimeUnit) Symbol() string { return lengths[u].symbol }
