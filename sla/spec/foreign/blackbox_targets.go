package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// blackboxJob is a scrape job.
type blackboxJob struct {
	place
	name       place
	service    string
	module     place // its node is nil if the job names none
	times      scrapeTimes
	relabelled relabelling
}

// targetGroup are targets with the same labels.
type targetGroup struct {
	place
	static  []place
	sources []setting // how others are found: keys of targets
	labels  []entry
	module  string // if a label says it
	unknown string // a way to find targets that has no counterpart
}

// title tells the group from others of the job.
func (g targetGroup) title() string {
	words := []string{}
	if g.module != "" {
		words = append(words, g.module)
	}
	for _, e := range g.labels {
		words = append(words, e.value.node.Value)
	}
	return strings.Join(words, "-")
}

// groups are the targets of the job.
func (j *blackboxJob) groups(target *yaml.Node) []targetGroup {
	var all []targetGroup
	if t := first(target); t != nil {
		return []targetGroup{{place: place{j.doc, t}, static: []place{{j.doc, t}}}}
	}
	for i := 0; i+1 < len(j.node.Content); i += 2 {
		key, value := j.node.Content[i], j.node.Content[i+1]
		kind, isSD := strings.CutSuffix(key.Value, "_configs")
		if !isSD || kind == "relabel" || kind == "metric_relabel" || value.Kind != yaml.SequenceNode {
			continue
		}
		for _, item := range value.Content {
			if item.Kind == yaml.MappingNode {
				all = append(all, j.group(place{j.doc, item}, kind))
			}
		}
	}
	return all
}

func (j *blackboxJob) group(at place, kind string) targetGroup {
	g := targetGroup{place: at}
	switch kind {
	case "static":
		g.static = texts(at.doc, entryOf(at.node, "targets"))
		labels := entryOf(at.node, "labels")
		for i := 0; labels != nil && labels.Kind == yaml.MappingNode && i+1 < len(labels.Content); i += 2 {
			key, value := labels.Content[i], labels.Content[i+1]
			switch {
			case key.Value == "__param_module" || key.Value == j.relabelled.moduleLabel:
				g.module = value.Value
			case !strings.HasPrefix(key.Value, "__"):
				g.labels = append(g.labels, entry{key.Value, place{at.doc, key}, place{at.doc, value}})
			}
		}
	case "file_sd":
		at.object("file_sd_configs", "files", "refresh_interval")
		g.sources = []setting{{"file", entryOf(at.node, "files")}}
	case "http_sd":
		at.object("http_sd_configs", "url", "refresh_interval")
		g.sources = []setting{{"http", entryOf(at.node, "url")}}
	default:
		g.unknown = kind
	}
	return g
}

// texts are the texts of a list.
func texts(doc *Document, n *yaml.Node) []place {
	var all []place
	if n != nil && n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if item.Kind == yaml.ScalarNode && item.Value != "" {
				all = append(all, place{doc, item})
			}
		}
	}
	return all
}

// relabelling is what the rules of a job do to the targets.
type relabelling struct {
	probes      bool // the address becomes the parameter target
	address     []rewriting
	moduleLabel string // which label becomes the parameter module
	labels      []entry
	strange     place // another thing that decides what is probed; its node is nil if there is none
}

// rewriting is a rule that rewrites the address.
type rewriting struct {
	regex       *regexp.Regexp
	all         bool // it matches every address
	replacement string
}

func readRelabelling(job place) relabelling {
	var r relabelling
	rules := entryOf(job.node, "relabel_configs")
	if rules == nil || rules.Kind != yaml.SequenceNode {
		return r
	}
	for _, n := range rules.Content {
		r.rule(place{job.doc, n})
	}
	return r
}

// rule applies one rule.
func (r *relabelling) rule(at place) {
	var sources []string
	for _, s := range texts(at.doc, entryOf(at.node, "source_labels")) {
		sources = append(sources, s.node.Value)
	}
	target, replacement, regex := scalarOf(at.node, "target_label"), "$1", "(.*)"
	if n := entryOf(at.node, "replacement"); n != nil {
		replacement = n.Value
	}
	if n := entryOf(at.node, "regex"); n != nil {
		regex = n.Value
	}
	action := scalarOf(at.node, "action")
	switch {
	case action != "" && action != "replace":
		if action == "keep" || action == "drop" || action == "labelmap" || action == "hashmod" || action == "keepequal" || action == "dropequal" {
			r.oddly(at)
		}
	case target == "instance" || target == "__address__" || target == "__scheme__" || target == "__metrics_path__" || target == "job":
		// what the target is called, and where the exporter is
	case target == "__param_target":
		compiled, err := regexp.Compile("^(?s:" + regex + ")$")
		if err != nil || len(sources) != 1 || sources[0] != "__address__" && sources[0] != "__param_target" {
			r.probes = true
			r.oddly(at)
			return
		}
		r.probes = true
		r.address = append(r.address, rewriting{compiled, slices.Contains([]string{"(.*)", "(.+)", ".*"}, regex), replacement})
	case target == "__param_module" && len(sources) == 1 && regex == "(.*)" && replacement == "$1":
		r.moduleLabel = sources[0]
	case strings.HasPrefix(target, "__param_"):
		r.oddly(at)
	case len(sources) == 0 && !strings.HasPrefix(target, "__") && !strings.Contains(replacement, "$"):
		r.labels = append(r.labels, entry{target, at, place{at.doc, entryOf(at.node, "replacement")}})
	case !strings.HasPrefix(target, "__"):
		at.notCarried("the label "+strconv.Quote(shortened(target))+" that relabelling makes is not carried", "write it into labels of the level, or of the lists of targets")
	}
}

// parameters notes parameters of the request that change what is probed.
func (r *relabelling) parameters(doc *Document, params *yaml.Node) {
	for i := 0; params != nil && params.Kind == yaml.MappingNode && i+1 < len(params.Content); i += 2 {
		if key := params.Content[i]; key.Value != "module" && key.Value != "target" && key.Value != "debug" {
			r.oddly(place{doc, key})
		}
	}
}

// oddly notes another thing that decides what is probed.
func (r *relabelling) oddly(at place) {
	if r.strange.node == nil {
		r.strange = at
	}
}

// of is the target that an address becomes.
func (r relabelling) of(address string) string {
	for _, w := range r.address {
		if m := w.regex.FindStringSubmatchIndex(address); m != nil {
			address = string(w.regex.ExpandString(nil, w.replacement, address, m))
		}
	}
	return address
}

var firstGroup = regexp.MustCompile(`\$(1|0|\{1\}|\{0\})`)

// template is the target that any address becomes, with the variable in place of it. It
// is false if rules treat addresses differently.
func (r relabelling) template() (string, bool) {
	text := targetVariable
	for _, w := range r.address {
		if !w.all {
			return "", false
		}
		text = firstGroup.ReplaceAllLiteralString(w.replacement, text)
	}
	return text, strings.Count(text, "$") == 1
}

// targetVariable stands for the address of a target that is found.
const targetVariable = "${target}"
