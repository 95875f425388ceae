package sla

import "time"

// TimeUnit is the unit of a histogram of durations: "milliseconds".
type TimeUnit string

// UnitSeconds is the unit in Prometheus' conventions.
const UnitSeconds TimeUnit = "seconds"

// timeUnits is the table of all units, the shortest first.
var timeUnits = []struct {
	name   TimeUnit
	of     time.Duration
	symbol string
}{
	{"nanoseconds", time.Nanosecond, "ns"},
	{"microseconds", time.Microsecond, "us"},
	{"milliseconds", time.Millisecond, "ms"},
	{UnitSeconds, time.Second, "s"},
	{"minutes", time.Minute, "min"},
	{"hours", time.Hour, "h"},
}

// TimeUnits are all units, the shortest first.
func TimeUnits() []TimeUnit {
	all := make([]TimeUnit, len(timeUnits))
	for i, u := range timeUnits {
		all[i] = u.name
	}
	return all
}

// Of converts a duration to the unit: 5s is 5000 milliseconds.
func (u TimeUnit) Of(d time.Duration) Decimal {
	for _, of := range timeUnits {
		if of.name == u {
			return NewDecimal(int64(d), int64(of.of))
		}
	}
	panic("no unit of time " + string(u))
}

// Symbol is the symbol of the unit: "ms".
func (u TimeUnit) Symbol() string {
	for _, of := range timeUnits {
		if of.name == u {
			return of.symbol
		}
	}
	return ""
}
