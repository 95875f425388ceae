package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// csvColumns are the columns of the outages, in order.
var csvColumns = []string{
	"agreement", "period", "version", "service", "slo", "group", "start", "end", "ongoing",
	"seconds", "counted_seconds", "excluded", "cause", "blame", "evidence",
}

// CSV has one line for each outage, in order of the reports, their levels and time.
// Times are in the period's zone, with its offset. Spreadsheets take no cell for a
// formula.
func CSV(reports, _ []*verdict.Report) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(csvColumns); err != nil {
		return nil, err
	}
	for _, r := range reports {
		for i := range r.Levels {
			l := &r.Levels[i]
			loc := zoneOf(periodOf(r, l))
			for _, o := range l.Outages {
				row := []string{
					r.Agreement, periodOf(r, l).Name, strconv.Itoa(r.Version), l.Service, l.SLO, labelWords(l.Group),
					o.Start.In(loc).Format(time.RFC3339Nano), o.End.In(loc).Format(time.RFC3339Nano), strconv.FormatBool(o.Ongoing),
					o.Seconds, o.Counted, excludedParts(o), o.Cause, o.Blame, o.Evidence,
				}
				for i := range row {
					row[i] = csvCell(row[i])
				}
				if err := w.Write(row); err != nil {
					return nil, err
				}
			}
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// excludedParts says which exclusions excuse an outage, and how much of it:
// "patch-night: 1260; late-certificate: 540".
func excludedParts(o verdict.Outage) string {
	parts := make([]string, 0, len(o.Excluded))
	for _, e := range o.Excluded {
		parts = append(parts, e.Name+": "+e.Seconds)
	}
	return strings.Join(parts, "; ")
}

// csvCell puts an apostrophe before anything that a spreadsheet would calculate: a cell
// that starts, perhaps after spaces, with one of = + - @. Negative numbers stay
// numbers.
func csvCell(s string) string {
	s = oneLine(s)
	first := strings.TrimSpace(s)
	if first != "" && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", []rune(first)[0]) && !decimalText.MatchString(first) {
		return "'" + s
	}
	return s
}
