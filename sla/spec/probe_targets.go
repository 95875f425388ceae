package spec

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla"
)

// Defaults and limits of discovery.
const (
	defaultRefresh = 30 * time.Second
	minRefresh     = time.Second
	defaultTargets = 1000
	maxTargets     = 100_000
)

var dnsTargetsSection = &section{
	name: "targets found by DNS",
	doc:  "A name whose records are the targets.",
	fields: []field{
		{key: "name", typ: valueType{name: "DNS name", sample: "_shop._tcp.example", scalars: []schema{{"type": "string", "pattern": dnsNamePattern}}}, required: true, doc: "What to look up."},
		{key: "type", typ: oneOf(sla.DNSDiscoveryTypes...), def: "SRV", doc: "The type of the records. `SRV` records give `host:port`, the others addresses."},
		{key: "port", typ: wholeType(1, 65535), example: "443", doc: "The port of the targets, which `A` and `AAAA` records do not have. Without it `" + sla.TargetVariable + "` is only the address."},
	},
}

var httpTargetsSection = &section{
	name: "server of targets",
	doc:  "A server that answers with a list of targets, and how it is asked. Files are read for every look.",
	fields: slices.Concat([]field{
		{key: "url", typ: urlType, required: true, example: `"https://inventory.example/targets"`, doc: "What to ask for."},
	}, authFields(), slices.DeleteFunc(tlsFields(""), func(f field) bool { return f.key == "certificateValidFor" }), proxyFields()),
}

var listServerType = valueType{name: "URL, or mapping", sample: `"https://inventory.example/targets"`, scalars: urlType.scalars, sections: []*section{httpTargetsSection}}

var targetsSection = &section{
	name: "targets",
	doc: "Where the targets of a probe of many are found; `" + sla.TargetVariable + "` in what is probed stands for the address of each. All of them are one level: by time its figures are those of the mean " +
		"target. What is found is looked at again while the exporter runs; targets that stay keep their counts.",
	fields: []field{
		{key: "static", typ: listType("list of addresses", `["a.example", "b.example"]`), doc: "Targets that are always there."},
		{key: "file", typ: listType("list of paths", `["targets/*.json"]`), doc: "Files of targets, JSON or YAML, in the format of Prometheus' `file_sd_configs`; relative to the specification, with `*` for many."},
		{key: "http", typ: listServerType, example: `"https://inventory.example/targets"`, doc: "A URL that answers with such a list in JSON, as for Prometheus' `http_sd_configs`; or a mapping with credentials for it."},
		{key: "dns", typ: mapping(dnsTargetsSection), doc: "A name whose records are the targets."},
		{key: "labels", typ: listType("list of label names", "[region]"), doc: "Labels of the lists that the targets' series get. If a target has no such label, it is empty."},
		{key: "refresh", typ: durationType, def: "30s", example: "1m", doc: "Time between two look-ups."},
		{key: "limit", typ: wholeType(1, maxTargets), def: "1000", doc: "How many targets there may be. If discovery finds more, it fails and the targets stay."},
	},
}

func listType(name, sample string) valueType {
	return valueType{name: name, sample: sample, scalars: textType.scalars, shape: listOf}
}

// orTarget is the type t whose values may contain TargetVariable.
func orTarget(t valueType) valueType {
	pattern, _ := t.scalars[0]["pattern"].(string)
	t.scalars = []schema{{"type": "string", "pattern": "(" + pattern + `)|\$\{target\}`}}
	return t
}

// targetsField is the key targets of the kinds of probe that can have several.
func targetsField() field {
	return field{key: "targets", typ: mapping(targetsSection), doc: "Where targets are found, to probe many with one level. Write `" + sla.TargetVariable + "` where the address belongs: `https://" + sla.TargetVariable + "/health`."}
}

// decodeDiscovery reads where targets are found. It replaces TargetVariable in the
// probe's address by a placeholder, so that the address can be parsed as usual.
func decodeDiscovery(o *object) *sla.Discovery {
	if o.section.field("targets") == nil {
		return nil
	}
	d, at, given := read(o, "targets", decodeTargets)
	main, ok := o.values[o.kind.key]
	if !ok {
		return nil
	}
	pattern := main.node.Value
	switch holds := strings.Contains(pattern, sla.TargetVariable); {
	case holds && at.node == nil:
		main.error("no-targets", main.quoted()+" has a variable, and there are no targets", "say beside it where they are found, e.g. targets: {static: [a.example, b.example]}")
	case !holds && given:
		main.error("no-variable", main.quoted()+" has no place for the targets", "put "+sla.TargetVariable+" where the address of each is to stand")
		return nil
	case !holds:
		return nil
	}
	node := *main.node
	if node.Value = strings.ReplaceAll(pattern, sla.TargetVariable, placeholderTarget); pattern == sla.TargetVariable {
		node.Value = o.kind.placeholder
	}
	main.node = &node
	o.values[o.kind.key] = main
	if d != nil {
		d.Pattern = pattern
	}
	return d
}

// placeholderTarget stands in for the address of a target while a pattern is
// read.
const placeholderTarget = "target.invalid"

// restoreVariable puts the variable back into the findings from the n-th on.
func (d *decoder) restoreVariable(n int) {
	for i := range d.findings[n:] {
		f := &d.findings[n+i]
		f.Message = strings.ReplaceAll(f.Message, placeholderTarget, sla.TargetVariable)
		f.Remedy = strings.ReplaceAll(f.Remedy, placeholderTarget, sla.TargetVariable)
	}
}

func decodeTargets(v value) (*sla.Discovery, bool) {
	o := v.object(targetsSection)
	if o == nil {
		return nil, false
	}
	d := &sla.Discovery{Refresh: defaultRefresh, Limit: defaultTargets}
	d.Static, _, _ = read(o, "static", listOfValues(value.text))
	d.Files, _, _ = read(o, "file", listOfValues(parseTargetFile))
	d.Within = o.d.files.within(o.src().file)
	decodeHTTPTargets(o, d)
	d.DNS, _, _ = read(o, "dns", decodeDNSTargets)
	d.Labels, _, _ = read(o, "labels", listOfValues(parseSeriesLabel))
	slices.Sort(d.Labels)
	if refresh, at, ok := read(o, "refresh", value.duration); ok {
		if d.Refresh = refresh; refresh < minRefresh {
			at.error("bad-interval", at.quoted()+" is below 1s", "30s is the default")
		}
	}
	if limit, _, ok := read(o, "limit", whole(1, maxTargets)); ok {
		d.Limit = limit
	}
	if len(o.given("static", "file", "http", "dns")) == 0 {
		v.error("missing-key", "the targets have no source", "give one of static, file, http and dns, or several")
		return nil, false
	}
	if len(d.Static) > d.Limit {
		v.error("bad-value", fmt.Sprintf("there are %d static targets, and the limit is %d", len(d.Static), d.Limit), "raise the limit")
	}
	return d, true
}

// checkStaticTargets reports addresses of the key static at which nothing can answer. The
// exporter skips such addresses of other lists.
func checkStaticTargets(o *object, p *sla.Probe) {
	at, ok := o.get("targets")
	if !ok || len(p.Discovery.Static) == 0 {
		return
	}
	sources, _ := at.entries()
	for _, source := range sources {
		if source.name != "static" {
			continue
		}
		items, _ := source.list()
		for i, item := range items {
			if text := item.node.Value; item.node.ShortTag() != "!!str" || strings.TrimSpace(text) == "" || slices.Contains(p.Discovery.Static[:i], text) {
				continue // reported already
			}
			one := p.WithTarget(item.node.Value).Check.(sla.Addressed)
			if err := one.CheckAddress(); err != nil {
				item.error("bad-address", item.quoted()+" in the place of "+sla.TargetVariable+" cannot be probed: "+err.Error(),
					"write what makes "+quote(p.Discovery.Pattern)+" an address")
			}
		}
	}
}

// parseTargetFile parses the path of a list of targets, or a glob.
func parseTargetFile(v value) (string, bool) {
	path, ok := v.text()
	if !ok {
		return "", false
	}
	if _, err := filepath.Match(path, ""); err != nil {
		v.error("bad-path", v.quoted()+" is no path: "+err.Error(), "correct the brackets")
		return "", false
	}
	switch filepath.Ext(path) {
	case ".json", ".yml", ".yaml":
	default:
		v.error("bad-path", v.quoted()+" does not end in .json, .yml or .yaml", "the ending says how a list is written")
		return "", false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(v.src().file), path)
	}
	if !regular.Within(path, filepath.SplitList(v.d.files.within(v.src().file))...) {
		reportOutside(v)
	}
	return path, true
}

// decodeHTTPTargets reads the URL of a list of targets, and how to request it.
func decodeHTTPTargets(o *object, d *sla.Discovery) {
	at, given := o.get("http")
	if !given {
		return
	}
	if at.node.Kind == yamlScalar {
		d.URL, _ = parseListURL(at)
		return
	}
	server := at.object(httpTargetsSection)
	if server == nil {
		return
	}
	d.URL, _, _ = read(server, "url", parseListURL)
	a := sla.ListAccess{Auth: decodeAuth(server), Proxy: decodeProxy(server)}
	a.TLS.ServerName, _, _ = read(server, "serverName", parseHostName)
	a.TLS.InsecureSkipVerify, _, _ = read(server, "insecureSkipVerify", value.boolean)
	a.TLS.Files = decodeTLSFiles(server)
	if a != (sla.ListAccess{}) {
		d.Access = &a
	}
}

func decodeDNSTargets(v value) (*sla.DNSDiscovery, bool) {
	o := v.object(dnsTargetsSection)
	if o == nil {
		return nil, false
	}
	d := &sla.DNSDiscovery{Type: sla.DNSDiscoveryTypes[0]}
	if t, _, ok := read(o, "type", word(sla.DNSDiscoveryTypes...)); ok {
		d.Type = t
	}
	port, at, given := read(o, "port", whole(1, 65535))
	if d.Port = port; given && d.Type == "SRV" {
		at.error("conflicting-keys", "SRV records know their ports", "leave the port out, or choose the type A or AAAA")
	}
	name, _, ok := read(o, "name", parseDNSName)
	d.Name = strings.TrimSuffix(name, ".")
	return d, ok && net.ParseIP(d.Name) == nil
}

// parseSeriesLabel parses a label that the series of a target can have.
func parseSeriesLabel(v value) (string, bool) {
	name, ok := v.text()
	switch {
	case !ok:
		return "", false
	case !labelRegexp.MatchString(name) || strings.HasPrefix(name, "__"):
		v.error("bad-label", v.quoted()+" is no name of a label that series can have", "letters, digits and _, no digit at the beginning and not two _")
	case slices.Contains(reservedLabels, name) || slices.Contains(ownLabels, name):
		v.error("bad-label", v.quoted()+" is a label that upheld sets itself", "choose another")
	default:
		return name, true
	}
	return "", false
}

// ownLabels are the labels that the exporter sets, besides reservedLabels.
var ownLabels = []string{
	"location", "target", "outcome", "reason", "phase", "threshold", "bound",
	"le", "step", "address", "instance", "job",
}
