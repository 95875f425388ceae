package backtest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/figures"
)

// Compare is a table of the differences between two versions that were tried on the
// same past.
func Compare(names [2]string, of [2]*Result) []byte {
	var b bytes.Buffer
	b.WriteString("Both\n")
	table(&b, func(row func(...string)) {
		row("", names[0], names[1])
		row("alerts", alertCount(of[0]), alertCount(of[1]))
		row("notifications", fmt.Sprint(len(of[0].Notifications)), fmt.Sprint(len(of[1].Notifications)))
		each(of, func(r *Result) (all [][2]string) {
			for _, u := range r.Budgets {
				all = append(all, [2]string{u.name() + " " + u.Period + ", left at the end", figures.Percent(u.End)}, [2]string{u.name() + " " + u.Period + ", lowest", figures.Percent(u.Lowest.Left)})
			}
			return all
		}, row)
		each(of, func(r *Result) (all [][2]string) {
			for _, v := range r.Verdicts {
				all = append(all, [2]string{v.Agreement + " " + v.Period, string(v.Verdict)})
				for _, l := range v.Levels {
					all = append(all, [2]string{levelName(l.Service, l.SLO, l.Group) + " " + v.Period, fmt.Sprintf("%s of %s: %s", cmp.Or(l.Achieved, "unknown"), l.Target, l.Verdict)})
				}
			}
			return all
		}, row)
	})
	return b.Bytes()
}

func alertCount(r *Result) string { return fmt.Sprint(len(r.Alerts)) + bySeverity(r.Alerts) }

// each writes a row for each name that occurs in either result.
func each(of [2]*Result, rows func(*Result) [][2]string, row func(...string)) {
	first, second := rows(of[0]), rows(of[1])
	value := func(all [][2]string, name string) string {
		if i := slices.IndexFunc(all, func(r [2]string) bool { return r[0] == name }); i >= 0 {
			return all[i][1]
		}
		return "-"
	}
	for _, r := range first {
		row(r[0], r[1], value(second, r[0]))
	}
	for _, r := range second {
		if value(first, r[0]) == "-" {
			row(r[0], "-", r[1])
		}
	}
}
