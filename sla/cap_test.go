package sla_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// What is excused is counted minute by minute: the first so many of each month in
// which a window is open, whichever window and however they overlap.
func TestCapOfWindowTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Date(2026, 2, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		e := &sla.Exclusion{Cap: &sla.Cap{WindowTime: time.Duration(r.IntN(600)) * time.Minute, Per: sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}}}
		for range 25 {
			begin := from.AddDate(0, 0, -15).Add(time.Duration(r.IntN(110*24*60)) * time.Minute)
			e.Windows = append(e.Windows, &sla.Window{Once: sla.Span{From: begin, To: begin.Add(time.Duration(1+r.IntN(300)) * time.Minute)}})
		}
		used := map[time.Month]time.Duration{}
		excused := e.Spans(from, to)
		in := func(at time.Time) bool { return len(excused.Within(at, at.Add(time.Minute))) > 0 }
		for at := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC); at.Before(to); at = at.Add(time.Minute) {
			open := false
			for _, w := range e.Windows {
				open = open || !at.Before(w.Once.From) && at.Before(w.Once.To)
			}
			month := at.In(berlin).Month()
			want := open && used[month] < e.Cap.WindowTime
			if want {
				used[month] += time.Minute
			}
			if !at.Before(from) && in(at) != want {
				t.Fatalf("seed %d, cap %s: %s excused: %v, want %v", seed, e.Cap.WindowTime, at, in(at), want)
			}
		}
	}
}

func TestExceededCap(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	e := &sla.Exclusion{
		Windows: []*sla.Window{{Once: sla.Span{From: at(2, 1), To: at(2, 4)}}, {Once: sla.Span{From: at(20, 1), To: at(20, 4)}}},
		Cap:     &sla.Cap{WindowTime: 4 * time.Hour, Per: sla.Period{Calendar: sla.Month}},
	}
	beyond, amount, exceeded := e.Exceeded(at(1, 0), at(31, 0))
	if !exceeded || !beyond.Equal(at(20, 2)) || amount != 6*time.Hour {
		t.Errorf("beyond the cap from %s on, of %s (%v)", beyond, amount, exceeded)
	}
	e.Cap.WindowTime = 6 * time.Hour
	if _, _, exceeded := e.Exceeded(at(1, 0), at(31, 0)); exceeded {
		t.Error("what is just the cap is beyond it")
	}
}
