package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// verdictWords has the words for a verdict.
type verdictWords struct {
	verdict verdict.Verdict
	word    string
	class   string // of colour and symbol: good, bad, warn, none
	means   string
}

// verdictTable has a line for every verdict. Too little data is neutral, neither good
// nor bad.
var verdictTable = []verdictWords{
	{verdict.Met, "Met", "good", "the promise was kept"},
	{verdict.Breached, "Breached", "bad", "the promise was not kept"},
	{verdict.Disputed, "In dispute", "warn", "the parties do not agree on an exclusion that decides"},
	{verdict.Insufficient, "Insufficient data", "unsure", "too little was measured to say whether the promise was kept"},
	{verdict.NotApply, "Not applicable", "none", "there was no agreed time, or the promise was not in force"},
	{verdict.DeclaredOnly, "Declared only", "none", "the agreement declares something without a number that could be measured"},
}

// wordsOf finds the line of a verdict; an unknown verdict is shown as it is.
func wordsOf(v verdict.Verdict) verdictWords {
	for _, w := range verdictTable {
		if w.verdict == v {
			return w
		}
	}
	return verdictWords{v, oneLine(string(v)), "none", ""}
}

// mark is a state for a page: a word and a symbol, never a colour alone.
type mark struct{ Word, Class string }

// markOf is the mark of a verdict, which may not be final yet.
func markOf(v verdict.Verdict, running bool) mark {
	w := wordsOf(v)
	if running && (v == verdict.Met || v == verdict.Breached) {
		w.word += " so far"
	}
	return mark{w.word, w.class}
}

// running returns whether the period was not over when it was judged.
func running(p verdict.ReportPeriod) bool { return p.Until.Before(p.End) }

// periodOf is the period of a level: its own if it has one, else the report's.
func periodOf(r *verdict.Report, l *verdict.Level) verdict.ReportPeriod {
	if l.Period != nil {
		return *l.Period
	}
	return r.Period
}

// headline is the first line of a report: its verdict, and the rest of the sentence.
func headline(r *verdict.Report) (mark, string) {
	m := markOf(r.Verdict, running(r.Period))
	text := strings.Replace(oneLine(r.Summary), "n "+oneLine(r.Period.Name)+" ", "n "+periodWords(r.Period)+" ", 1) // "In 2026-10", "So far in 2026-10"
	for _, word := range []string{m.Word, wordsOf(r.Verdict).word} {
		rest, found := strings.CutPrefix(text, word+": ")
		if found {
			first, size := utf8.DecodeRuneInString(rest)
			return m, string(unicode.ToUpper(first)) + rest[size:]
		}
	}
	if text == "" {
		text = "The agreement " + oneLine(r.Agreement) + " in " + periodWords(r.Period) + ": " + wordsOf(r.Verdict).means + "."
	}
	return m, text
}

// phrase explains a word of the JSON to people.
type phrase struct{ word, words string }

// Words for the three choices, which are shown beside every value. Values without a
// table entry are shown as they are.
var (
	exclusionWords = []phrase{
		{"treat_as_up", "excluded time counts as good"},
		{"remove_from_agreed_time", "excluded time is taken out of agreed time"},
		{"none", "nothing was excluded"},
	}
	unknownWords = []phrase{
		{"excluded", "unknown time is left out"},
		{"good", "unknown time counts as good"},
		{"bad", "unknown time counts as bad"},
	}
	standingWords = []phrase{{"to_date", "to date"}, {"final", "final"}}

	categoryWords = []phrase{
		{"maintenance", "maintenance"},
		{"customer_caused", "caused by the customer"},
		{"force_majeure", "force majeure"},
		{"third_party", "caused by a third party"},
		{"provider", "provider"},
		{"customer", "customer"},
		{"unknown", "unknown"},
	}
	effectWords = []phrase{
		{"treat_as_up", "counts as good"}, {"remove_from_agreed_time", "taken out of agreed time"}, {"remove_downtime_only", "downtime taken out of agreed time"},
	}
	checkWords = []phrase{
		{"worst_hour", "Worst hour"},
		{"one_place", "One place suffers"},
		{"many_outages", "Many outages"},
		{"thin_data", "Thin data"},
		{"excluded_share", "Much was excluded"},
	}
)

// inWords looks a word up, or else makes a phrase of it: "repeat_cause" is "repeat
// cause".
func inWords(table []phrase, word string) string {
	for _, p := range table {
		if p.word == word {
			return p.words
		}
	}
	return strings.ReplaceAll(oneLine(word), "_", " ")
}

// dateWords prints "2026-12-31" as "31 December 2026", and other texts as they are.
func dateWords(s string) string {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day.Format("2 January 2006")
	}
	return oneLine(s)
}

// choiceWords prints the three choices in one line.
func choiceWords(c verdict.Choices) string {
	var parts []string
	notSeen := ""
	if c.NotSeen != "" && c.NotSeen != c.Unknown {
		notSeen = strings.Replace(inWords(unknownWords, c.NotSeen), "unknown time", "time that was not seen", 1)
	}
	for _, p := range []string{
		inWords(standingWords, c.Standing), inWords(exclusionWords, c.Exclusions), inWords(unknownWords, c.Unknown), notSeen,
	} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return upperFirst(strings.Join(parts, " · "))
}

func upperFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// periodWords names a period: "October 2026", "the 3rd quarter of 2026", "week 41 of
// 2026", "2026"; other names stay as they are.
func periodWords(p verdict.ReportPeriod) string {
	if month, err := time.Parse("2006-01", p.Name); err == nil {
		return month.Format("January 2006")
	}
	if length, end, found := strings.Cut(p.Name, " to "); found {
		return rollingWords(length) + " to " + dayWords(end)
	}
	year, rest, found := strings.Cut(p.Name, "-")
	if _, err := time.Parse("2006", year); !found || err != nil || len(rest) < 2 {
		return oneLine(p.Name)
	}
	switch number := rest[1:]; rest[0] {
	case 'Q':
		return "quarter " + number + " of " + year
	case 'W':
		return "week " + strings.TrimPrefix(number, "0") + " of " + year
	}
	return oneLine(p.Name)
}

// LengthWords prints the length of a rolling period in words: "30 days" for 30d.
func LengthWords(length string) string { return rollingWords(length) }

func rollingWords(length string) string {
	for _, unit := range []phrase{{"d", "day"}, {"w", "week"}, {"h", "hour"}} {
		if n, err := strconv.Atoi(strings.TrimSuffix(length, unit.word)); err == nil && strings.HasSuffix(length, unit.word) {
			return plural(n, unit.words)
		}
	}
	return oneLine(length)
}

// dayWords prints "2026-11-01" as "1 November 2026", even with a time of day after it.
func dayWords(end string) string {
	day, clock, _ := strings.Cut(end, " ")
	return strings.TrimSpace(dateWords(day) + " " + oneLine(clock))
}

// PeriodWords is the name of a period for people: "October 2026".
func PeriodWords(name string) string {
	return upperFirst(periodWords(verdict.ReportPeriod{Name: name}))
}

// shortPeriod is a period's name under a column: "Oct", "Q3", "W41".
func shortPeriod(p verdict.ReportPeriod) string {
	if month, err := time.Parse("2006-01", p.Name); err == nil {
		return month.Format("Jan")
	}
	if _, rest, found := strings.Cut(p.Name, "-"); found && len(rest) < 4 {
		return rest
	}
	name := []rune(oneLine(p.Name))
	return string(name[:min(len(name), 8)])
}

// zoneOf is the zone of the period, UTC if this machine does not know it.
func zoneOf(p verdict.ReportPeriod) *time.Location {
	loc, err := time.LoadLocation(p.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// clock prints times in the zone of a period.
type clock struct{ loc *time.Location }

func clockOf(p verdict.ReportPeriod) clock { return clock{zoneOf(p)} }

// zoneAt is " CEST" for a time that the clock shows twice, when it is put back, and
// otherwise "".
func (c clock) zoneAt(t time.Time) string {
	const around = 3 * time.Hour // longer than any change of clocks
	_, before := t.Add(-around).In(c.loc).Zone()
	name, now := t.In(c.loc).Zone()
	_, after := t.Add(around).In(c.loc).Zone()
	for _, other := range []int{before, after} {
		back := time.Duration(now-other) * time.Second // when the other offset shows the same time
		if _, then := t.Add(back).In(c.loc).Zone(); other != now && then == other {
			return " " + name
		}
	}
	return ""
}

// moment is a time with its machine-readable form.
type moment struct{ ISO, Text string }

// day prints "1 October 2026", and the time of the day unless it is midnight.
func (c clock) day(t time.Time) moment {
	t = t.In(c.loc)
	text := t.Format("2 January 2006")
	if t.Hour() != 0 || t.Minute() != 0 {
		text += t.Format(", 15:04")
	}
	return moment{t.Format(time.RFC3339), text}
}

// instant prints "Tue 6 Oct 14:02:15".
func (c clock) instant(t time.Time) moment {
	t = t.In(c.loc)
	return moment{t.Format(time.RFC3339), t.Format("Mon 2 Jan 15:04:05") + c.zoneAt(t)}
}

// until prints the end of a span that starts at from: the time alone on the same day.
func (c clock) until(from, to time.Time) moment {
	m := c.instant(to)
	y, mo, d := from.In(c.loc).Date()
	if y2, mo2, d2 := to.In(c.loc).Date(); y == y2 && mo == mo2 && d == d2 {
		m.Text = to.In(c.loc).Format("15:04:05") + c.zoneAt(to)
	}
	return m
}

// labelWords prints labels in order: "region=eu, tenant=a".
func labelWords(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ", ")
}

// oneLine makes a text from others safe for a document: in one line, without control
// characters and characters that change the direction of the following text.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f', r == '\ufeff', r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// plural prints "1 outage", "3 outages".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
