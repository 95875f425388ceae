package emit

import (
	"testing"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// read are intervals as Alertmanager itself reads them.
func readIntervals(t *rapid.T, intervals []timeInterval) []timeinterval.TimeInterval {
	text, err := yaml.Marshal(intervals)
	if err != nil {
		t.Fatal(err)
	}
	var read []timeinterval.TimeInterval
	if err := yaml.Unmarshal(text, &read); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return read
}

func within(intervals []timeinterval.TimeInterval, at time.Time) bool {
	for _, i := range intervals {
		if i.ContainsTime(at.UTC()) {
			return true
		}
	}
	return false
}

// notSeen tells the last day of a month in which clocks go forward: Alertmanager
// (0.34 too) divides the month by 24h, finds a day less, and so no interval of
// that date.
func notSeen(at time.Time) bool {
	first := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, at.Location())
	next := first.AddDate(0, 1, 0)
	return next.Sub(first)%(24*time.Hour) == 23*time.Hour && at.AddDate(0, 0, 1).Day() == 1
}

func drawHours(t *rapid.T) []sla.Hours {
	var hours []sla.Hours
	for range rapid.IntRange(0, 2).Draw(t, "hours") {
		from := rapid.IntRange(0, 95).Draw(t, "from")
		to := rapid.IntRange(from+1, from+96).Draw(t, "to")
		hours = append(hours, sla.Hours{From: time.Duration(from) * 15 * time.Minute, To: time.Duration(to) * 15 * time.Minute})
	}
	return hours
}

// Alertmanager, asked at any minute, says of the intervals what the calendar
// says of its hours: with nights, holidays of every year, exceptions, zones,
// changes of clocks, and complements.
func TestIntervalsAreTheCalendarsHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.Date(2026, 12, 22, 0, 0, 0, 0, time.UTC)
		if rapid.Bool().Draw(t, "a change of clocks") {
			from = time.Date(2027, 3, 26, 0, 0, 0, 0, time.UTC)
		}
		c := &sla.Calendar{
			Zone:   rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}).Draw(t, "zone"),
			Weekly: map[time.Weekday][]sla.Hours{}, Holidays: map[sla.Date]bool{}, Exceptions: map[sla.Date][]sla.Hours{},
			Complement: rapid.Bool().Draw(t, "complement"),
		}
		for d := range 7 {
			c.Weekly[time.Weekday(d)] = drawHours(t)
		}
		day := func() sla.Date { return sla.DateOf(from.AddDate(0, 0, rapid.IntRange(-1, 5).Draw(t, "day"))) }
		for range rapid.IntRange(0, 3).Draw(t, "holidays") {
			d := day()
			if rapid.Bool().Draw(t, "every year") {
				d.Year = 0
			}
			c.Holidays[d] = true
		}
		for range rapid.IntRange(0, 2).Draw(t, "exceptions") {
			c.Exceptions[day()] = drawHours(t)
		}
		times := timesOf(c)
		active, mute := readIntervals(t, times.active), readIntervals(t, times.mute)
		for range 150 {
			at := from.AddDate(rapid.IntRange(-1, 1).Draw(t, "year"), 0, 0).Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(t, "minute")) * time.Minute)
			if notSeen(at.In(c.Location())) {
				continue
			}
			if got, want := within(active, at) && !within(mute, at), c.InService(at); got != want {
				t.Fatalf("%s: Alertmanager says %v, the calendar %v\nactive %+v\nmute %+v", at.In(c.Location()), got, want, times.active, times.mute)
			}
		}
	})
}
