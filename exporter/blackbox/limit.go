package blackbox

import (
	"sync"
	"time"
)

// limiter bounds how many probes begin in a second. It is a token bucket that
// holds the tokens of one second.
type limiter struct {
	rate float64 // probes a second; 0 is no bound
	now  func() time.Time

	mu     sync.Mutex
	at     time.Time
	tokens float64
}

func newLimiter(rate float64) *limiter {
	return &limiter{rate: rate, now: time.Now, at: time.Now(), tokens: max(rate, 1)}
}

// take reports whether one more may begin now, and if not, how long to wait.
func (l *limiter) take() (wait time.Duration, ok bool) {
	if l.rate <= 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.tokens = min(l.tokens+now.Sub(l.at).Seconds()*l.rate, max(l.rate, 1))
	l.at = now
	if l.tokens < 1 {
		return time.Duration((1 - l.tokens) / l.rate * float64(time.Second)), false
	}
	l.tokens--
	return 0, true
}
