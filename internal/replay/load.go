package replay

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/internal/querysize"
)

// group is a rule group with its times.
type group struct {
	timeline
	index int // among all groups
	limit int
	rules []*rule
}

// rule is a rule of a group.
type rule struct {
	Rule
	group  *group
	index  uint32 // among all rules, in order of groups and rules
	expr   string
	labels labels.Labels       // the rule's own, which are added to its results
	alert  *rules.AlertingRule // nil for a recording rule
	reads  []read
	writes []output
	all    bool // templates of its labels contain queries, so it may read anything
}

// load reads the rule files as a server would.
func load(p Plan) ([]*group, error) {
	files := memory{}
	var names []string
	for _, f := range p.Files {
		if _, ok := files[f.Name]; ok || f.Name == "" {
			return nil, fmt.Errorf("two rule files are named %q, or it has no name: give each its own", f.Name)
		}
		files[f.Name] = f.Text
		names = append(names, f.Name)
	}
	url := ""
	if p.ExternalURL != nil {
		url = p.ExternalURL.String()
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		GroupLoader: files, RuleDependencyController: sequential{}, Logger: slog.New(slog.DiscardHandler), Parser: language,
	})
	loaded, errs := manager.LoadGroups(cmp.Or(p.Interval, defaultInterval), p.ExternalLabels, url, nil, false, names...)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return groupsOf(p, loaded), nil
}

// groupsOf returns the groups in the order in which groups of the same moment are
// evaluated.
func groupsOf(p Plan, loaded map[string]*rules.Group) []*group {
	var all []*group
	n := uint32(0)
	ordered := slices.SortedFunc(maps.Values(loaded), func(a, b *rules.Group) int {
		return cmp.Or(strings.Compare(a.File(), b.File()), strings.Compare(a.Name(), b.Name()))
	})
	for i, l := range ordered {
		g := &group{
			timeline: newTimeline(p, l.Interval(), l.QueryOffset(), l.EvalTimestamp),
			index:    i, limit: l.Limit(),
		}
		for j, r := range l.Rules() {
			g.rules = append(g.rules, newRule(Rule{l.File(), l.Name(), j, r.Name()}, g, n, r))
			n++
		}
		all = append(all, g)
	}
	return all
}

func newRule(name Rule, g *group, index uint32, r rules.Rule) *rule {
	out := &rule{Rule: name, group: g, index: index, expr: r.Query().String(), labels: r.Labels(), reads: readsOf(r.Query())}
	out.alert, _ = r.(*rules.AlertingRule)
	out.writes, out.all = outputsOf(out)
	return out
}

// memory serves rule files by name.
type memory map[string][]byte

// Load implements rules.GroupLoader.
func (m memory) Load(name string, ignoreUnknown bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	groups, errs := rulefmt.Parse(m[name], ignoreUnknown, scheme, bounded{language}, slog.New(slog.DiscardHandler))
	if len(errs) == 0 {
		return groups, nil
	}
	return nil, []error{placed(name, m[name], errs[0])}
}

// Parse implements rules.GroupLoader.
func (memory) Parse(query string) (parser.Expr, error) { return language.ParseExpr(query) }

// bounded parses queries that are not too large for the parser.
type bounded struct{ parser.Parser }

// readable allows more than any rule that a server could evaluate in its interval.
var readable = querysize.Limits{Bytes: 64 << 10, Operators: 1_000, Nesting: 200}

// ParseExpr implements parser.Parser.
func (b bounded) ParseExpr(query string) (parser.Expr, error) {
	if err := readable.Check(query); err != nil {
		return nil, err
	}
	return b.Parser.ParseExpr(query)
}

var (
	lineAndColumn = regexp.MustCompile(`^(\d+):(\d+): (?:\d+:\d+: )?`)
	yamlLine      = regexp.MustCompile(`(?s)^yaml: (?:unmarshal errors:\s+)?line (\d+): ([^\n]*).*`)
	quoted        = regexp.MustCompile(`"([^"]+)"`)
)

// placed is an error of a file as file:line:col: message.
func placed(name string, text []byte, err error) error {
	message := err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		return fmt.Errorf("%s:%s:1: %s", name, m[1], m[2])
	}
	line, column := "0", "1"
	if m := lineAndColumn.FindStringSubmatch(message); m != nil {
		line, column, message = m[1], m[2], message[len(m[0]):]
	}
	if line == "0" { // the library does not say where
		line, column = find(string(text), message)
	}
	return fmt.Errorf("%s:%s:%s: %s", name, line, column, message)
}

// find returns the place that a message is about: the last name that it quotes, or else
// its last word.
func find(text, message string) (line, column string) {
	about := message[strings.LastIndex(message, " ")+1:]
	if names := quoted.FindAllStringSubmatch(strings.SplitN(message, "template:", 2)[0], -1); len(names) > 0 {
		about = names[len(names)-1][1]
	}
	word := `(^|\W)` + regexp.QuoteMeta(about)
	for _, pattern := range []string{word + `["']?\s*:`, word + `(\W|$)`} { // as a key, or anywhere
		if all := regexp.MustCompile(pattern).FindAllStringSubmatchIndex(text, -1); len(all) > 0 {
			before := text[:all[len(all)-1][3]]
			return strconv.Itoa(strings.Count(before, "\n") + 1), strconv.Itoa(len(before) - strings.LastIndex(before, "\n"))
		}
	}
	return "1", "1"
}

// sequential makes rules run one after another, as servers do without a feature flag.
type sequential struct{}

// AnalyseRules implements rules.RuleDependencyController.
func (sequential) AnalyseRules([]rules.Rule) {}

// check reports what is wrong with the times of a plan.
func (p Plan) check() error {
	if !p.From.Before(p.To) {
		return fmt.Errorf("the past ends at %s, not after it begins at %s", p.To.Format(time.RFC3339), p.From.Format(time.RFC3339))
	}
	if p.Interval < 0 {
		return errors.New("the evaluation interval is negative")
	}
	from := p.From
	for _, a := range p.Away {
		if a.From.Before(from) || !a.From.Before(a.To) || a.To.After(p.To) {
			return fmt.Errorf("the span without a server from %s to %s is not after the one before it, and within the past",
				a.From.Format(time.RFC3339), a.To.Format(time.RFC3339))
		}
		from = a.To
	}
	return nil
}
