package probe

import (
	"sync"
	"time"
)

// lateness adds up how much of a probe's time is the exporter's own: the time
// for which it is not attested that the exporter waited for the peer. A busy
// host makes goroutines wait after what they wait for has come; a clock that is
// read before and after cannot tell that from a slow target, the kernel can.
//
// What is read over a connection can be noted by another goroutine than that of
// the probe.
type lateness struct {
	mu            sync.Mutex
	ownTime       time.Duration
	longestStall  time.Duration // the longest stretch of it
	opening       time.Duration // the part of own in arrivals that were read late before the session was open
	pending       time.Duration // how long something had been there that a deadline kept from being read
	lastWait      time.Time     // when the last wait ended; what comes after it is own time
	waiting       bool
	over          bool // the verdict is there; what is read after it is no part of the probe
	excludingWork bool // what the exporter calculates is no lateness: a handshake
}

// opened notes that a connection was open at a time, of which own was the
// exporter's; it had begun to be wanted at another.
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

// resume notes the end of a wait: what it had waited for was there late before.
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

// foundUnread notes that something had been there for so long when a deadline ended
// the wait for it.
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

// work counts what has passed since the last wait; l.mu is held.
func (l *lateness) work(until time.Time) {
	if !l.excludingWork && until.After(l.lastWait) {
		l.add(until.Sub(l.lastWait))
	}
	l.lastWait = until
}

// add counts a stretch of own time; l.mu is held.
func (l *lateness) add(d time.Duration) {
	l.ownTime += d
	l.longestStall = max(l.longestStall, d)
}

// excludeWork begins and ends a stretch in which calculating is no lateness: the
// arithmetic of a handshake is a part of what it takes.
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

// finish is the exporter's own time up to the verdict, and ends the account. While it waits in vain
// what passes is the peer's; after an answer it is the exporter's, also where
// another goroutine already waits for more.
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

// mayHaveMissed tells whether a probe that waited in vain until now may have missed its
// answer: because something was there that it had not read, or because the
// session was open too late. What it read in between, however late, tells nothing
// of that: a target that floods the exporter keeps it busy.
func (l *lateness) mayHaveMissed(took time.Duration) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return tooLate(min(l.opening+l.pending, took), took)
}

// stalled tells whether the exporter did nothing for so long that a peer may
// have lost patience with it.
func (l *lateness) stalled() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longestStall > peerPatience
}

// peerPatience is for how long any peer bears a client that is silent.
const peerPatience = time.Second

// How late the exporter may be itself before a duration is not told: a share of
// the time that the target took, and never less than a time. What is promised is
// 5 % or 2 ms; half of it is for what nobody attests. That is how late the kernel
// itself is with a packet: it is stamped when its turn comes, and where the
// processing of packets waits for CPU, so do those who read them.
const (
	lateShare   = 40 // the 40th part, 2.5 %
	lateMinimum = time.Millisecond
)

// tooLate tells whether so much own time in a duration is too much.
func tooLate(late, duration time.Duration) bool {
	return late > max((duration-late)/lateShare, lateMinimum)
}

// Unsure tells whether too much of the duration may be the exporter's own: the
// target took between Duration - Late and Duration.
func (r *Result) Unsure() bool { return tooLate(r.Late, r.Duration) }

// DetailWithLateness is the detail, and how late the exporter was if that makes the duration
// unsure.
func (r *Result) DetailWithLateness() string {
	if !r.Unsure() {
		return r.Detail
	}
	return r.Detail + "; up to " + r.Late.Round(100*time.Microsecond).String() + " of the time was the exporter's own, for want of CPU"
}

// latenessReporter is a connection that tells a probe of its lateness.
type latenessReporter interface {
	reportTo(r *run, wanted time.Time)
}
