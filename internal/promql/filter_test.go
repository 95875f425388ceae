package promql

import (
	"strconv"
	"strings"
	"testing"
)

// What drops series inside a comparison is found, with the form that answers;
// and that form has nothing left to find.
func TestFiltersInsideConditions(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		// Errors: the other form says the same wherever this one answers.
		{`count(up{job="x"} == 1) >= 2`, `error 6: sum(up{job="x"} == bool 1) >= 2`},
		{`2 <= count(up == 1)`, `error 11: 2 <= sum(up == bool 1)`},
		{`count by (az) (up == 1) >= 2`, `error 15: sum by (az) (up == bool 1) >= 2`},
		{`count(up == 1) / count(up) >= 0.5`, `error 6: sum(up == bool 1) / count(up) >= 0.5`},
		{`group(up == 1) == 1`, `error 6: max(up == bool 1) == 1`},
		{`sum(x > 0) < 5`, `error 4: (sum(x > 0) or 0 * count(x)) < 5`},
		{`sum without (a) (x > 0) < 5`, `error 17: (sum without (a) (x > 0) or 0 * count without (a) (x)) < 5`},
		{`count((x > 0) * 2) < 5`, `error 7: (count((x > 0) * 2) or 0 * count(x * 2)) < 5`},
		{`max(count by (i) (x == 1)) >= 2`, `error 18: (max(count by (i) (x == 1)) or 0 * count(count by (i) (x))) >= 2`},
		{`count(sum by (i) (x > 0)) >= 2`, `error 18: (count(sum by (i) (x > 0)) or 0 * count(sum by (i) (x))) >= 2`},
		{`0 < x < 5`, `error 0: 0 < x and x < 5`},
		{`5 > (x > 0)`, `error 5: x > 0 and 5 > x`},
		{`0 < x < 5 < 9`, `error 0, error 4: 0 < x and x < 5 and x < 9`},
		{`absent(up) != 1`, `error 0: (count(up) or vector(0)) > 0`},
		{`absent(up) == 1`, `error 0: (count(up) or vector(0)) == 0`},
		{`absent_over_time(up[5m]) < 1`, `error 0: (count(count_over_time(up[5m])) or vector(0)) > 0`},
		{`count_over_time((x == 1)[5m:1m]) > 3`, `error 17: sum_over_time((x == bool 1)[5m:1m]) > 3`},
		{`sum_over_time((x > 1)[5m:]) < 3`, `error 15: (sum_over_time((x > 1)[5m:]) or 0 * count_over_time(x[5m:])) < 3`},
		{`a < 1 or count(up == 1) >= 2`, `error 15: a < 1 or sum(up == bool 1) >= 2`},
		{`a < 1 or 0 < x < 5`, `error 9: a < 1 or 0 < x and x < 5`},
		{`(a < 1 and 0 < x < 5) or b > 1`, `error 11: a < 1 and (0 < x and x < 5) or b > 1`},
		// Warnings: what is dropped may have been meant to be left out.
		{`avg(x > 0) < 5`, `warning 4: (avg(x > 0) or avg(x)) < 5`},
		{`max by (q) (x != 0) < 5`, `warning 12: (max by (q) (x != 0) or max by (q) (x)) < 5`},
		{`quantile(0.9, x > 0) < 5`, `warning 14: (quantile(0.9, x > 0) or quantile(0.9, x)) < 5`},
		{`topk(2, x > 0) < 5`, `warning 8: (topk(2, x > 0) or on () topk(2, x)) < 5`},
		{`topk without (a) (2, x > 0) < 5`, `warning 21: (topk without (a) (2, x > 0) or ignoring (a) topk without (a) (2, x)) < 5`},
		{`max_over_time((x > 1)[5m:]) < 3`, `warning 15: (max_over_time((x > 1)[5m:]) or max_over_time(x[5m:])) < 3`},
		{`(x > 0) * 2 < 5`, `warning 1: x > 0 and x * 2 < 5`},
		{`clamp_min(x > 0, 1) < 5`, `warning 10: x > 0 and clamp_min(x, 1) < 5`},
		{`(x unless x == 0) < 5`, `warning 1: x != 0 and x < 5`},
		{`(x and y > 0) < 5`, `warning 1: y > 0 and x < 5`},
		{`count(up unless up == 0) >= 2`, `warning 6: (count(up unless up == 0) or 0 * count(up)) >= 2`},
		{`count(x == 1 and y == 1) >= 2`, `error 6: (count(x == 1 and y == 1) or 0 * count(x)) >= 2`},
		// No sure form.
		{`(x unless on (i) y == 0) < 5`, `warning 1: `},
		{`(x > on (i) y) < 5`, `warning 1: `},
		{`rate((x > 1)[5m:]) < 3`, `warning 6: `},
		{`count_values("v", x > 1) < 3`, `warning 18: `},
		// Nothing to find.
		{`up == 1 and x < 5`, ``},
		{`(count(up == 1) or vector(0)) >= 2`, ``},
		{`(sum(x > 0) or 0 * sum(x)) < 5`, ``},
		{`sum(up == bool 1) >= 2`, ``},
		{`errors / (total > 0) < 0.01`, ``},
		{`sum(rate(e[5m])) / (sum(rate(t[5m])) > 10) < 0.01`, ``},
		{`(x == x) < 5`, ``},
		{`topk(1, x) < 5`, ``},
		{`(x and on (i) y) < 5`, ``},
		{`time() - x < 60`, ``},
		{`(absent(x) or vector(0)) != 1`, ``},
	} {
		e, err := Parse(test.text)
		if err != nil {
			t.Fatalf("%s: %v", test.text, err)
		}
		var all []string
		instead := ""
		for _, f := range e.Filters() {
			severity := "warning "
			if f.Certain {
				severity = "error "
			}
			all = append(all, severity+strconv.Itoa(f.Offset))
			instead = f.Instead
		}
		got := strings.Join(all, ", ")
		if got != "" {
			got += ": " + instead
		}
		if got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.text, got, test.want)
		}
		if instead == "" {
			continue
		}
		back, err := Parse(instead)
		if err != nil {
			t.Errorf("%s: %v", instead, err)
			continue
		}
		if more := back.Filters(); len(more) > 0 {
			t.Errorf("%s has still %v", instead, more)
		}
		if _, err := back.Truth(); err != nil {
			t.Errorf("%s: %v", instead, err)
		}
	}
}
