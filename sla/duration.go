package sla

import (
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// FormatDuration prints d as Prometheus does, save that weeks and years are
// printed in days, as periods and windows are spoken of: "5m", "30d", "1h30m".
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return model.Duration(d).String()
}
