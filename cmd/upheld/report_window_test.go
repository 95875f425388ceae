package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Too much downtime in any 24 hours is a condition over the window, as docs/verdict.md
// writes it: a moment is bad if the 24 hours before it had more than 15 minutes.
func TestDowntimeInAnyWindowIsACondition(t *testing.T) {
	spec := write(t, t.TempDir(), "dns.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: dns}
spec:
  serviceLevels:
    - {name: window, target: "99.999", period: 1d, indicator: {condition: {expr: 'avg_over_time(probe_success[24h]) >= 1 - 15 / 1440'}}}
`)
	for _, c := range []struct {
		second       int // minutes of the second outage
		verdict, bad string
		code         int
	}{
		{7, "met", "0", exitDone},
		{8, "breached", "13980", exitNo}, // from its last minute, 20:07, to midnight
	} {
		day := time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC)
		var text strings.Builder
		text.WriteString("# TYPE probe_success gauge\n")
		for at := day.Add(-25 * time.Hour); !at.After(day.Add(24 * time.Hour)); at = at.Add(time.Minute) {
			up := 1
			for begin, minutes := range map[int]int{10 * 60: 8, 20 * 60: c.second} {
				if m := int(at.Sub(day).Minutes()); m >= begin && m < begin+minutes {
					up = 0
				}
			}
			fmt.Fprintf(&text, "probe_success %d %d\n", up, at.Unix())
		}
		text.WriteString("# EOF\n")
		file := write(t, t.TempDir(), "samples.om", text.String())
		code, reports, notes := reported(t, spec, "--samples", file, "--period", "1d to 2026-10-11")
		if code != c.code || len(reports) != 1 {
			t.Fatalf("a second outage of %d minutes: exit code %d, %d reports: %s", c.second, code, len(reports), notes)
		}
		if l := levelOf(t, reports[0], 0); l["verdict"] != c.verdict || l["bad"] != c.bad || l["coverage"] != "100" {
			t.Errorf("a second outage of %d minutes: %v, %v s of %v %% measured are bad; want %s, %s", c.second, l["verdict"], l["bad"], l["coverage"], c.verdict, c.bad)
		}
	}
}
