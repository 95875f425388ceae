//go:build !linux

package schedule

// hostClock has the alarms of any other clock.
type hostClock struct{ systemClock }
