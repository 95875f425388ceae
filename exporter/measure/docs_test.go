package measure

import (
	"fmt"
	"io"
	"strings"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// WriteDocs writes the reference of the exporter's metrics as Markdown.
func WriteDocs(w io.Writer) error {
	var b strings.Builder
	b.WriteString(docsHead)
	b.WriteString("\n## Of each target\n\nEach series carries ")
	b.WriteString(labelList(targetLabels) + ":\n\n" + docsLabels)
	writeMetrics(&b, targetMetrics())
	writeReasons(&b)
	b.WriteString("\n## Of the exporter itself\n\nBesides these there are the usual `go_*` and `process_*` metrics.\n")
	writeMetrics(&b, selfMetrics())
	b.WriteString(docsTail)
	_, err := io.WriteString(w, b.String())
	return err
}

const docsHead = `# Metrics of the exporter

<!-- Generated from exporter/measure/catalog.go and exporter/probe/reason.go by
     "go test ./exporter/measure -update". Do not edit. -->

` + "`upheld-exporter`" + ` exposes these metrics, and so does ` + "`upheld serve`" + ` for its own probes. All series of a target except those by reason are there from the first scrape, at 0,
so ` + "`increase()`" + ` and ` + "`rate()`" + ` see the first event. None has a timestamp.

If Prometheus asks for native histograms (` + "`scrape_native_histograms: true`" + `), it gets them; otherwise it gets classic buckets. The scraper chooses the format (Prometheus' text, OpenMetrics or
protobuf), and compression with gzip.
`

const docsLabels = "- `sla`, `service`, `slo`: the service level that defines the probe\n" +
	"- `target`: what is probed, a URL or host:port, without user name and password\n" +
	"- `location`: where the exporter probes from (`--location`)\n" +
	"- `address`, only with `addresses: each`: which address of the target\n"

const docsTail = `
## Recorded series

<!-- recorded-series -->
The rules record ` + "`sla:*`" + ` series from these metrics and from those of your services: [rules.md](rules.md). All names on one page: [series.md](series.md).
<!-- /recorded-series -->
`

func writeMetrics(b *strings.Builder, metrics []description) {
	for _, m := range metrics {
		fmt.Fprintf(b, "\n### `%s`\n\n%s", m.Name, strings.ToUpper(m.Type[:1])+m.Type[1:])
		if extra := m.Labels[min(len(m.Labels), ownLabels(m)):]; len(extra) > 0 {
			fmt.Fprintf(b, " by %s", labelList(extra))
		}
		fmt.Fprintf(b, ". %s\n", m.Help)
		if m.Note != "" {
			fmt.Fprintf(b, "\n%s\n", m.Note)
		}
	}
}

// ownLabels is how many of a metric's labels only name its target.
func ownLabels(m description) int {
	if len(m.Labels) >= len(targetLabels) && m.Labels[0] == targetLabels[0] {
		return len(targetLabels)
	}
	return 0
}

func labelList(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

func writeReasons(b *strings.Builder) {
	b.WriteString("\n### Reasons\n\n| reason | counts as | kinds of probe | meaning |\n|---|---|---|---|\n")
	var order []probe.Reason
	kinds := map[probe.Reason][]string{}
	for _, kind := range probe.Kinds() {
		for _, r := range probe.Reasons(kind) {
			if kinds[r] == nil {
				order = append(order, r)
			}
			kinds[r] = append(kinds[r], kind)
		}
	}
	for _, r := range order {
		of := strings.Join(kinds[r], ", ")
		if len(kinds[r]) == len(probe.Kinds()) {
			of = "all"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", r, r.Outcome(), of, r.Help())
	}
}
