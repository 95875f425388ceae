package blackbox

import (
	"sync"
	"time"
)

// limiter bounds how many probes may begin in a second: as many as that may
// begin at once, and are then earned back as time goes by.
type limiter struct {
	rate float64 // probes a second; 0 is no bound
	now  func() time.Time

	mu    sync.Mutex
	at    time.Time
	spare float64
}

func newLimiter(rate float64) *limiter {
	return &limiter{rate: rate, now: time.Now, at: time.Now(), spare: max(rate, 1)}
}

// take tells whether one more may begin now, and if not in how long.
func (l *limiter) take() (wait time.Duration, ok bool) {
	if l.rate <= 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.spare = min(l.spare+now.Sub(l.at).Seconds()*l.rate, max(l.rate, 1))
	l.at = now
	if l.spare < 1 {
		return time.Duration((1 - l.spare) / l.rate * float64(time.Second)), false
	}
	l.spare--
	return 0, true
}
