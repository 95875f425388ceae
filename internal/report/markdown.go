package report

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// Markdown is GitHub-flavoured Markdown. Every text from others is escaped, so that
// none can make a heading, a link, a mention or another cell.
func Markdown(reports, history []*verdict.Report) ([]byte, error) {
	m := &markdown{}
	if len(reports) > 1 {
		m.portfolio(newPortfolio(reports, history, nil))
	}
	for i, r := range reports {
		m.review(newReview(r, history, anchorPrefix(i, len(reports))))
	}
	return []byte(m.b.String()), nil
}

// markdown writes blocks. Its methods take plain texts and escape them.
type markdown struct{ b strings.Builder }

func (m *markdown) heading(level int, text string) {
	if m.b.Len() > 0 {
		m.b.WriteString("\n")
	}
	fmt.Fprintf(&m.b, "%s %s\n", strings.Repeat("#", level), escaped(text))
}

func (m *markdown) paragraph(text string) {
	if text != "" {
		fmt.Fprintf(&m.b, "\n%s\n", escaped(text))
	}
}

func (m *markdown) items(items []string) {
	m.b.WriteString("\n")
	for _, item := range items {
		fmt.Fprintf(&m.b, "- %s\n", escaped(item))
	}
}

// table writes rows of plain texts.
func (m *markdown) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	line := func(cells []string) {
		m.b.WriteString("|")
		for _, c := range cells {
			m.b.WriteString(" " + escaped(c) + " |")
		}
		m.b.WriteString("\n")
	}
	m.b.WriteString("\n")
	line(head)
	m.b.WriteString("|" + strings.Repeat(" --- |", len(head)) + "\n")
	for _, r := range rows {
		line(r)
	}
}

// special are characters that may have a meaning in Markdown anywhere in a line. "@"
// and ":" are written as entities, since a backslash does not stop GitHub from making
// mentions and links.
var special = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`, "#", `\#`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "&#64;", "://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;",
	thin, " ", "\u00a0", " ",
)

// escaped makes Markdown show a text literally, in one line.
func escaped(s string) string {
	s = special.Replace(oneLine(s))
	// At the start of a block these would begin a list or a rule; in a table they are
	// harmless.
	if s != "" && strings.ContainsRune("+-=!", rune(s[0])) {
		return `\` + s
	}
	if digits := strings.TrimLeft(s, "0123456789"); len(digits) < len(s) && digits != "" && (digits[0] == '.' || digits[0] == ')') {
		if rest := digits[1:]; rest == "" || rest[0] == ' ' {
			return s[:len(s)-len(digits)] + `\` + digits
		}
	}
	return s
}
