package probe

import (
	"sync"
	"time"
)

// lateness adds up how much of a probe's time is the exporter's own: all time in
// which it is not proven that the exporter waited for the peer. On a busy host, a
// goroutine waits for CPU after its data has arrived. Clock readings before and
// after cannot distinguish that from a slow target, but timestamps of the kernel
// can.
//
// The reads of a connection may be noted by another goroutine than the probe's.
type lateness struct {
	mu            sync.Mutex
	ownTime       time.Duration
	longestStall  time.Duration // the longest single part of ownTime
	opening       time.Duration // the part of ownTime in arrivals that were read late before the session was open
	pending       time.Duration // how long data had been there, unread, when a deadline ended the wait
	lastWait      time.Time     // when the last wait ended; time after it is the exporter's own
	waiting       bool
	over          bool // there is a verdict; later reads are no part of the probe
	excludingWork bool // during a handshake, whose calculations are no lateness
}

// opened notes that a connection, begun at wanted, was open at the time at, and
// that own of the time in between was the exporter's.
func (l *lateness) opened(wanted, at time.Time, own time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.work(wanted)
	l.add(own)
	l.opening += own
	l.lastWait = at
}

// wait notes that the exporter begins to wait for the peer.
func (l *lateness) wait(from time.Time) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.work(from)
	l.waiting = true
}

// resume notes the end of a wait. What was waited for had arrived by late earlier.
func (l *lateness) resume(at time.Time, late time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.add(max(late, 0))
	if l.excludingWork {
		l.opening += max(late, 0)
	}
	l.lastWait, l.waiting = at, false
}

// foundUnread notes for how long data had been there, unread, when a deadline
// ended the wait for it.
func (l *lateness) foundUnread(late time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.pending = late
	}
}

// work counts the time since the last wait as own time; l.mu is held.
func (l *lateness) work(until time.Time) {
	if !l.excludingWork && until.After(l.lastWait) {
		l.add(until.Sub(l.lastWait))
	}
	l.lastWait = until
}

// add counts own time; l.mu is held.
func (l *lateness) add(d time.Duration) {
	l.ownTime += d
	l.longestStall = max(l.longestStall, d)
}

// excludeWork begins and ends a time in which calculating is no lateness: a
// handshake takes the time that its arithmetic takes.
func (l *lateness) excludeWork(on bool) {
	if l == nil {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.work(now)
	l.excludingWork = on
}

// finish ends the account, and returns the exporter's own time up to the verdict.
// If the probe ended while waiting, the time since then is the peer's. After an
// answer it is the exporter's, even if another goroutine already waits for more.
func (l *lateness) finish(now time.Time, answered bool) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over && (answered || !l.waiting) {
		l.work(now)
	}
	l.over = true
	return l.ownTime
}

// mayHaveMissed reports whether a probe that timed out may have missed the answer:
// because data had arrived that it had not read, or because the session was opened
// too late. What it read late in between does not count: a target that floods the
// exporter keeps it busy.
func (l *lateness) mayHaveMissed(took time.Duration) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return tooLate(min(l.opening+l.pending, took), took)
}

// stalled reports whether the exporter did nothing for so long that the peer may
// have given up on it.
func (l *lateness) stalled() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longestStall > peerPatience
}

// peerPatience is how long every peer waits for a silent client, at least.
const peerPatience = time.Second

// How much of a duration may be the exporter's own before the duration counts as
// unknown: a share of the time that the target took, and at least lateMinimum. We
// promise 5 % or 2 ms. Half of that is for what cannot be measured: the kernel
// stamps a packet when it processes it, and that may wait for CPU as well.
const (
	lateShare   = 40 // the 40th part, 2.5 %
	lateMinimum = time.Millisecond
)

// tooLate reports whether a duration contains too much own time.
func tooLate(late, duration time.Duration) bool {
	return late > max((duration-late)/lateShare, lateMinimum)
}

// Unsure reports whether too much of the duration may be the exporter's own. The
// target took between Duration - Late and Duration.
func (r *Result) Unsure() bool { return tooLate(r.Late, r.Duration) }

// DetailWithLateness returns the detail, with how late the exporter was if the
// duration is unsure.
func (r *Result) DetailWithLateness() string {
	if !r.Unsure() {
		return r.Detail
	}
	return r.Detail + "; up to " + r.Late.Round(100*time.Microsecond).String() + " of the time was the exporter's own: it had no CPU"
}

// latenessReporter is a connection that reports late reads to a probe.
type latenessReporter interface {
	reportTo(r *run, wanted time.Time)
}
