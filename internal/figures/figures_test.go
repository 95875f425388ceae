package figures

import "testing"

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0 %", 1e-9: "< 0.001 %", -1e-9: "> -0.001 %", 0.000005: "0.001 %", 0.00012345: "0.012 %", 0.0099494: "0.995 %", 0.0099951: "1.00 %",
		0.0123: "1.23 %", -0.0925: "-9.25 %", 0.099951: "10.0 %", 0.5: "50.0 %", 0.9994: "99.9 %", 0.9995: "100 %", 12.3456: "1235 %", -1.5: "-150 %",
	} {
		if got := Percent(share); got != want {
			t.Errorf("%v is %q, want %q", share, got, want)
		}
	}
}
