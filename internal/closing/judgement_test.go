package closing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// revisionsSpec are two revisions of an agreement, the second from the middle of
// October 2020 on.
func revisionsSpec(first, split string) string {
	text := ""
	for i, from := range []string{first, "2020-10-15"} {
		effective := ""
		if from != "" {
			effective = fmt.Sprintf(", effectiveFrom: %q", from)
		}
		text += fmt.Sprintf("---\napiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop, revision: %d%s}\nspec:\n  period: month\n  splitPeriods: %s\n"+
			"  serviceLevels:\n    - {name: up, target: \"9%d\", indicator: {condition: {expr: up == 1}}}\n", i+1, effective, split, i+1)
	}
	return text
}

func TestReportsAreJudgedByTheRevisionInForce(t *testing.T) {
	now := time.Date(2021, 2, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ does, first, split, period, want string }{
		{"before", "", "false", "2020-09", "2020-09 by 1, 09-01 to 10-01"},
		{"in its month", "", "false", "2020-10", "2020-10 by 1, 10-01 to 11-01"},
		{"after", "", "false", "2020-11", "2020-11 by 2, 11-01 to 12-01"},
		{"split", "", "true", "2020-10", "2020-10 revision 1 by 1, 10-01 to 10-15; 2020-10 revision 2 by 2, 10-15 to 11-01"},
		{"not in force yet", "2020-10-05", "false", "2020-09", "2020-09 by 2, 09-01 to 10-01, never in force"},
		{"in force from within", "2020-10-05", "false", "2020-10", "2020-10 by 1, 10-01 to 11-01, in force from 10-05"},
	} {
		t.Run(c.does, func(t *testing.T) {
			agreements, findings := spec.LoadText("spec.yaml", revisionsSpec(c.first, c.split))
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			name, err := sla.ParsePeriodName(c.period)
			if err != nil {
				t.Fatal(err)
			}
			all, err := Judgements(agreements, &name, now)
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, j := range all {
				w := fmt.Sprintf("%s by %d, %s to %s", j.Title, j.Agreement.Terms.Revision, j.Start.Format("01-02"), j.End.Format("01-02"))
				switch {
				case j.InForce != nil && len(j.InForce) == 0:
					w += ", never in force"
				case j.InForce != nil:
					w += ", in force from " + j.InForce[0].From.Format("01-02")
				}
				words = append(words, w)
			}
			if got := strings.Join(words, "; "); got != c.want {
				t.Errorf("%s\nwant\n%s", got, c.want)
			}
		})
	}
}
