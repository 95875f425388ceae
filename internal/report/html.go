package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
)

//go:embed templates
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"sparkColumn": sparkColumn,
	"sparkWords":  sparkWords,
	"bare":        func(s string) string { return strings.TrimSuffix(s, thin+"%") },
	"rounding":    func() []string { return roundingWords },
	"legend":      legend,
}).ParseFS(files, "templates/*.html"))

// pageView is one HTML file.
type pageView struct {
	Title     string
	Style     template.CSS
	Portfolio *portfolioView
	Reviews   []*reviewView
}

// HTML is the service review as one self-contained file: no scripts, no requests.
// Several reports follow after a page that lists them.
func HTML(reports, history []*verdict.Report) ([]byte, error) {
	v := pageView{}
	if len(reports) != 1 {
		v.Portfolio = newPortfolio(reports, history, nil)
		v.Title = v.Portfolio.Title
	}
	for i, r := range reports {
		v.Reviews = append(v.Reviews, newReview(r, history, anchorPrefix(i, len(reports))))
	}
	if len(reports) == 1 {
		r := v.Reviews[0]
		v.Title = fmt.Sprintf("%s, %s: %s", r.Agreement, r.Period, r.Mark.Word)
	}
	return render(v)
}

// portfolioHTML is the page over several reports, whose files are in the same folder.
func portfolioHTML(reports, history []*verdict.Report, fileName func(*verdict.Report) string) ([]byte, error) {
	p := newPortfolio(reports, history, fileName)
	return render(pageView{Title: p.Title, Portfolio: p})
}

func render(v pageView) ([]byte, error) {
	style, err := files.ReadFile("templates/style.css")
	if err != nil {
		return nil, err
	}
	v.Style = template.CSS(style) //nolint:gosec // our own file
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "page", v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// column is a cell of a trend as it is drawn, in a box of 120 × 34.
type column struct{ X, Mid, Y, H string }

func sparkColumn(i int, c trendCell) column {
	height := 34 * c.Height / 100
	x := float64(i) * 10
	return column{number(x), number(x + 3.5), number(34 - height), number(height)}
}

func sparkWords(cells []trendCell) string {
	var parts []string
	for _, c := range cells {
		words := c.Short + " " + strings.ToLower(c.Mark.Word)
		if c.Known {
			words += " " + c.Achieved
		}
		parts = append(parts, words)
	}
	return strings.Join(parts, ", ")
}

// legend lists the symbols of verdicts, each class once.
func legend() []mark {
	var marks []mark
	seen := map[string]bool{}
	for _, w := range verdictTable {
		if !seen[w.class] {
			seen[w.class] = true
			marks = append(marks, mark{w.word, w.class})
		}
	}
	return marks
}

// MeterWidth is how much of the budget's bar is filled, in per cent.
func (v *levelView) MeterWidth() string { return number(min(100, 100*v.UsedShare)) }
