package foreign

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// Blackbox is a file of modules of blackbox_exporter, read together with the
// configuration of the Prometheus that lets it probe. Neither is recognized
// among specifications.
var Blackbox = Format{
	Name: "blackbox", Title: "blackbox_exporter", Noun: "file of blackbox_exporter", Begin: "modules:", Mark: "modules:",
	Is: func(root *yaml.Node) bool {
		return entryOf(root, "modules") != nil || entryOf(root, "scrape_configs") != nil
	},
	convert: func(c *conversion, docs []*Document) {
		r := &blackboxReader{conversion: c, modules: map[string]*blackboxModule{}}
		for _, doc := range docs {
			r.readModules(place{doc, doc.Root})
		}
		for _, doc := range docs {
			r.readJobs(place{doc, doc.Root})
		}
		r.finish()
	},
}

type blackboxReader struct {
	*conversion
	modules map[string]*blackboxModule
	inOrder []*blackboxModule
}

// blackboxModule is a module: how to probe.
type blackboxModule struct {
	name    place
	prober  string
	timeout place // its node is nil if there is none
	options *object
	used    bool
}

// probers are the kinds of probers, which are also the names of their sections. Those
// without a counterpart here are measured by blackbox_exporter as before.
var probers = []string{"http", "tcp", "icmp", "dns", "grpc", "unix", "websocket"}

func (r *blackboxReader) readModules(root place) {
	n := entryOf(root.node, "modules")
	if n == nil {
		return
	}
	all := place{root.doc, n}.object("modules")
	if all == nil {
		return
	}
	for _, e := range all.entries {
		o := e.value.object("a module", append([]string{"prober", "timeout"}, probers...)...)
		if o == nil {
			continue
		}
		prober, at, ok := o.mustText("prober")
		if !ok {
			continue
		}
		if !slices.Contains(probers, prober) {
			at.error("bad-value", strconv.Quote(shortened(prober))+" is no prober of blackbox_exporter", "write "+strings.Join(probers, ", "))
			continue
		}
		m := &blackboxModule{name: e.key, prober: prober, options: &object{place: e.value, what: "a module"}}
		m.timeout, _ = o.get("timeout")
		if section, given := o.get(prober); given {
			if m.options = section.object(prober); m.options == nil {
				continue
			}
		}
		r.modules[e.name], r.inOrder = m, append(r.inOrder, m)
	}
}

func (r *blackboxReader) finish() {
	for _, m := range r.inOrder {
		if !m.used {
			m.name.notCarried("the module "+strconv.Quote(shortened(m.name.node.Value))+" is not carried: no scrape job uses it, so nobody knows what it probes", "name the configuration of the Prometheus that does, with --prometheus.config")
		}
	}
}

// scrapeTimes are the times of the global section, which jobs may override.
type scrapeTimes struct{ interval, timeout time.Duration }

func (r *blackboxReader) readJobs(root place) {
	n := entryOf(root.node, "scrape_configs")
	if n == nil || n.Kind != yaml.SequenceNode {
		return
	}
	global := entryOf(root.node, "global")
	times := scrapeTimes{time.Minute, 10 * time.Second}.with(global)
	for _, item := range n.Content {
		if item.Kind == yaml.MappingNode {
			r.job(place{root.doc, item}, times.with(item))
		}
	}
}

// with takes over what a section says.
func (t scrapeTimes) with(section *yaml.Node) scrapeTimes {
	if d, ok := promDuration(scalarOf(section, "scrape_interval")); ok {
		t.interval = d
	}
	if d, ok := promDuration(scalarOf(section, "scrape_timeout")); ok {
		t.timeout = d
	}
	return t
}

// promDuration is a duration above 0, as written in Prometheus' files.
func promDuration(text string) (time.Duration, bool) {
	d, err := model.ParseDuration(text)
	return time.Duration(d), err == nil && d > 0
}

// written is a duration in our notation.
func written(d time.Duration) string {
	switch {
	case d%time.Minute == 0:
		return minutes(d)
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(int64(d/time.Millisecond), 10) + "ms"
}

// job converts a scrape job that lets blackbox_exporter probe. It ignores other jobs.
func (r *blackboxReader) job(at place, times scrapeTimes) {
	relabelled := readRelabelling(at)
	params := entryOf(at.node, "params")
	target := entryOf(params, "target")
	if !relabelled.probes && target == nil {
		return
	}
	nameNode := entryOf(at.node, "job_name")
	if nameNode == nil {
		at.error("missing-key", `"job_name" is missing in a scrape job`, "add it")
		return
	}
	nameAt := place{at.doc, nameNode}
	service := r.name(nameAt, nameNode.Value)
	if service == "" {
		return
	}
	j := &blackboxJob{place: at, name: nameAt, service: service, times: times, relabelled: relabelled}
	j.module = place{at.doc, first(entryOf(params, "module"))}
	j.relabelled.parameters(at.doc, params)
	a, isNew := r.agreement(nameAt, "blackbox")
	if isNew {
		a.notes = append(a.notes,
			"The times at which targets are probed are ours, and targets are probed by upheld-exporter.",
			"blackbox_exporter promises nothing: 99.9 is a beginning. Write what you promise.")
	}
	groups := j.groups(target)
	names := map[string]bool{}
	for i, g := range groups {
		name := "availability"
		if len(groups) > 1 {
			name = r.part(name, g.title(), i, names)
		}
		if l := r.level(j, g, name); l != nil {
			a.levels = append(a.levels, l)
		}
	}
}

func first(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		return n.Content[0]
	}
	return nil
}

// level makes the level of targets that are probed alike.
func (r *blackboxReader) level(j *blackboxJob, g targetGroup, name string) *level {
	l := &level{at: g.place, name: r.text(g.place, name), service: r.text(j.name, j.service), target: r.quoted(g.place, "99.9")}
	l.labels = r.labels(g.labels)
	for _, e := range j.relabelled.labels {
		l.labels = with(l.labels, pair{e.name, e.value, e.value.node.Value})
	}
	module, at := "http_2xx", j.place
	if j.module.node != nil {
		module, at = j.module.node.Value, j.module
	}
	if g.module != "" {
		module, at = g.module, g.place
	}
	m := r.modules[module]
	if m == nil {
		at.error("unknown-module", "there is no module "+strconv.Quote(shortened(module))+" in the file of blackbox_exporter", "name the file that it is in, or correct the job")
		return nil
	}
	m.used = true
	p := &blackboxProbe{r: r, j: j, g: g, m: m, probe: r.mapping(g.place)}
	if !p.convert() {
		p.keep(l)
		return l
	}
	l.indicator = r.mapping(g.place).set("probe", p.probe.node).node
	if len(g.static) != 1 || len(g.sources) > 0 {
		l.note("All targets are one level, which counts their mean. groupBy: [target] makes one promise for each.")
	}
	return l
}
