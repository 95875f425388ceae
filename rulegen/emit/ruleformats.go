package emit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// ruleForm is the frame of a file of rules.
type ruleForm interface {
	indent() int                          // of the list of groups
	open(r *RuleWriter, empty bool) error // begins the file, or the next object in it
	full(object, size int) bool           // whether a group of this size begins another object
	most() int                            // bytes that a group may have at most, 0 for any
}

// ruleFormat is what emit needs to know about a format.
type ruleFormat struct {
	name  string
	about string
	form  func(RuleOptions) ruleForm

	plain   bool   // Prometheus and its promtool read it
	objects bool   // of Kubernetes
	offset  string // the key of a group that evaluates it in the past, "" if there is none
	limit   bool   // groups may have a limit of series
	keep    bool   // alerts may go on after their expression has no result

	partSize        int  // how many rules of a group its servers take unless they are set up otherwise
	partialResponse bool // groups say what happens if a store does not answer
}

// ruleFormats is the table of formats.
var ruleFormats = []ruleFormat{
	{
		name: "prometheus", about: "rule files",
		form:  func(RuleOptions) ruleForm { return plainFile{} },
		plain: true, offset: "query_offset", limit: true, keep: true,
	},
	{
		name: "operator", about: "PrometheusRule objects",
		form: func(o RuleOptions) ruleForm {
			return objectFile{"monitoring.coreos.com/v1", "PrometheusRule", o.Operator}
		},
		objects: true, offset: "query_offset", limit: true, keep: true,
	},
	{
		name: "vmrule", about: "VMRule objects of VictoriaMetrics",
		form: func(o RuleOptions) ruleForm {
			return objectFile{"operator.victoriametrics.com/v1beta1", "VMRule", o.Operator}
		},
		objects: true, offset: "eval_delay", limit: true, keep: true,
	},
	{
		name: "gmp", about: "Rules objects of Google's Managed Service for Prometheus",
		form:    func(o RuleOptions) ruleForm { return objectFile{"monitoring.googleapis.com/v1", "Rules", o.Operator} },
		objects: true,
	},
	{
		name: "mimir", about: "files of Mimir's ruler",
		form:   func(o RuleOptions) ruleForm { return plainFile{namespace: o.Operator.Name} },
		offset: "query_offset", limit: true, keep: true, partSize: 20,
	},
	{
		name: "cortex", about: "files of Cortex' ruler",
		form:   func(o RuleOptions) ruleForm { return plainFile{namespace: o.Operator.Name} },
		offset: "query_offset", limit: true, keep: true, partSize: 20,
	},
	{
		name: "thanos", about: "files of Thanos Ruler",
		form:   func(RuleOptions) ruleForm { return plainFile{} },
		offset: "query_offset", limit: true, keep: true, partialResponse: true,
	},
}

// RuleFormats are the names of the formats, the default first.
func RuleFormats() []string {
	names := make([]string, len(ruleFormats))
	for i, f := range ruleFormats {
		names[i] = f.name
	}
	return names
}

// RuleFormatWords name the formats and describe them.
func RuleFormatWords() string {
	words := make([]string, len(ruleFormats))
	for i, f := range ruleFormats {
		words[i] = f.name + " (" + f.about + ")"
	}
	return strings.Join(words, ", ")
}

func (o RuleOptions) format() ruleFormat {
	name := cmp.Or(o.Format, ruleFormats[0].name)
	i := slices.IndexFunc(ruleFormats, func(f ruleFormat) bool { return f.name == name })
	if i < 0 {
		panic("emit: no format " + name)
	}
	return ruleFormats[i]
}

// Plain reports whether Prometheus and promtool read the files.
func (o RuleOptions) Plain() bool { return o.format().plain }

// Objects reports whether the files hold objects of Kubernetes.
func (o RuleOptions) Objects() bool { return o.format().objects }

// DefaultPartSize is how many rules of a group the format's servers take unless they are
// set up otherwise, 0 for any number.
func (o RuleOptions) DefaultPartSize() int { return o.format().partSize }

// Check reports options for which the format has no field.
func (o RuleOptions) Check() error {
	f := o.format()
	switch {
	case o.QueryOffset > 0 && f.offset == "":
		return fmt.Errorf("the format %s has no query offset", f.name)
	case o.Limit > 0 && !f.limit:
		return fmt.Errorf("the format %s has no limit of series", f.name)
	case o.PartialResponse != "" && !f.partialResponse:
		return fmt.Errorf("the format %s has no partial responses", f.name)
	case o.PartialResponse != "" && !slices.Contains(partialResponses, o.PartialResponse):
		return fmt.Errorf("partial responses are one of %s, not %q", strings.Join(partialResponses, ", "), o.PartialResponse)
	}
	return nil
}

var partialResponses = []string{"abort", "warn"}

// plainFile is one document: Prometheus' own format, or with a namespace that of a ruler.
type plainFile struct{ namespace string }

func (plainFile) indent() int        { return 0 }
func (plainFile) full(int, int) bool { return false }
func (plainFile) most() int          { return 0 }

func (f plainFile) open(r *RuleWriter, empty bool) error {
	r.parts++
	if f.namespace != "" {
		if err := r.text.pair(0, false, "namespace", f.namespace); err != nil {
			return err
		}
	}
	r.text.line(0, "groups:"+emptyList(empty))
	return nil
}

func emptyList(empty bool) string {
	if empty {
		return " []"
	}
	return ""
}

// partName is the name of a part of a group. The first part is called like the group, so
// that it keeps its name when the group gets more rules.
func partName(group string, i int) string {
	if i == 0 {
		return group
	}
	return fmt.Sprintf("%s:part%d", group, i+1)
}

// partWords say what it costs that a group is split, "" if it is whole. Servers evaluate groups
// side by side, so a part reads what the parts before it recorded up to an interval ago.
func partWords(i, parts int, interval time.Duration) string {
	switch {
	case parts == 1:
		return ""
	case i == 0:
		return fmt.Sprintf("Part 1 of %d: the server takes no more rules in a group.", parts)
	}
	return fmt.Sprintf("Part %d of %d, up to %s later than part 1: each part reads what those before it recorded up to %s ago.",
		i+1, parts, sla.FormatDuration(time.Duration(i)*interval), sla.FormatDuration(interval))
}
