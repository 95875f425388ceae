package spec

import (
	"net/http"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/jsoncel"
	"github.com/upheld-sla/upheld/sla"
)

// maxSteps limits the steps of a journey: each has series of its own.
const maxSteps = 20

var captureSection = &section{
	name: "a capture",
	doc:  "A value taken from an answer, by exactly one of these. A step whose answer has no such value is bad (`capture`).",
	fields: []field{
		{key: "json", typ: celType, example: "body.token", doc: "A value in [CEL](https://cel.dev) of the body, which must be JSON: text, a number or a boolean."},
		{key: "regex", typ: regexpType, example: `'name="csrf" value="([^"]+)"'`, doc: "A regular expression over the body: its first group, or all that matches."},
		{key: "header", typ: textType, example: "X-Request-Id", doc: "The name of a header."},
	},
	oneOf: [][]string{{"json", "regex", "header"}},
}

var stepRequestSection = &section{
	name: "http of a step",
	doc: "The request of a step, with the options of a probe (http). `${name}` in the path and the query of the URL, in values of headers and in the body stands for " +
		"what a step before captured; in a URL it is escaped. `$${` is a dollar and a brace.",
	fields: append([]field{
		{key: "url", typ: urlType, required: true, example: `"https://shop.example/cart"`, doc: "The URL, `http://` or `https://`, without user name and password."},
	}, requestFields()...),
}

var journeyStepSection = &section{
	name: "a step (journey)",
	doc:  "One request of a journey, and what is taken from its answer.",
	fields: []field{
		{key: "name", typ: nameType, required: true, example: "login", doc: "Its name, in results and in the label `step`."},
		{key: "http", typ: mapping(stepRequestSection), required: true, example: `{url: "https://shop.example/login"}`, doc: "The request, and what its response must be."},
		{key: "capture", typ: valueType{name: "mapping of names", sample: "{token: {json: body.token}}", sections: []*section{captureSection}, shape: byName}, doc: "Values to take from the response, under names that later steps use."},
		{key: "timeout", typ: durationType, def: "what is left of the journey's", example: "2s", doc: "How long the step may take before the journey is bad. Below the journey's timeout."},
	},
}

var journeyStepsSection = &section{
	name: "journey",
	doc:  "HTTP requests in order, as a user makes them.",
	fields: []field{
		{key: "steps", typ: valueType{name: "list", sample: "[…]", sections: []*section{journeyStepSection}, shape: listOf}, required: true, example: `[{name: home, http: {url: "https://shop.example/"}}]`, doc: "The requests, up to 20. They share cookies."},
	},
}

var journeySection = &section{
	name: "probe (journey)",
	doc:  "Makes HTTP requests in order, each over a new connection, with one timeout for all. Good if all of their answers are what they must be.",
	fields: slices.Concat([]field{
		{key: "journey", typ: mapping(journeyStepsSection), required: true, example: `{steps: [{name: home, http: {url: "https://shop.example/"}}]}`, doc: "The steps."},
	}, slices.DeleteFunc(networkFields(true), func(f field) bool { return f.key == "targets" }), probeFields()),
}

var journeyKind = probeKind{key: "journey", section: journeySection, decode: decodeJourney}

func decodeJourney(o *object) sla.Check {
	c := &sla.JourneyCheck{}
	captured := map[string]string{} // variables, with the step that captures each
	timeout := defaultTimeout
	if t, _, ok := read(o, "timeout", value.duration); ok {
		timeout = t
	}
	steps, at, ok := read(o, "journey", parseJourneySteps)
	if !ok {
		return nil
	}
	later := capturedLater(steps)
	for _, item := range steps {
		step, stepOK := decodeJourneyStep(item, captured, later)
		ok = ok && stepOK
		if slices.ContainsFunc(c.Steps, func(s sla.JourneyStep) bool { return s.Name == step.Name && s.Name != "" }) {
			item.error("duplicate-name", "two steps are called "+quote(step.Name), "give one of them another name")
		}
		if step.Timeout >= timeout {
			item.error("bad-timeout", "the timeout of the step "+quote(step.Name)+" is not below the journey's of "+sla.FormatDuration(timeout), "make it shorter, or leave it out")
		}
		c.Steps = append(c.Steps, step)
	}
	if len(c.Steps) > maxSteps {
		at.error("bad-value", "the journey has "+itoa(len(c.Steps))+" steps, more than 20", "make two journeys of it")
	}
	if !ok {
		return nil
	}
	return c
}

func parseJourneySteps(v value) ([]value, bool) {
	o := v.object(journeyStepsSection)
	if o == nil {
		return nil, false
	}
	items, _, ok := read(o, "steps", value.list)
	return items, ok
}

// capturedLater returns all variables that steps capture, with the name of the step.
func capturedLater(steps []value) map[string]string {
	names := map[string]string{}
	for _, step := range steps {
		pairs := map[string]*yaml.Node{}
		for i := 0; i+1 < len(step.node.Content) && step.node.Kind == yamlMapping; i += 2 {
			pairs[step.node.Content[i].Value] = step.node.Content[i+1]
		}
		name, capture := pairs["name"], pairs["capture"]
		if name == nil || capture == nil || capture.Kind != yamlMapping {
			continue
		}
		for i := 0; i < len(capture.Content); i += 2 {
			names[capture.Content[i].Value] = name.Value
		}
	}
	return names
}

func decodeJourneyStep(v value, captured, later map[string]string) (s sla.JourneyStep, ok bool) {
	o := v.object(journeyStepSection)
	if o == nil {
		return s, false
	}
	s.Name, _, ok = read(o, "name", value.identifier)
	s.Timeout, _, _ = read(o, "timeout", value.duration)
	request, _, requestOK := read(o, "http", func(v value) (*sla.HTTPCheck, bool) { return decodeStepRequest(v, captured, later) })
	if requestOK {
		s.Request = *request
	}
	s.Captures, _, _ = read(o, "capture", parseCaptures)
	if at, given := o.get("capture"); given && s.Request.Method == http.MethodHead {
		for _, c := range s.Captures {
			if c.Header == "" {
				o.d.errorAt(at.key, "conflicting-keys", "an answer to HEAD has no body to capture from", "use method: GET")
				break
			}
		}
	}
	for _, c := range s.Captures {
		if by, taken := captured[c.Name]; taken {
			at, _ := o.get("capture")
			o.d.errorAt(at.key, "duplicate-name", quote(c.Name)+" is captured by the step "+quote(by)+" already", "give one of them another name")
		}
		captured[c.Name] = s.Name
	}
	return s, ok && requestOK
}

func decodeStepRequest(v value, captured, later map[string]string) (*sla.HTTPCheck, bool) {
	o := v.object(stepRequestSection)
	if o == nil {
		return nil, false
	}
	c := decodeRequest(o)
	target, at, ok := read(o, "url", parseStepURL)
	c.URL = target
	if ok {
		checkRequestURL(o, c, target)
		checkVariables(at, target, captured, later)
	}
	if body, given := o.get("body"); given {
		checkVariables(body, c.Body, captured, later)
	}
	if headers, given := o.get("headers"); given {
		for _, entry := range slices.Collect(headers.pairs) {
			checkVariables(entry, c.Headers[entry.name], captured, later)
		}
	}
	return c, ok
}

// checkVariables reports variables that no earlier step captures.
func checkVariables(v value, text string, captured, later map[string]string) {
	for _, name := range sla.Variables(text) {
		if _, ok := captured[name]; ok {
			continue
		}
		message, remedy := v.name+" refers to "+quote(name)+", which no step captures", "capture it in a step before; a dollar and a brace are written $${"
		if step, ok := later[name]; ok {
			message, remedy = v.name+" refers to "+quote(name)+", which the step "+quote(step)+" captures only afterwards", "put that step before this one"
		} else if near := Nearest(name, slices.Sorted(keysOf(captured))); near != "" {
			remedy = "did you mean ${" + near + "}?"
		}
		v.error("unknown-capture", message, remedy)
	}
}

func keysOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// parseStepURL parses a URL that has variables only in its path and query: a response
// must not decide which host is requested.
func parseStepURL(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	_, rest, _ := strings.Cut(text, "://")
	host, _, _ := strings.Cut(rest, "/")
	if len(sla.Variables(host)) > 0 || !strings.Contains(text, "://") && len(sla.Variables(text)) > 0 {
		v.error("bad-url", v.quoted()+" has a variable before its path", "variables may stand in the path and the query only, so that no answer decides where requests go")
		return "", false
	}
	node := *v.node
	node.Value = sla.Substitute(text, func(string) string { return "x" })
	plain := v
	plain.node = &node
	if _, ok := parseProbeURL(plain); !ok {
		return "", false
	}
	return text, true
}

// parseCaptures parses a mapping of variables to captures.
func parseCaptures(v value) ([]sla.Capture, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	var captures []sla.Capture
	for _, entry := range entries {
		if !nameRegexp.MatchString(entry.name) {
			v.d.errorAt(entry.key, "bad-name", quote(entry.name)+" is not a valid name", "use lower-case letters, digits and -")
			continue
		}
		o := entry.object(captureSection)
		if o == nil {
			continue
		}
		c := sla.Capture{Name: entry.name}
		c.JSON, _, _ = read(o, "json", celText(func(text string) error { _, err := jsoncel.CompileValue(text); return err }))
		c.Regexp, _, _ = read(o, "regex", parseRegexp)
		c.Header, _, _ = read(o, "header", parseHeaderName)
		captures = append(captures, c)
	}
	return captures, true
}

func parseHeaderName(v value) (string, bool) {
	text, ok := v.text()
	if ok && !headerRegexp.MatchString(text) {
		v.error("bad-header", quote(text)+" is not a valid header name", "use letters, digits and -")
		return "", false
	}
	return text, ok
}
