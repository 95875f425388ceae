package samples_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

const backedUp = `    - name: up
      service: db
      indicator: {condition: {expr: 'up{job="db"} == 1'}}
      target: "99"
      period: 6h
      recovery: {objectives: [{metric: recovery_point, le: 2h, age: 'time() - backup_completed_timestamp_seconds'}]}
`

// backups are done every hour, except that the one at two o'clock fails; between the two
// instants nothing is measured; a gauge that nobody scrapes holds for five minutes more.
func backups(from, to time.Duration) *history {
	h := &history{}
	h.up("db", "a", no, no)
	h.series("backup_completed_timestamp_seconds", step, without(since(from, to), func(at time.Duration) float64 {
		hour := at.Truncate(time.Hour)
		if at < 0 {
			hour -= time.Hour // Truncate rounds toward zero
		}
		if hour == 2*time.Hour {
			hour = time.Hour
		}
		return float64(start.Add(hour).Unix())
	}))
	return h
}

func TestGreatestAgeOfAQuery(t *testing.T) {
	a := agreement(t, backedUp)
	for name, c := range map[string]struct {
		away               [2]time.Duration
		greatest, possible string // minutes
	}{
		"a backup failed":                {[2]time.Duration{-9 * time.Hour, -9 * time.Hour}, "119", "119"},
		"nobody measured for a while":    {[2]time.Duration{150 * time.Minute, 200 * time.Minute}, "94", "140"},
		"nobody measured when it failed": {[2]time.Duration{110 * time.Minute, 190 * time.Minute}, "59", "130"},
		"nobody measured at the start":   {[2]time.Duration{-3 * time.Hour, 10 * time.Minute}, "119", "119"},
	} {
		t.Run(name, func(t *testing.T) {
			ages := load(t, backups(c.away[0], c.away[1]).source(t), a).Levels[0].Ages
			if len(ages) != 1 || !ages[0].Measured || ages[0].Late != (c.away[0] < -time.Hour && c.away[1] > 0) {
				t.Fatalf("%+v", ages)
			}
			minutes := sla.NewDecimal(60, 1)
			if g, p := ages[0].Greatest.Quo(minutes).String(), ages[0].Possible.Quo(minutes).String(); g != c.greatest || p != c.possible {
				t.Errorf("the greatest is %s minutes, and %s are possible; want %s and %s", g, p, c.greatest, c.possible)
			}
		})
	}
}
