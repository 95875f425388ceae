package sla

import "time"

// Switch is a change of a zone's offset.
type Switch struct {
	At            time.Time
	Before, After time.Duration // offset from UTC
}

// Switches returns the zone's offset from UTC at from, and every change between from and
// to. Rules, which can only calculate, know a zone by these.
func Switches(zone string, from, to time.Time) (offset time.Duration, switches []Switch) {
	at := from.In(location(zone))
	_, seconds := at.Zone()
	offset = time.Duration(seconds) * time.Second
	before := offset
	for {
		_, end := at.ZoneBounds()
		if end.IsZero() || !end.Before(to) {
			return offset, switches
		}
		_, seconds := end.Zone()
		after := time.Duration(seconds) * time.Second
		if after != before { // otherwise only the zone's abbreviation changes
			switches = append(switches, Switch{At: end.UTC(), Before: before, After: after})
		}
		before, at = after, end
	}
}
