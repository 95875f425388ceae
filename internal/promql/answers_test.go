package promql

import "testing"

// A count of answers counts those that are 0 too, so it is found, with the form
// that adds the answers up; that form has nothing left to find.
func TestCountsOfAnswersAreFound(t *testing.T) {
	for _, test := range []struct {
		text    string
		offset  int
		instead string
	}{
		{`count(x == bool 1) >= 2`, 0, `sum(x == bool 1) >= 2`},
		{`2 <= count((x == bool 1))`, 5, `2 <= sum(x == bool 1)`},
		{`count by (az) (x > bool 1) >= 2`, 0, `sum by (az) (x > bool 1) >= 2`},
		{`count(x == bool 1) / count(x) > 0.5`, 0, `sum(x == bool 1) / count(x) > 0.5`},
		{`count(x == bool 1) / count(x == bool 1) > 0.5`, 0, `sum(x == bool 1) / count(x == bool 1) > 0.5`},
		{`group(x == bool 1) == 1`, 0, `max(x == bool 1) == 1`},
		{`count_over_time((x == bool 1)[5m:1m]) > 3`, 0, `sum_over_time((x == bool 1)[5m:1m]) > 3`},
		{`y < 1 and (count(x == bool 1) - 1) * 2 >= 2`, 11, `y < 1 and (sum(x == bool 1) - 1) * 2 >= 2`},
		{`count(x == bool y) >= 2`, 0, `sum(x == bool y) >= 2`},
	} {
		e, err := Parse(test.text)
		if err != nil {
			t.Fatalf("%s: %v", test.text, err)
		}
		found := e.CountsOfAnswers()
		if len(found) != 1 || found[0].Offset != test.offset || found[0].Instead != test.instead {
			t.Errorf("%s: %+v, want %d: %s", test.text, found, test.offset, test.instead)
			continue
		}
		back, err := Parse(found[0].Instead)
		if err != nil {
			t.Fatalf("%s: %v", found[0].Instead, err)
		}
		if more := back.CountsOfAnswers(); len(more) > 0 {
			t.Errorf("%s has still %+v", found[0].Instead, more)
		}
	}
	for _, text := range []string{
		`count(x) >= 2`, `count(x == 1) >= 2`, `sum(x == bool 1) >= 2`, `sum(x == bool 1) / count(x == bool 1) > 0.5`,
		`count_values("v", x == bool 1) >= 2`, `count(1 - (x == bool 1)) >= 2`, `1 == bool 1`,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if found := e.CountsOfAnswers(); len(found) > 0 {
			t.Errorf("%s: %+v", text, found)
		}
	}
}
