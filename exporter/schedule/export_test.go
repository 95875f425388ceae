package schedule

import "time"

// LagLimit is lagLimit, for tests.
func LagLimit(interval time.Duration) time.Duration { return lagLimit(interval) }

// PhaseOf is phaseOf, for tests.
func PhaseOf(key string, interval time.Duration) time.Duration { return phaseOf(key, interval) }
