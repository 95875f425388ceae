package foreign

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// blackboxProbe makes the probe of a level from a module and targets.
type blackboxProbe struct {
	r     *blackboxReader
	j     *blackboxJob
	g     targetGroup
	m     *blackboxModule
	probe *mapping
	kept  bool // it stays with blackbox_exporter
}

// convert makes the probe. It returns false if only blackbox_exporter can measure the
// level; the reason was reported.
func (p *blackboxProbe) convert() bool {
	if at := p.j.relabelled.strange; at.node != nil {
		p.cannot(at, "this decides what is probed in a way that is not carried", "write the targets into static of targets")
	}
	if p.g.unknown != "" {
		p.cannot(p.g.place, "targets that "+p.g.unknown+"_configs finds are not carried", "let Prometheus, or your own tool, write them into files for file of targets")
	}
	if p.kept || !p.targets() {
		return false
	}
	of := map[string]func(){"http": p.http, "tcp": p.tcp, "icmp": p.icmp, "dns": p.dns, "grpc": p.grpc}[p.m.prober]
	if of == nil {
		p.cannot(p.m.name, "the prober "+p.m.prober+" is not carried", "write the probe by hand: docs/probers.md")
		return false
	}
	of()
	p.pace()
	p.where()
	return !p.kept
}

// cannot reports what keeps the level with blackbox_exporter.
func (p *blackboxProbe) cannot(at place, what, remedy string) {
	p.kept = true
	at.notCarried(what+"; blackbox_exporter goes on probing, and the level counts its probe_success", remedy)
}

// keep makes the indicator from what blackbox_exporter measures.
func (p *blackboxProbe) keep(l *level) {
	clauses := []string{"job=" + strconv.Quote(p.j.name.node.Value)}
	if len(p.g.static) == 1 {
		clauses = append(clauses, "instance="+strconv.Quote(p.j.relabelled.of(p.g.static[0].node.Value)))
	}
	for _, e := range p.g.labels {
		clauses = append(clauses, e.name+"="+strconv.Quote(e.value.node.Value))
	}
	text := "probe_success{" + strings.Join(clauses, ",") + "}"
	l.indicator = p.r.mapping(p.g.place).set("blackbox", p.r.mapping(p.g.place).set("success", p.r.expression(p.g.place, text, -1)).node).node
	l.note("blackbox_exporter goes on probing; the level counts what it finds.")
}

// targets sets the address, or where to find several. It is false after an error.
func (p *blackboxProbe) targets() bool {
	r := p.r
	var found []string
	for _, t := range p.g.static {
		found = append(found, p.address(p.j.relabelled.of(t.node.Value)))
	}
	if len(found) == 1 {
		p.probe.set(p.m.prober, r.quoted(p.g.static[0], found[0]))
		return true
	}
	if len(found) > 1 {
		p.probe.set(p.m.prober, r.quoted(p.g.place, targetVariable))
		list := r.list(p.g.place)
		for i, address := range found {
			list.Content = append(list.Content, r.text(p.g.static[i], address))
		}
		p.probe.set("targets", r.mapping(p.g.place).set("static", list).node)
		return true
	}
	template, ok := p.j.relabelled.template()
	if !ok || len(p.g.sources) == 0 || p.g.sources[0].value == nil {
		if len(p.g.sources) > 0 {
			p.cannot(p.j.place, "relabelling that rewrites some addresses and not others is not carried", "write whole addresses into the lists of targets")
			return false
		}
		p.g.notCarried("there is no target here", "add targets")
		p.kept = true
		return false
	}
	p.probe.set(p.m.prober, r.quoted(p.g.place, p.address(template)))
	source := p.g.sources[0]
	value := r.words(place{p.g.doc, source.value}, nil)
	for _, t := range texts(p.g.doc, source.value) {
		value.Content = append(value.Content, r.text(t, t.node.Value))
	}
	if source.value.Kind == yaml.ScalarNode {
		value = r.quoted(place{p.g.doc, source.value}, source.value.Value)
	}
	p.probe.set("targets", r.mapping(p.g.place).set(source.key, value).node)
	return true
}

// address is a target in the notation of our probes.
func (p *blackboxProbe) address(target string) string {
	switch {
	case p.m.prober == "http" && !strings.Contains(target, "://"):
		return "http://" + target
	case p.m.prober == "dns" && target != targetVariable && !strings.Contains(strings.TrimPrefix(target, "["), ":"):
		return target + ":53"
	}
	return target
}

// maxInterval is the longest time between two probes here.
const maxInterval = 75 * time.Second

// pace sets interval and timeout.
func (p *blackboxProbe) pace() {
	interval := p.j.times.interval
	if interval > maxInterval {
		p.j.warn("changed-meaning", "the scrape interval of "+written(interval)+" becomes "+written(maxInterval)+", the longest time between two probes here", "agree on it")
		interval = maxInterval
	}
	timeout := max(p.j.times.timeout-500*time.Millisecond, 500*time.Millisecond) // as blackbox_exporter ends sooner
	at := p.g.place
	if p.m.timeout.node != nil {
		if d, ok := promDuration(p.m.timeout.node.Value); ok && d < timeout {
			timeout, at = d, p.m.timeout
		}
	}
	p.probe.set("interval", p.r.text(p.g.place, written(interval))).set("timeout", p.r.text(at, written(min(timeout, interval))))
}

// where sets from and to which addresses probes go.
func (p *blackboxProbe) where() {
	family, at, given := p.m.options.text("preferred_ip_protocol")
	if !given {
		return
	}
	fallback, hasFallback := p.m.options.get("ip_protocol_fallback")
	falls := !hasFallback || fallback.node.Value == "true"
	name := map[string]string{"ip4": "IPv4", "ip6": "IPv6"}[family]
	switch {
	case name == "":
		at.error("bad-value", strconv.Quote(shortened(family))+" is neither ip4 nor ip6", "write ip4 or ip6")
	case falls:
		p.probe.set("ipFamily", p.r.text(at, "prefer"+name))
	default:
		p.probe.set("ipFamily", p.r.text(at, strings.ToLower(name[:2])+name[2:]))
	}
}

// option converts the key of a module, and returns false if it cannot be carried.
type option func(p *blackboxProbe, e entry) bool

// textAs carries a text under another key.
func textAs(key string) option {
	return func(p *blackboxProbe, e entry) bool {
		text, ok := e.value.scalar(e.name)
		if ok {
			p.probe.set(key, p.r.text(e.value, text))
		}
		return ok
	}
}

// copied carries a value as it is.
func copied(key string) option {
	return func(p *blackboxProbe, e entry) bool {
		p.probe.set(key, p.copied(e.value))
		return true
	}
}

// handled are keys that are dealt with elsewhere, or that change nothing here.
func handled(*blackboxProbe, entry) bool { return true }

// copied is a tree of the original as one of the converted document.
func (p *blackboxProbe) copied(at place) *yaml.Node {
	if at.node.Kind == yaml.ScalarNode {
		if at.node.ShortTag() == "!!str" {
			return p.r.quoted(at, at.node.Value)
		}
		return p.r.plain(at, at.node.ShortTag(), at.node.Value)
	}
	n := p.r.node(at, at.node.Kind)
	n.Tag = at.node.ShortTag()
	for i, child := range at.node.Content {
		c := p.copied(place{at.doc, child})
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			c.Style = 0
		}
		n.Content = append(n.Content, c)
	}
	return n
}

// options converts the keys of the module's section. A key that is not in the table, or
// whose value has no counterpart, keeps the level with blackbox_exporter.
func (p *blackboxProbe) options(table map[string]option) {
	for _, e := range p.m.options.entries {
		if slices.Contains([]string{"preferred_ip_protocol", "ip_protocol_fallback", "skip_resolve_phase_with_proxy"}, e.name) {
			continue
		}
		if e.name == "prober" || e.name == "timeout" {
			continue
		}
		if convert, known := table[e.name]; !known || !convert(p, e) {
			p.cannot(e.key, strconv.Quote(shortened(e.name))+" of the module "+strconv.Quote(shortened(p.m.name.node.Value))+" is not carried", "write the probe by hand: docs/probers.md")
		}
	}
}
