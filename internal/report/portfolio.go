package report

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// portfolioView is the page over several agreements.
type portfolioView struct {
	Title  string
	Counts string
	Rows   []portfolioRow
	Trend  bool
}

type portfolioRow struct {
	Agreement, Description string
	Href                   string
	Period                 string
	Mark                   mark
	Headline               string
	Counts                 string
	Credit                 string
	Trend                  []trendCell
}

// anchorPrefix makes the anchors of several reports on one page distinct.
func anchorPrefix(i, of int) string {
	if of == 1 {
		return ""
	}
	return fmt.Sprintf("report-%d-", i+1)
}

// newPortfolio lists the reports in their order. fileName names the file of each; it is
// nil if they follow on the same page.
func newPortfolio(reports, history []*verdict.Report, fileName func(*verdict.Report) string) *portfolioView {
	v := &portfolioView{Title: plural(len(reports), "agreement")}
	periods, counts := map[string]bool{}, map[verdict.Verdict]int{}
	for i, r := range reports {
		m, words := headline(r)
		row := portfolioRow{
			Agreement: oneLine(r.Agreement), Description: oneLine(r.Description), Period: periodWords(r.Period), Mark: m, Headline: words,
			Counts: countVerdicts(r), Href: "#" + anchorPrefix(i, len(reports)) + "review",
		}
		if fileName != nil {
			row.Href = fileName(r)
		}
		row.Credit = creditWords(r.Credit)
		if t := newTrend(r, history); t != nil {
			row.Trend, v.Trend = t.Overall, true
		}
		periods[row.Period] = true
		counts[r.Verdict]++
		v.Rows = append(v.Rows, row)
	}
	if len(periods) == 1 {
		v.Title += " in " + v.Rows[0].Period
	}
	var parts []string
	for _, w := range verdictTable {
		if n := counts[w.verdict]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(w.word)))
		}
	}
	v.Counts = upperFirst(strings.Join(parts, ", "))
	return v
}
