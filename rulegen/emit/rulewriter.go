package emit

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// RuleWriter writes a rule file level by level, so that an agreement of any
// size is never in memory as a whole.
//
// Every expression is proven by promql.Expr.Prove, names and templates are checked as
// Prometheus checks them, and names of groups are unique. Tests compare the text with
// what yaml.v3 prints, and read whole files with Prometheus' own reader.
type RuleWriter struct {
	w      io.Writer
	opts   RuleOptions
	form   ruleForm
	of     string // the agreement that is being written
	text   yamlText
	names  []string
	groups map[string]bool
	layout promql.Layout
	object int // bytes since the beginning of the file, or of the object in it
	parts  int // how many files and objects were begun
	packed packing
	order  []orderedGroup // groups written since Begin
}

// NewRuleWriter is a writer of one rule file to w, of one agreement or of
// several one after the other. The file is complete after Close.
func NewRuleWriter(w io.Writer, opts RuleOptions) *RuleWriter {
	if opts.Templates == nil {
		opts.Templates = &Templates{}
	}
	r := &RuleWriter{w: w, opts: opts, form: opts.format().form(opts), groups: map[string]bool{}}
	r.text.base = r.form.indent()
	return r
}

// Begin says whose levels come next. Only a bundle may begin a second agreement.
func (r *RuleWriter) Begin(a *sla.Agreement) error {
	r.order = nil
	if r.of == "" {
		r.text.out = append(r.text.out, r.head(a)...) // the first thing in the file
	}
	if r.of = a.Name; r.opts.Bundle != "" {
		r.text.comment(0, provenance(a))
	}
	return nil
}

// Level writes the groups of a level.
func (r *RuleWriter) Level(l rulegen.LevelPlan) error {
	for _, g := range l.Groups {
		if err := r.keeps(g); err != nil {
			return fmt.Errorf("rules of %s: %w", r.of, err)
		}
		if err := r.add(g); err != nil {
			return fmt.Errorf("rules of %s: %w", r.of, err)
		}
	}
	return nil
}

// keeps finds alerts that need a field which the format does not have.
func (r *RuleWriter) keeps(g rulegen.Group) error {
	if r.opts.format().keep {
		return nil
	}
	for i := range g.Rules {
		if rule := &g.Rules[i]; rule.KeepFiringFor > 0 {
			return fmt.Errorf("the format %s has no keep_firing_for, which the alert %s of the group %s needs: leave keepFiringFor out of its specification", r.opts.format().name, rule.Alert, g.Name)
		}
	}
	return nil
}

// orderedGroup is a group with its name in the file.
type orderedGroup struct {
	name     string
	interval time.Duration
}

// End says that all levels of the agreement were written, and returns the names of
// its groups in an order in which each comes after those that it reads: the order
// of the file or, if levels share groups, first layers before second ones.
func (r *RuleWriter) End() ([]string, error) {
	err := r.unpack()
	if r.opts.GroupSize > 0 {
		slices.SortStableFunc(r.order, func(a, b orderedGroup) int { return cmp.Compare(a.interval, b.interval) })
	}
	var names []string
	for _, g := range r.order {
		names = append(names, g.name)
	}
	return names, err
}

// Close ends the file; it does not close the writer below.
func (r *RuleWriter) Close() error {
	if err := r.unpack(); err != nil {
		return err
	}
	if r.parts == 0 {
		if err := r.form.open(r, true); err != nil {
			return err
		}
	}
	return r.flush()
}

func (r *RuleWriter) flush() error {
	r.object += len(r.text.out)
	_, err := r.w.Write(r.text.out)
	r.text.out = r.text.out[:0]
	return err
}

// VersionLine begins the line of a rule file that says which program made it.
// Comparisons of files ignore it.
const VersionLine = "# Made by "

// head is the comment at the top of the file, which says what made it, and from what.
func (r *RuleWriter) head(a *sla.Agreement) []byte {
	var head comment
	if r.opts.Bundle != "" {
		head.line("%s from agreements, each named above its groups. Do not edit: change the agreement and generate again.", rulegen.Marker)
	} else {
		head.line("%s from the agreement %s. Do not edit: change the agreement and generate again.", rulegen.Marker, a.Name)
	}
	if r.opts.Program != "" {
		head.text.WriteString(VersionLine + r.opts.Program + "\n")
	}
	if r.opts.Bundle == "" && a.Digest != "" {
		head.line("Specification: sha256:%s", a.Digest)
	}
	head.line("")
	head.line("Rules read across groups by design: the long windows are summed from what the")
	head.line("first layer recorded. The next line says so to pint, which checks rule files.")
	head.line("pint file/disable rule/dependency")
	return []byte(head.text.String() + "\n")
}

// provenance names an agreement and the file that it was read from.
func provenance(a *sla.Agreement) string {
	if a.Digest == "" {
		return "The agreement " + a.Name
	}
	return "The agreement " + a.Name + ", sha256:" + a.Digest
}

// group writes a group with the rules of its parts, one after the other. If it has
// more rules than servers take, it is split into several.
func (r *RuleWriter) group(name string, interval time.Duration, parts ...rulegen.Group) error {
	if r.groups[name] || name == "" {
		return fmt.Errorf("the group %q is there twice, a fault of upheld", name)
	}
	r.groups[name] = true
	var rules []rulegen.Rule
	for _, part := range parts {
		rules = append(rules, part.Rules...)
	}
	pieces := [][]rulegen.Rule{rules}
	if size := r.opts.PartSize; size > 0 {
		pieces = slices.Collect(slices.Chunk(rules, size))
	}
	if len(pieces) > 1 && interval+r.opts.QueryOffset > mostParted {
		return fmt.Errorf("the group %s has %d rules and is split into parts of %d, and the next part might not see what one part records every %s: lower --rules.interval to 30s, "+
			"or let the server take larger groups and name their size with --rules.part-size", name, len(rules), r.opts.PartSize, sla.FormatDuration(interval))
	}
	for i, piece := range pieces {
		if err := r.piece(partName(name, i), partWords(i, len(pieces), interval), interval, piece); err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
	}
	return nil
}

// mostParted is how far apart the evaluations of a split group may be. Servers look back five
// minutes, and evaluate each part at a moment of its own within the interval, when what another
// part records may not have arrived.
const mostParted = 150 * time.Second

// piece writes a group, or a part of one. What must stand before it depends on its size,
// so it is written once that is known.
func (r *RuleWriter) piece(name, comment string, interval time.Duration, rules []rulegen.Rule) error {
	begin := len(r.text.out)
	r.text.comment(2, comment)
	head := r.groupHead(name, interval)
	r.order = append(r.order, orderedGroup{head[0].value, interval})
	if err := r.text.groupHead(head); err != nil {
		return err
	}
	if err := r.rules(rules); err != nil {
		return err
	}
	size := len(r.text.out) - begin
	if r.form.full(r.object, size) || r.parts == 0 {
		group := slices.Clone(r.text.out[begin:])
		r.text.out = r.text.out[:begin]
		if err := r.flush(); err != nil { // what is above it, or of the object before
			return err
		}
		r.object = 0
		if err := r.form.open(r, false); err != nil {
			return err
		}
		r.text.out = append(r.text.out, group...)
	}
	if most := r.form.most(); most > 0 && size > most {
		return fmt.Errorf("%d rules of it are %d KiB, and an object has at most %d KiB; choose a smaller --rules.group-size", len(rules), size>>10, most>>10)
	}
	return r.flush()
}

func (r *RuleWriter) rules(rules []rulegen.Rule) error {
	for i := range rules {
		rule := &rules[i]
		expr, block, err := r.prove(rule)
		if err == nil {
			err = r.rule(rule, expr, block)
		}
		if err != nil {
			return fmt.Errorf("%s%s: %w, a fault of upheld", rule.Record, rule.Alert, err)
		}
	}
	return nil
}

// groupHead has the keys of a group before its rules, in order.
func (r *RuleWriter) groupHead(name string, interval time.Duration) []pair {
	if rest, ok := strings.CutPrefix(name, rulegen.GroupPrefix); ok && r.opts.GroupPrefix != "" {
		name = r.opts.GroupPrefix + ":" + rest
	}
	head := []pair{{"name", name}, {"interval", duration(interval)}}
	if r.opts.QueryOffset > 0 {
		head = append(head, pair{r.opts.format().offset, duration(r.opts.QueryOffset)})
	}
	if r.opts.format().partialResponse {
		head = append(head, pair{"partial_response_strategy", cmp.Or(r.opts.PartialResponse, "abort")})
	}
	if r.opts.Limit > 0 {
		head = append(head, pair{"limit", strconv.Itoa(r.opts.Limit)})
	}
	return head
}

type pair struct{ key, value string }

func (y *yamlText) groupHead(head []pair) error {
	for i, p := range head {
		if p.key == "limit" { // a number, which a pair would quote
			y.line(4, p.key+": "+p.value)
			continue
		}
		if err := y.pair(4, i == 0, p.key, p.value); err != nil {
			return err
		}
	}
	y.line(4, "rules:")
	return nil
}

// rule writes one rule as an item of the group's list.
func (r *RuleWriter) rule(rule *rulegen.Rule, expr string, block bool) error {
	first := pair{"record", rule.Record}
	if rule.Alert != "" {
		first = pair{"alert", rule.Alert}
	}
	r.text.comment(6, rule.Comment)
	if err := r.text.pair(8, true, first.key, first.value); err != nil {
		return err
	}
	write := func() error { return r.text.pair(8, false, "expr", expr) }
	if block {
		write = func() error { return r.text.block(8, "expr", expr) }
	}
	if err := write(); err != nil {
		return err
	}
	for _, p := range []pair{{"for", optional(rule.For)}, {"keep_firing_for", optional(rule.KeepFiringFor)}} {
		if p.value == "" {
			continue
		}
		if err := r.text.pair(8, false, p.key, p.value); err != nil {
			return err
		}
	}
	if err := r.texts("labels:", rule.Labels); err != nil {
		return err
	}
	return r.texts("annotations:", rule.Annotations)
}

// texts writes a mapping in the order of its keys.
func (r *RuleWriter) texts(key string, texts map[string]string) error {
	if len(texts) == 0 {
		return nil
	}
	r.text.line(8, key)
	for _, name := range r.sorted(texts) {
		if err := r.text.pair(10, false, name, texts[name]); err != nil {
			return err
		}
	}
	return nil
}

// sorted is the keys in order, valid until the next call.
func (r *RuleWriter) sorted(texts map[string]string) []string {
	r.names = slices.AppendSeq(r.names[:0], maps.Keys(texts))
	slices.Sort(r.names)
	return r.names
}
