package rulegen

import (
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Comments of rules. They say what a rule records or when an alert fires, and
// explain its constants, for people who review the rules or read them at night.

// says adds a line to the rule's comment.
func (r Rule) says(format string, args ...any) Rule {
	if r.Comment != "" {
		r.Comment += "\n"
	}
	r.Comment += fmt.Sprintf(format, args...)
	return r
}

// saysAll adds lines to the rule's comment.
func (r Rule) saysAll(lines []string) Rule {
	for _, line := range lines {
		r = r.says("%s", line)
	}
	return r
}

// inRules is a number as expressions print it.
func inRules(d sla.Decimal) string { return promql.Num(d).String() }

// secondsOf is a duration in seconds as expressions print it, with what it is: "86400 = 1d in seconds".
func secondsOf(d time.Duration) string {
	return fmt.Sprintf("%s = %s in seconds", inRules(sla.Seconds(d)), sla.FormatDuration(d))
}

// sumWords are what the level's sums of total and bad are called.
func sumWords(l level) (total, bad string) {
	if l.Aggregation.ByTime() {
		return "known seconds", "bad seconds"
	}
	return "events", "bad events"
}

// tallyWords name what a tally sums.
func tallyWords(l level, t metricnames.Tally) string {
	total, bad := sumWords(l)
	switch t.Rate {
	case metricnames.TotalRate:
		return total
	case metricnames.BadRate:
		return bad
	case metricnames.RawTotalRate:
		return total + ", nothing left out,"
	case metricnames.RawBadRate:
		return bad + ", nothing left out,"
	case metricnames.ExcludedTotalRate:
		return total + " that exclusions take out"
	case metricnames.ExcludedBadRate:
		return bad + " that exclusions take out"
	case metricnames.AgreedMask:
		return "known seconds of agreed time"
	case metricnames.RemovedMask:
		return "agreed seconds that conditions remove"
	case metricnames.MissingRate:
		return "missing seconds"
	case metricnames.ExclusionBadRate:
		return "what was bad while an exclusion with a cap held"
	case metricnames.BlameRate:
		return "bad seconds that each component caused"
	}
	panic("rulegen: no words for what is summed of " + t.Rate)
}

// titled is a text with a capital letter, to begin a sentence.
func titled(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// perInterval explains the factor of sums of rates.
func perInterval(l level) string {
	return fmt.Sprintf("%s: each rate stands for the %s until the next one.", inRules(sla.Seconds(l.interval)), sla.FormatDuration(l.interval))
}

// evaluationsIn says how many evaluations a time has.
func (l level) evaluationsIn(d time.Duration) string {
	return fmt.Sprintf("%s = evaluations in %s, one every %s", inRules(sla.NewDecimal(int64(d), int64(l.interval))), sla.FormatDuration(d), sla.FormatDuration(l.interval))
}

// whose begins comments about what is counted for a composite: it names the component.
func (c counting) whose() string {
	label := c.extra[metricnames.Component]
	switch c.into.total {
	case metricnames.ComponentTotal:
		return "Component " + label + ": "
	case metricnames.EndToEndTotal:
		return "End to end by " + label + ": "
	}
	return ""
}

// about says something about what is counted.
func (c counting) about(r Rule, text string) Rule {
	if c.whose() == "" {
		text = titled(text)
	}
	return r.says("%s%s", c.whose(), text)
}

// counts says what is counted, and when.
func (c counting) counts(r Rule, what string) Rule {
	r = c.about(r, what+" "+c.when()+".")
	if c.byMinutes() && c.into.window > time.Minute {
		r = r.says("%d = minutes in %s", c.into.window/time.Minute, sla.FormatDuration(c.into.window))
	}
	return r
}

// looked says when states are looked at.
func looked(c counting) string {
	if c.into.cut == time.Minute {
		return "at the end of the last minute"
	}
	return "at the last multiple of " + sla.FormatDuration(c.into.cut)
}

// when says over which time the level's indicator is counted.
func (c counting) when() string {
	window := sla.FormatDuration(c.into.window)
	switch {
	case c.into.cut == 0:
		return "over the last " + window
	case c.into.cut < time.Minute:
		return fmt.Sprintf("over %s, every %s", window, sla.FormatDuration(c.into.cut))
	case c.into.cut == time.Minute && c.into.window == time.Minute:
		return "of the last whole minute, read " + sla.FormatDuration(settle) + " after its end"
	case c.into.cut == time.Minute:
		return fmt.Sprintf("of the %s up to the last whole minute, read %s after its end", window, sla.FormatDuration(settle))
	}
	return fmt.Sprintf("of the last whole slot of %s, read %s after its end", window, sla.FormatDuration(settle))
}

// limitsGroups explains in a rule's comment how its groups are limited.
func (c counting) limitsGroups(r Rule) Rule {
	if !c.grouped() {
		return r
	}
	return r.says("At most %d groups: those that are known have rank 2 and go before new ones, which have 1.", c.GroupBy.Limit)
}

// firstOf are the first words of many, and how many more there are.
func firstOf(words []string) string {
	const most = 4
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(words[:most], ", "), len(words)-most)
}

// instant is a time for people.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z") }
