package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/buildinfo"
	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/ruletest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// ruleFlags are generate's flags for rule files.
type ruleFlags struct {
	interval       time.Duration
	offset         string
	labels         map[string]string
	operatorLabels map[string]string
	emit.RuleOptions
}

func (r *ruleFlags) flags(f *pflag.FlagSet) {
	r.shapeFlags(f)
	f.StringVar(&r.Format, "rules.format", emit.RuleFormats()[0], "how rules are written: "+emit.RuleFormatWords())
	f.StringVar(&r.Bundle, "rules.bundle", "", "write the rules of all agreements to one file DIR/rules/NAME.yaml")
	f.StringVar(&r.PartialResponse, "thanos.partial-response", "", "whether rules of Thanos Ruler abort (the default) or warn if a store does not answer")
	f.StringVar(&r.Operator.Namespace, "operator.namespace", "", "the namespace of objects of Kubernetes")
	f.StringToStringVar(&r.operatorLabels, "operator.label", nil, "name=value that objects of Kubernetes get, for the ruleSelector of the Prometheus object")
}

// shapeFlags are the flags for the rules themselves, wherever they are written.
func (r *ruleFlags) shapeFlags(f *pflag.FlagSet) {
	f.DurationVar(&r.interval, "rules.interval", 0, "how often the first tier of rules is evaluated; the second tier five times slower (default 1m, of mimir and cortex 30s)")
	f.IntVar(&r.GroupSize, "rules.group-size", 0, "let levels share rule groups of at most so many rules; 0 gives each level groups of its own")
	f.IntVar(&r.PartSize, "rules.part-size", 0, "part groups of more than so many rules, in order (default 20 for mimir and cortex, whose servers take no more, else none)")
	f.StringVar(&r.GroupPrefix, "rules.group-prefix", strings.TrimSuffix(rulegen.GroupPrefix, ":"), "what names of rule groups begin with")
	f.StringVar(&r.offset, "rules.query-offset", "", "evaluate rules so much in the past, e.g. 30s, for series that arrive late (needs Prometheus 2.53)")
	f.IntVar(&r.Limit, "rules.limit", 0, "let a rule fail that makes more series or alerts than this; 0 is no limit")
	f.StringToStringVar(&r.labels, "rules.label", nil, "name=value that everything recorded and every alert gets; editing one begins a new history")
}

var fileName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

var groupPrefix = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9:_.-]*$`)

// check also completes the options.
func (r *ruleFlags) check() error {
	r.Program = "upheld " + buildinfo.Version()
	r.Operator.Labels, r.Templates = r.operatorLabels, &emit.Templates{}
	if !slices.Contains(emit.RuleFormats(), r.Format) {
		return fmt.Errorf("--rules.format=%s is not one of %s", r.Format, strings.Join(emit.RuleFormats(), ", "))
	}
	r.complete()
	if r.interval < time.Second || r.interval > maxRulesInterval {
		return fmt.Errorf("--rules.interval=%s is not between 1s and %s", r.interval, maxRulesInterval)
	}
	if r.Bundle != "" && !fileName.MatchString(r.Bundle) {
		return fmt.Errorf("--rules.bundle=%s is not a name: lower case letters, digits and -", r.Bundle)
	}
	if !groupPrefix.MatchString(r.GroupPrefix) {
		return fmt.Errorf("--rules.group-prefix=%s is not a letter with letters, digits, _, ., : and - after it", r.GroupPrefix)
	}
	if r.GroupSize < 0 || r.Limit < 0 || r.PartSize < 0 {
		return fmt.Errorf("--rules.group-size, --rules.part-size and --rules.limit are not below 0")
	}
	if err := errors.Join(r.checkOffset(), r.Check()); err != nil {
		return err
	}
	for name, value := range r.labels {
		if err := rulegen.CheckLabel(name, value); err != nil {
			return fmt.Errorf("--rules.label=%s=%s: %w", name, value, err)
		}
	}
	if !r.Objects() && (r.Operator.Namespace != "" || len(r.Operator.Labels) > 0) {
		return fmt.Errorf("--operator.namespace and --operator.label are for objects of Kubernetes, such as those of --rules.format=%s", operatorFormat)
	}
	if err := r.Operator.Check(); err != nil {
		return fmt.Errorf("--operator: %w", err)
	}
	return nil
}

const operatorFormat = "operator"

// lookback is how far back Prometheus looks for a sample.
const lookback = 5 * time.Minute

func (r *ruleFlags) checkOffset() error {
	if r.offset == "" {
		return nil
	}
	d, err := model.ParseDuration(r.offset)
	if err != nil || d <= 0 {
		return fmt.Errorf("--rules.query-offset=%s is not a duration above zero like 30s", r.offset)
	}
	r.QueryOffset = time.Duration(d)
	if layer := rulegen.SecondLayer(r.interval); layer+r.QueryOffset > lookback {
		return fmt.Errorf("--rules.query-offset=%s with --rules.interval=%s: what is recorded every %s would be out of sight for a while before it is recorded again, since servers look back %s; "+
			"lower --rules.interval, for example to 50s with offsets up to 50s, or to 30s up to 2m30s",
			r.offset, sla.FormatDuration(r.interval), sla.FormatDuration(layer), sla.FormatDuration(lookback))
	}
	return nil
}

// complete fills in what depends on the format. If servers allow only a few rules in a
// group, groups are split, and each part must still find the recent samples of the
// others.
func (r *ruleFlags) complete() {
	const parted = 30 * time.Second
	r.PartSize = cmp.Or(r.PartSize, r.DefaultPartSize())
	if r.interval == 0 && r.DefaultPartSize() > 0 {
		r.interval = parted
	}
	r.interval = cmp.Or(r.interval, rulegen.DefaultInterval)
}

// rulesOf returns the options for an agreement's rules.
func (o generateOptions) rulesOf(a *sla.Agreement) rulegen.Options {
	rules := rulegen.Options{Interval: o.rules.interval, Labels: o.rules.labels, Links: o.links}
	rules.Links.Pages = o.boards.PagesURL
	if o.grafana != "" {
		rules.Dashboard = strings.TrimRight(o.grafana, "/") + "/d/" + dashboards.LevelUID(a.Name)
	}
	return rules
}

// ruleFiles writes the rules of agreements, each to a file or all to one.
type ruleFiles struct {
	o      generateOptions
	stage  *filetree.Stage
	all    []string // the names of all agreements
	file   *filetree.File
	writer *emit.RuleWriter

	omissions string // what tests of the last agreement leave out, one per line
}

func newRuleFiles(o generateOptions, stage *filetree.Stage, agreements []*sla.Agreement) *ruleFiles {
	return &ruleFiles{o: o, stage: stage, all: names(agreements)}
}

// add writes the rules of an agreement while they are made. If it is not good, add only
// looks for findings.
func (r *ruleFiles) add(a *sla.Agreement, good bool) (sla.Findings, error) {
	rules := r.o.rulesOf(a)
	if !good {
		return rulegen.Each(a, rules, func(rulegen.LevelPlan) error { return nil })
	}
	if err := r.open(a.Name); err != nil {
		return nil, err
	}
	if err := r.writer.Begin(a); err != nil {
		return nil, errors.Join(err, r.close())
	}
	suite := ruletest.New(rules)
	findings, err := rulegen.Each(a, rules, func(l rulegen.LevelPlan) error {
		if r.o.tests {
			suite.Add(l)
		}
		return r.writer.Level(l)
	})
	groups, endErr := r.writer.End()
	err = errors.Join(err, endErr)
	if r.o.tests && err == nil {
		err = r.putTests(a, suite, groups)
	}
	if r.o.rules.Bundle == "" || err != nil {
		err = errors.Join(err, r.close())
	}
	return findings, err
}

func (r *ruleFiles) putTests(a *sla.Agreement, suite *ruletest.Suite, groups []string) error {
	for _, f := range suite.Files([]string{"../rules/" + r.fileOf(a.Name) + ".yaml"}, groups) {
		content, err := emit.Tests(a, f, r.o.rules.Program)
		if err != nil {
			return err
		}
		name := a.Name
		if f.Name != "" {
			name += "." + f.Name
		}
		if err := r.stage.Put("tests/"+name+".yaml", content, a.Name); err != nil {
			return err
		}
	}
	r.omissions = omissionWords(a, suite.Omissions())
	return nil
}

// mostNamed is how many levels, or series, a line of omissions names.
const mostNamed = 6

// omissionWords says what the tests of an agreement leave out, one line for each reason
// with its levels. The head of the file has all of it.
func omissionWords(a *sla.Agreement, all []ruletest.Omission) string {
	var reasons []string
	levels := map[string][]string{}
	for _, o := range all {
		what := o.What
		if len(o.Names) > 0 {
			what += " " + named(o.Names)
		}
		if levels[what] == nil {
			reasons = append(reasons, what)
		}
		levels[what] = append(levels[what], o.Level)
	}
	var b strings.Builder
	for _, what := range reasons {
		fmt.Fprintf(&b, "warning: tests of %s: %s: %s\n", a.Name, named(levels[what]), what)
	}
	return b.String()
}

// named lists the first of some names, and counts the rest.
func named(names []string) string {
	words := strings.Join(names[:min(len(names), mostNamed)], ", ")
	if more := len(names) - mostNamed; more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	return words
}

// fileOf is the name of the rule file of an agreement.
func (r *ruleFiles) fileOf(agreement string) string { return cmp.Or(r.o.rules.Bundle, agreement) }

// open begins the file of an agreement, unless all share one that is open.
func (r *ruleFiles) open(agreement string) error {
	if r.file != nil {
		return nil
	}
	name, sources := r.fileOf(agreement), []string{agreement}
	if r.o.rules.Bundle != "" {
		sources = r.all
	}
	f, err := r.stage.Create("rules/"+name+".yaml", sources...)
	if err != nil {
		return err
	}
	opts := r.o.rules.RuleOptions
	opts.Operator.Name = "upheld-" + name
	r.file, r.writer = f, emit.NewRuleWriter(r.o.ruleSink(f), opts)
	return nil
}

// close ends the file that is open.
func (r *ruleFiles) close() error {
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.writer.Close(), r.file.Close())
	r.file, r.writer = nil, nil
	return err
}
