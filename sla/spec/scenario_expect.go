package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// expectForms says how expectations are written, for remedies.
const expectForms = `write "page within 5m", "no page", "ticket within 1h", "one alert", "SLABudgetBurn within 10m", "budget spent < 10%", each also with "of" and a level`

// expectation parses a line of what is expected.
func (r scenarioReader) expectation(v value) (sla.Expectation, bool) {
	text, ok := v.text()
	if !ok {
		return sla.Expectation{}, false
	}
	e, problem, remedy := parseExpectation(text, r.alerts)
	e.Pos = v.pos()
	if problem == "" && e.level != "" {
		found, known := levelsNamed(e.level, r.revisions)
		switch len(found) {
		case 0:
			problem, remedy = "there is no level "+quote(e.level)+" in this expectation", "there are "+list(known[:min(len(known), 8)])
			if near := Nearest(e.level, known); near != "" {
				remedy = "did you mean " + quote(near) + "?"
			}
		case 1:
			e.Level = found[0]
		default:
			problem, remedy = "several services have a level "+quote(e.level), "write "+either(namesOfIDs(found))
		}
	}
	if problem != "" {
		v.error("bad-expectation", problem, remedy)
		return e.Expectation, false
	}
	return e.Expectation, true
}

// ParseExpectation parses a line of what is expected of a simulation. revisions are those
// of its agreement, and alerts are names of other alerts that the line may have. The error
// says what to write instead.
func ParseExpectation(text string, revisions []*sla.Agreement, alerts ...string) (sla.Expectation, error) {
	return parsedText(text, scenarioReader{revisions: revisions, alerts: alerts}.expectation)
}

// ParseInstant parses a time, by the wall clock of a zone or with an offset. The error says
// what to write instead.
func ParseInstant(text, zone string) (time.Time, error) { return parsedText(text, instantIn(zone)) }

// parsedText parses text that is in no file. The error says what to write instead.
func parsedText[T any](text string, parse func(value) (T, bool)) (T, error) {
	d := newDecoder(newSource("", text), Files{})
	got, ok := parse(value{d: d, node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: 1, Column: 1}, name: "this"})
	if !ok {
		return got, fmt.Errorf("%s; %s", d.findings[0].Message, d.findings[0].Remedy)
	}
	return got, nil
}

// written is an expectation with the level as it was written.
type written struct {
	sla.Expectation
	level string
}

// countOf is the number that a word or a numeral means; ok is false if it is neither.
func countOf(word string) (n int, ok bool) {
	switch strings.ToLower(word) {
	case "no":
		return 0, true
	case "one":
		return 1, true
	case "a", "an":
		return sla.AnyCount, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0 && n <= mostExpected
}

// mostExpected bounds the number of alerts in an expectation.
const mostExpected = 1000

func parseExpectation(text string, alerts []string) (e written, problem, remedy string) {
	e.Text, e.Count = text, sla.AnyCount
	words := strings.Fields(text)
	if len(words) > 1 && strings.EqualFold(words[0], "budget") && strings.EqualFold(words[1], "spent") {
		return budgetExpectation(e, words[2:])
	}
	if len(words) > 0 {
		if n, ok := countOf(words[0]); ok {
			e.Count, words = n, words[1:]
		}
	}
	if len(words) == 0 {
		return e, "the expectation " + quote(text) + " does not say what is expected", expectForms
	}
	if problem, remedy = e.subject(words[0], alerts); problem != "" {
		return e, problem, remedy
	}
	words = words[1:]
	for len(words) > 0 {
		if len(words) == 1 {
			return e, "the expectation " + quote(text) + " ends with " + quote(words[0]), expectForms
		}
		switch strings.ToLower(words[0]) {
		case "within":
			d, err := model.ParseDuration(words[1])
			if err != nil || d <= 0 {
				return e, quote(words[1]) + " in the expectation " + quote(text) + " is not a duration above zero", "write it like 5m or 1h30m"
			}
			e.Within = time.Duration(d)
		case "of":
			e.level = words[1]
		default:
			return e, "the expectation " + quote(text) + " is not understood from " + quote(words[0]) + " on", expectForms
		}
		words = words[2:]
	}
	return e, "", ""
}

// subject finds what an expectation is about.
func (e *written) subject(word string, names []string) (problem, remedy string) {
	subjects := []string{string(sla.ExpectPage), string(sla.ExpectTicket), string(sla.ExpectAlert), string(sla.ExpectNotification)}
	singular := strings.ToLower(strings.TrimSuffix(word, "s"))
	if slices.Contains(subjects, singular) {
		e.Subject = sla.ExpectSubject(singular)
		return "", ""
	}
	names = slices.Clone(names)
	for _, k := range sla.AlertKinds {
		names = append(names, k.Name)
	}
	if slices.Contains(names, word) {
		e.Subject, e.Name = sla.ExpectAlert, word
		return "", ""
	}
	remedy = expectForms
	if near := Nearest(word, append(names, subjects...)); near != "" {
		remedy = "did you mean " + quote(near) + "?"
	}
	return quote(word) + " is neither page, ticket, alert, notification nor the name of an alert", remedy
}

// budgetExpectation parses what follows "budget spent".
func budgetExpectation(e written, words []string) (_ written, problem, remedy string) {
	e.Subject = sla.ExpectBudget
	rest := strings.Join(words, " ")
	amount, level, ofLevel := strings.Cut(rest, " of ")
	if ofLevel {
		e.level = strings.TrimSpace(level)
	}
	amount = strings.ReplaceAll(amount, " ", "")
	switch {
	case strings.HasPrefix(amount, "<"):
		e.Less = true
	case !strings.HasPrefix(amount, ">"):
		return e, "the expectation " + quote(e.Text) + " compares with neither < nor >", `write "budget spent < 10%"`
	}
	number, percent := strings.CutSuffix(amount[1:], "%")
	d, err := sla.ParseDecimal(number)
	if err != nil || !percent {
		return e, quote(amount[1:]) + " in the expectation " + quote(e.Text) + " is not a percentage", `write "budget spent < 10%"`
	}
	e.Percent = d
	return e, "", ""
}
