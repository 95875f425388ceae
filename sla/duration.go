package sla

import (
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// FormatDuration formats d as Prometheus does, but weeks and years in days, as is usual
// for periods and windows: "5m", "30d", "1h30m".
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return model.Duration(d).String()
}
