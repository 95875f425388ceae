package backtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSuggestedTargetsAreMetByTheWorstPeriod(t *testing.T) {
	got := map[float64]string{}
	want := map[float64]string{
		0: "100", 0.1: "90", 0.00114471: "99.88", 0.001: "99.9", 0.0005: "99.95", 0.000437: "99.956",
		0.0000437: "99.9956", 0.99999: "0", 0.0123456: "98.76",
	}
	for bad := range want {
		got[bad] = Suggested(bad)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDurationsLeaveOutWhatIsNothingToThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		42 * time.Second: "42s", 35 * time.Minute: "35m", 2*time.Hour + 10*time.Minute + 4*time.Second: "2h10m",
		3 * time.Hour: "3h", 76 * time.Hour: "3d4h", 48 * time.Hour: "2d", 20*time.Minute + 20*time.Second: "20m20s",
	} {
		if got := short(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}

func TestDaysAreDrawnByWhatIsLeft(t *testing.T) {
	days := []Point{{Left: 1}, {Left: 0.5}, {Left: 0.01}, {Left: 0}, {Left: -0.2}}
	if got := spark(days); got != "█▅▁▁×" {
		t.Errorf("got %s", got)
	}
}
