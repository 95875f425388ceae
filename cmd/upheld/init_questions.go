package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	"gopkg.in/yaml.v3"
)

// firstIndicator is a kind of indicator that a first specification can have.
type firstIndicator struct {
	name   string
	about  string
	level  string   // the usual name of a level with it
	target string   // its usual target
	asks   []string // its own questions
	write  func(value func(question string) string) map[string]any
}

// firstIndicators is the table of them, the most common first.
var firstIndicators = []firstIndicator{
	{"http", "a URL that must answer", "availability", "99.9", []string{"address"}, func(value func(string) string) map[string]any {
		return map[string]any{"probe": map[string]any{"http": value("address"), "interval": "15s"}}
	}},
	{"tcp", "a port that must accept connections", "reachable", "99.9", []string{"address"}, func(value func(string) string) map[string]any {
		return map[string]any{"probe": map[string]any{"tcp": value("address"), "interval": "15s"}}
	}},
	{"events", "requests that Prometheus counts", "requests", "99.9", []string{"bad", "total"}, func(value func(string) string) map[string]any {
		return map[string]any{"events": map[string]any{"bad": value("bad"), "total": value("total")}}
	}},
	{"latency", "response times in a histogram of Prometheus", "response-time", "99", []string{"histogram", "threshold"}, func(value func(string) string) map[string]any {
		return map[string]any{"latency": map[string]any{"histogram": value("histogram"), "threshold": value("threshold")}}
	}},
}

// question is one thing that init needs to know.
type question struct {
	flag, ask, usage string
	usual            string
	always           bool // even if no indicator asks it
	silent           bool // only as a flag
}

// questions is the table of all questions, in the order in which they are asked.
var questions = []question{
	{flag: "service", ask: "Which service is it about (lower-case letters, digits and -)", usage: "the `name` of the service", always: true},
	{flag: "indicator", usual: "http", always: true},
	{flag: "address", ask: "Which address is probed (https://shop.example/health, or host:port)", usage: "`address` that is probed: a URL for http, host:port for tcp"},
	{flag: "bad", ask: `Which counter counts what is bad (http_requests_total{job="api",code=~"5.."})`, usage: "`selector` of the counters of what is bad"},
	{flag: "total", ask: `Which counter counts everything (http_requests_total{job="api"})`, usage: "`selector` of the counters of everything"},
	{flag: "histogram", ask: `Which histogram has the response times (http_request_duration_seconds{job="api"})`, usage: "`selector` of the histogram of response times"},
	{flag: "threshold", ask: "Up to which response time is a request good", usage: "`duration` up to which a request is good; the histogram needs a bucket of it", usual: "300ms"},
	{flag: "target", ask: "Which share in percent is promised", usage: "the share in `percent` that is promised (default 99.9, of response times 99)", always: true},
	{flag: "period", ask: "Over which period (30d, or month, quarter, year)", usage: "`period` over which it is promised: rolling (30d), or week, month, quarter, year", usual: "30d", always: true},
	{flag: "level", usage: "the `name` of the level (default by its kind, as availability)", always: true, silent: true},
	{flag: "agreement", usage: "the `name` of the agreement (default that of the service)", always: true, silent: true},
}

// answers come from flags and people.
type answers struct{ values map[string]*string }

func newAnswers() *answers {
	a := &answers{values: map[string]*string{}}
	for _, q := range questions {
		a.values[q.flag] = new(string)
	}
	return a
}

func (a *answers) flags(f *pflag.FlagSet) {
	var kinds []string
	for _, k := range firstIndicators {
		kinds = append(kinds, k.name)
	}
	for _, q := range questions {
		if q.flag == "indicator" {
			bindChoice(f, a.values[q.flag], q.flag, "", "what is counted (default http)", kinds)
			continue
		}
		f.StringVar(a.values[q.flag], q.flag, "", q.usage)
	}
}

func (a *answers) value(question string) string { return *a.values[question] }

// kind is the chosen indicator.
func (a *answers) kind() firstIndicator {
	i := slices.IndexFunc(firstIndicators, func(k firstIndicator) bool { return k.name == a.value("indicator") })
	return firstIndicators[max(i, 0)]
}

// complete asks for what no flag sets, or uses the usual answer. Without a terminal,
// flags must give answers that have no usual one.
func (a *answers) complete(cmd *cobra.Command) error {
	in, terminal := cmd.InOrStdin().(*os.File)
	terminal = terminal && term.IsTerminal(int(in.Fd()))
	var lacking []string
	for _, q := range questions {
		if *a.values[q.flag] != "" {
			continue
		}
		if !q.always && !slices.Contains(a.kind().asks, q.flag) {
			continue
		}
		usual := a.usual(q)
		switch {
		case terminal && !q.silent:
			answer, err := a.asked(cmd, in, q, usual)
			if err != nil {
				return err
			}
			*a.values[q.flag] = answer
		case usual == "":
			lacking = append(lacking, "--"+q.flag)
		default:
			*a.values[q.flag] = usual
		}
	}
	if len(lacking) > 0 {
		return usageError{fmt.Errorf("init asks on a terminal, and there is none: say %s", strings.Join(lacking, ", "))}
	}
	return a.fits()
}

// fits finds flags that belong to another indicator than the chosen one.
func (a *answers) fits() error {
	for _, q := range questions {
		if !q.always && a.value(q.flag) != "" && !slices.Contains(a.kind().asks, q.flag) {
			return usageError{fmt.Errorf("--%s is not of --indicator=%s, which takes --%s", q.flag, a.kind().name, strings.Join(a.kind().asks, ", --"))}
		}
	}
	return nil
}

// usual is the usual answer, "" if there is none.
func (a *answers) usual(q question) string {
	switch q.flag {
	case "target":
		return a.kind().target
	case "level":
		return a.kind().level
	case "agreement":
		return a.value("service")
	}
	return q.usual
}

// asked asks until the answer is valid.
func (a *answers) asked(cmd *cobra.Command, in *os.File, q question, usual string) (string, error) {
	words := q.ask
	if q.flag == "indicator" {
		words = "What is counted?"
		for _, k := range firstIndicators {
			words += fmt.Sprintf("\n  %-8s %s", k.name, k.about)
		}
		words += "\nOne of these"
	}
	for {
		answer, err := ask(in, cmd.ErrOrStderr(), words, usual)
		if err != nil {
			return "", err
		}
		known := q.flag != "indicator" || slices.ContainsFunc(firstIndicators, func(k firstIndicator) bool { return k.name == answer })
		if answer != "" && known {
			return answer, nil
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "this needs an answer, or Ctrl-C to stop")
	}
}

// specification is the text of the answers' specification.
func (a *answers) specification(schema string) []byte {
	var b bytes.Buffer
	if schema != "" {
		fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", schema)
	}
	fmt.Fprintf(&b, `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata:
  name: %s
spec:
  period: %s
  serviceLevels:
    - name: %s
      service: %s
      target: %s # percent of the period; what is left is the budget
      indicator:
`, scalar(a.value("agreement")), scalar(a.value("period")), scalar(a.value("level")), scalar(a.value("service")), decimal(a.value("target")))
	var indicator bytes.Buffer
	enc := yaml.NewEncoder(&indicator)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(a.kind().write(a.value)), enc.Close()); err != nil {
		panic(err) // texts always marshal
	}
	for line := range bytes.Lines(indicator.Bytes()) {
		b.WriteString("        " + string(line))
	}
	return b.Bytes()
}

// scalar is a text as a YAML scalar.
func scalar(text string) string {
	out, err := yaml.Marshal(text)
	if err != nil {
		panic(err) // a text always marshals
	}
	return strings.TrimSuffix(string(out), "\n")
}

// decimal is a number in quotes, like all numbers that decide.
func decimal(text string) string {
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: strings.TrimSuffix(strings.TrimSpace(text), "%")}
	out, err := yaml.Marshal(&node)
	if err != nil {
		panic(err) // a text always marshals
	}
	return strings.TrimSuffix(string(out), "\n")
}
