package rulegen

import (
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// sinceWithin is how far back the start of an outage is looked for.
const sinceWithin = 24 * time.Hour

// sinceWords say in a burn alert since when the bad share of the base window has
// been above what the objective allows.
func (bn burning) sinceWords() string {
	return bn.askSince("{{ .Value | humanizeTimestamp }}{{ else }}no longer, the last five minutes that are known are within the budget")
}

// sinceClock is the same as part of a sentence, " since 09:14 UTC"; nothing if
// the outage is over.
func (bn burning) sinceClock() string {
	return bn.askSince("{{ with toTime .Value }} since {{ .UTC.Format `15:04 MST` }}{{ end }}")
}

// askSince queries when an outage began, for use in a text: it looks for the last minute
// that was within the budget, and then for the first minute after it that was not. Only
// active alerts ask, so no series is recorded for it. Nor does it depend on the server's
// memory of when an alert began, which a restart may lose. A gap in which the server did
// not run neither ends an outage nor begins one. Steps of subqueries are at whole minutes.
func (bn burning) askSince(text string) string {
	var matchers, values []string
	for i, label := range bn.joinLabels() {
		matchers, values = append(matchers, fmt.Sprintf("%s=%%[%d]q", label, i+1)), append(values, "$labels."+label)
	}
	own := append(matchers, bn.extraFormats()...)
	series := func(name string) string { return name + "{" + strings.Join(own, ",") + "}" }
	budget := bn.ObjectiveBudget().String()
	if bn.ownTargets() {
		budget = "scalar(1 - " + series(metricnames.ObjectiveRatio) + ")"
	}
	day := sla.FormatDuration(sinceWithin)
	share := series(ratioName(sla.BaseWindow))
	within := fmt.Sprintf("max_over_time((time() + 0 * (%s <= %s))[%s:1m])", share, budget, day)
	over := fmt.Sprintf("min_over_time(((time() + 0 * (%s > %s)) > %%[%d]f)[%s:1m])", share, budget, len(values)+1, day)
	arguments := strings.Join(values, " ")
	return fmt.Sprintf("{{ $good := 0.0 }}{{ range printf %s %s | query }}{{ $good = .Value }}{{ end }}"+
		"{{ range printf %s %s $good | query }}%s{{ end }}",
		templateText(within), arguments, templateText(over), arguments, text)
}
