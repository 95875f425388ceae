package metricnames_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// TestSheetOfNames demands that docs/series.md is what this package says about
// its names. With -update it is written.
func TestSheetOfNames(t *testing.T) {
	var series, labels strings.Builder
	all := blocks(t)
	for i := range all {
		all[i].parseLabels(labelsOf(all))
	}
	seriesLike := regexp.MustCompile(`^(sla[:_]|upheld_|blackbox_)`)
	for _, b := range all {
		switch {
		case strings.HasPrefix(b.doc, "Labels "):
			for _, n := range b.names {
				fmt.Fprintf(&labels, "| `%s` | %s |\n", n.value, n.meaning)
			}
		case len(b.names) > 1 && seriesLike.MatchString(b.names[0].value):
			title, more, _ := strings.Cut(b.doc, ". ")
			fmt.Fprintf(&series, "\n## %s\n\n%s| name | labels | meaning |\n|---|---|---|\n", strings.TrimSuffix(title, "."), paragraph(more))
			for _, n := range b.names {
				fmt.Fprintf(&series, "| `%s` | %s| %s |\n", n.shown(), padded(n.labels), n.meaning)
			}
		}
	}
	golden.Equal(t, "../../docs/series.md", []byte(head+series.String()+sums()+"\n## Labels\n\n| label | says |\n|---|---|\n"+labels.String()))
}

const head = `# Series and labels

<!-- Made from internal/metricnames by "go test ./internal/metricnames -update". -->

All names at a glance. Formulas and units of recorded series are in [rules.md](rules.md), [periods.md](periods.md),
[service-hours.md](service-hours.md) and [composites.md](composites.md); the exporter's metrics are in [metrics.md](metrics.md).

Names of recorded series read ` + "`sla:what:how`" + `. The first layer is recorded every minute: rates and windows of up to six hours. The
second layer is recorded every five minutes: increases, longer windows and periods. The third layer sums long periods every half hour. What
has no value now is absent, never NaN.
`

// summed are the quantities of a level that are added up over a period.
var summed = []string{
	"total", "bad", "missing", "raw_total", "raw_bad", "excluded_total", "excluded_bad", "agreed", "removed", "exclusion_bad", "blame",
}

// sums is the table of what each of them is recorded as.
func sums() string {
	names := metricnames.TallyOf("*", "")
	return "\n## Sums of a level\n\nWhere `*` is `" + strings.Join(summed, "`, `") + "`, with the labels of the series `sla:*:rate5m` (or `sla:*:mask`) that is summed.\n\n" +
		"| name | labels | meaning |\n|---|---|---|\n" +
		fmt.Sprintf("| `%s` | | second layer: the amount since its last evaluation |\n", names.Increase) +
		fmt.Sprintf("| `%s` | `period` | the amount of the period |\n", names.Sum) +
		fmt.Sprintf("| `%s`, `%s` | `period` | of periods of two days and longer: the amount up to the last whole hour (third layer), and since then; of calendar periods with `start` |\n", names.ToHour, names.SinceHour) +
		fmt.Sprintf("| `%s`, `%s` | `period`, `start` | the two by calendar period |\n", names.Tagged, names.ByStart) +
		fmt.Sprintf("| `%s` | `period`, `start` | the final amount of the calendar period before |\n", names.SumOfPrevious)
}

func padded(cell string) string {
	if cell == "" {
		return ""
	}
	return cell + " "
}

func paragraph(text string) string {
	if text == "" {
		return ""
	}
	return text + "\n\n"
}

// block is a block of constants with its comment.
type block struct {
	doc   string
	names []name
}

// name is a constant with its comment, which is "labels; meaning" or "meaning".
type name struct{ value, labels, meaning string }

// shown marks names that a window is appended to.
func (n name) shown() string {
	if strings.Contains(n.meaning, "window that the name ends with") {
		return n.value + "<window>"
	}
	return n.value
}

// blocks reads the constants of the package; each needs a comment.
func blocks(t *testing.T) []block {
	t.Helper()
	var all []block
	for _, file := range []string{"names.go", "calendar.go", "masks.go", "composite.go", "recovery.go", "rollup.go", "serve.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if constants, ok := d.(*ast.GenDecl); ok && constants.Tok == token.CONST {
				all = append(all, blockOf(t, constants))
			}
		}
	}
	return all
}

// labelsOf are the names in blocks of labels.
func labelsOf(all []block) []string {
	var labels []string
	for _, b := range all {
		for _, n := range b.names {
			if strings.HasPrefix(b.doc, "Labels ") {
				labels = append(labels, n.value)
			}
		}
	}
	return labels
}

// parseLabels takes the labels from the comments that begin with some.
func (b *block) parseLabels(known []string) {
	unknown := func(label string) bool { return !slices.Contains(known, label) }
	for i := range b.names {
		n := &b.names[i]
		before, after, found := strings.Cut(n.meaning, "; ")
		if labels := strings.Split(before, ", "); found && !slices.ContainsFunc(labels, unknown) {
			n.labels, n.meaning = "`"+strings.Join(labels, "`, `")+"`", after
		}
	}
}

func blockOf(t *testing.T, constants *ast.GenDecl) block {
	t.Helper()
	b := block{doc: strings.Join(strings.Fields(constants.Doc.Text()), " ")}
	for _, spec := range constants.Specs {
		constant := spec.(*ast.ValueSpec)
		value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n := name{value: value, meaning: strings.TrimSpace(constant.Comment.Text())}
		if n.meaning == "" && constants.Lparen.IsValid() && !strings.HasPrefix(b.doc, "Outcomes") && !strings.HasPrefix(b.doc, "Values") {
			t.Errorf("%s: the name has no comment that says what it means", value)
		}
		b.names = append(b.names, n)
	}
	return b
}
