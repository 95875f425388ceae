package report

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// A page shows all of a credit that is in the JSON, also days of service and evidence.
func TestPagesSayWhatFollowsBesidesMoney(t *testing.T) {
	r := breached(t)
	r.Credit = &verdict.TotalCredit{
		Percent: "12.5", Gross: "25", ExtendedBy: "3", ClaimBy: "2026-12-31", Evidence: []string{"dates and times", "request logs"},
		Termination: "three of the last six months were breached", Words: "One level was breached.",
	}
	for name, render := range map[string]func([]*verdict.Report, []*verdict.Report) ([]byte, error){"html": HTML, "markdown": Markdown} {
		text, err := render([]*verdict.Report{r}, nil)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.NewReplacer(thin, " ", "\u00a0", " ").Replace(string(text))
		for _, want := range []string{
			"3 days", "25 % of the fee", "dates and times; request logs", "Right to end the agreement",
			"Three of the last six months were breached",
		} {
			if !strings.Contains(plain, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
		if strings.Contains(plain, "No credit is due") {
			t.Errorf("%s says that no credit is due", name)
		}
	}
}
