package sla

import "time"

// SettlingTime is how long after its end a period is judged, unless somebody says
// otherwise: until then samples, exclusions and disputes may still come.
const SettlingTime = 24 * time.Hour

// retentionReserve is how much longer samples are kept, so that a period can still be
// judged whole if the report, or the server, is late.
const retentionReserve = 48 * time.Hour

// RetentionOf is how long samples must be kept so that the report of a period sees all
// of it: its length, the settling time, and two days in reserve.
func RetentionOf(p Period, settling time.Duration) time.Duration {
	return p.Longest() + settling + retentionReserve
}
