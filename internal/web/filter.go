package web

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// filter is a search in the overview, from the parameters of its address.
type filter struct {
	words     []string // all must be in the level's names, description or labels
	text      string
	state     string // "" for any, the name of a state, or a state of filterChoices
	agreement string
}

// longestSearch bounds a search text, in bytes.
const longestSearch = 200

func newFilter(query url.Values) filter {
	text := query.Get("q")
	if len(text) > longestSearch {
		text = strings.ToValidUTF8(text[:longestSearch], "")
	}
	return filter{words: strings.Fields(strings.ToLower(text)), text: text, state: query.Get("state"), agreement: query.Get("agreement")}
}

func (f filter) isSet() bool { return len(f.words) > 0 || f.state != "" || f.agreement != "" }

// key is different for different filters.
func (f filter) key() string {
	return url.Values{"q": {strings.Join(f.words, " "), f.text}, "state": {f.state}, "agreement": {f.agreement}}.Encode()
}

// choice is a value of a select.
type choice struct {
	Value, Words string
	Chosen       bool

	admits func(LevelStatus) bool
}

// stateChoices are the possible values of "state".
func stateChoices() []choice {
	choices := []choice{
		{Value: "", Words: "any state", admits: func(LevelStatus) bool { return true }},
		{Value: "alerting", Words: "with an alert firing", admits: func(s LevelStatus) bool { return firing(s) > 0 }},
		{Value: "missed", Words: "target missed", admits: ofTarget(sla.TargetMissed)},
		{Value: "at_risk", Words: "target at risk", admits: ofTarget(sla.TargetAtRisk)},
	}
	for _, s := range slices.Backward(sla.States()) {
		choices = append(choices, choice{Value: s.String(), Words: lower(s.Words()), admits: func(l LevelStatus) bool { return l.State == s }})
	}
	return choices
}

func ofTarget(t sla.TargetState) func(LevelStatus) bool {
	return func(s LevelStatus) bool { return s.Achieved.Known && targetState(s) == t }
}

// admits reports whether a level matches the filter. An unknown state admits nothing.
func (f filter) admits(s LevelStatus) bool {
	id := s.Level.ID
	if f.agreement != "" && f.agreement != id.SLA {
		return false
	}
	if f.state != "" && !slices.ContainsFunc(stateChoices(), func(c choice) bool { return c.Value == f.state && c.admits(s) }) {
		return false
	}
	text := []string{id.SLA, id.Service, "/", id.SLO, s.Level.Description}
	return f.inText(strings.Join(slices.AppendSeq(text, maps.Values(s.Level.Labels)), " "))
}

// inText reports whether a text has all words of the search.
func (f filter) inText(text string) bool {
	text = strings.ToLower(text)
	return !slices.ContainsFunc(f.words, func(w string) bool { return !strings.Contains(text, w) })
}

// filterView is the form above the levels.
type filterView struct {
	Text       string
	Set        bool
	States     []choice
	Agreements []choice // only if there are several
}

func newFilterView(statuses []LevelStatus, f filter) filterView {
	v := filterView{Text: f.text, Set: f.isSet(), States: stateChoices(), Agreements: []choice{{Words: "all agreements"}}}
	for i := range v.States {
		v.States[i].Chosen = v.States[i].Value == f.state
	}
	for _, s := range statuses {
		name := s.Level.ID.SLA
		if !slices.ContainsFunc(v.Agreements[1:], func(c choice) bool { return c.Value == name }) {
			v.Agreements = append(v.Agreements, choice{Value: name, Words: name, Chosen: name == f.agreement})
		}
	}
	if len(v.Agreements) < 3 {
		v.Agreements = nil
	}
	return v
}
