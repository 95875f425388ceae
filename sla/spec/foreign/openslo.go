package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// OpenSLO is version 1 of OpenSLO. Older and later versions are recognized, to say that
// they are not read.
var OpenSLO = Format{
	Name: "openslo", Title: "OpenSLO", Noun: "OpenSLO object",
	Begin: "apiVersion: openslo/v1", Mark: "openslo/v1",
	Is: isOpenSLO,
	convert: func(c *conversion, docs []*Document) {
		r := &opensloReader{conversion: c, terms: map[*agreement]*opensloTerms{}, byName: map[opensloName]*opensloObject{}, services: map[string]*opensloObject{}}
		for _, doc := range docs {
			r.collect(place{doc, doc.Root})
		}
		for _, o := range r.objects {
			if o.kind == "SLO" {
				r.slo(o)
			}
		}
		r.finish()
	},
}

func isOpenSLO(root *yaml.Node) bool {
	version := scalarOf(root, "apiVersion")
	return strings.HasPrefix(version, "openslo/") || strings.HasPrefix(version, "openslo.com/")
}

// IsOpenSLOList returns whether a document is a list of OpenSLO objects, which is how
// OpenSLO's own tools write several.
func IsOpenSLOList(root *yaml.Node) bool {
	return root.Kind == yaml.SequenceNode && len(root.Content) > 0 && isOpenSLO(root.Content[0])
}

// opensloKinds are the kinds of objects, and what to report about an unused one.
var opensloKinds = []struct{ kind, unused string }{
	{"SLO", ""},
	{"SLI", "no SLO refers to it, so it has no target"},
	{"Service", "no SLO belongs to it"},
	{"DataSource", "no metric refers to it"},
	{"AlertPolicy", "no SLO refers to it"},
	{"AlertCondition", "no alert policy refers to it"},
	{"AlertNotificationTarget", "no alert policy refers to it"},
}

// opensloReader converts objects that are read together: one may refer to another.
type opensloReader struct {
	*conversion
	objects []*opensloObject
	byName  map[opensloName]*opensloObject
	// services are those that describe an agreement in our own format, by its name.
	services map[string]*opensloObject
	terms    map[*agreement]*opensloTerms
}

// opensloObject is an object, on its own or written inside another one.
type opensloObject struct {
	place
	kind string
	meta opensloMeta
	spec place // its node is nil if there is none
	used bool
}

// opensloName is how objects refer to each other.
type opensloName struct{ kind, name string }

// opensloMeta is the metadata of an object.
type opensloMeta struct {
	name        string
	at          place // of the name
	display     string
	labels      []entry
	annotations []entry
}

// opensloTerms are what OpenSLO's objects say about an agreement, while it is made.
type opensloTerms struct {
	page, ticket *pair // names of severities
	own          bool  // some level has alert policies
	defaults     bool  // some level has the default alerts
}

// collect reads the frame of an object.
func (r *opensloReader) collect(root place) {
	if version := scalarOf(root.node, "apiVersion"); version != "openslo/v1" {
		at := place{root.doc, entryOf(root.node, "apiVersion")}
		at.error("wrong-version", "this is "+strconv.Quote(shortened(version))+", of which nothing is read here but openslo/v1", "write it as openslo/v1: docs/import.md")
		return
	}
	kind := scalarOf(root.node, "kind")
	if !slices.ContainsFunc(opensloKinds, func(k struct{ kind, unused string }) bool { return k.kind == kind }) {
		at := root
		if n := entryOf(root.node, "kind"); n != nil {
			at.node = n
		}
		at.error("wrong-kind", strconv.Quote(shortened(kind))+" is no kind of object in OpenSLO v1", "its kinds are SLO, SLI, Service, DataSource, AlertPolicy, AlertCondition and AlertNotificationTarget")
		return
	}
	o := r.object(root, kind)
	if o == nil {
		return
	}
	if r.find(kind, o.meta.name) != nil {
		o.meta.at.error("duplicate-name", "there is another "+kind+" "+strconv.Quote(shortened(o.meta.name)), "rename one of them: objects of a kind that are read together have different names")
		return
	}
	r.objects = append(r.objects, o)
	r.byName[opensloName{kind, o.meta.name}] = o
	if at, ok := o.meta.ownText(OwnAgreement); ok && kind == "Service" {
		r.services[at.node.Value] = o
	}
}

// object reads an object, on its own or written inside another one. It is nil after an
// error.
func (r *opensloReader) object(at place, kind string) *opensloObject {
	of := at.object(article(kind), "apiVersion", "kind", "metadata", "spec")
	if of == nil {
		return nil
	}
	metaAt, ok := of.must("metadata")
	if !ok {
		return nil
	}
	o := &opensloObject{place: at, kind: kind}
	if o.meta, ok = readOpenSLOMeta(metaAt); !ok {
		return nil
	}
	if slices.Contains([]string{"SLI", "AlertPolicy", "DataSource"}, kind) && !dnsLabel.MatchString(o.meta.name) { // other names become ours
		o.meta.at.warn("bad-name", "the name "+strconv.Quote(shortened(o.meta.name))+" is none that OpenSLO allows", "rename it; names have lower-case letters, digits and -, at most 63")
	}
	if kind == "Service" { // it may have nothing to say
		o.spec, _ = of.get("spec")
		return o
	}
	o.spec, ok = of.must("spec")
	if !ok {
		return nil
	}
	return o
}

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func article(kind string) string {
	if strings.ContainsRune("AS", rune(kind[0])) && kind != "Service" {
		return "an " + kind
	}
	return "a " + kind
}

func readOpenSLOMeta(at place) (meta opensloMeta, ok bool) {
	o := at.object("metadata", "name", "displayName", "labels", "annotations")
	if o == nil {
		return meta, false
	}
	if meta.name, meta.at, ok = o.mustText("name"); !ok {
		return meta, false
	}
	meta.display, _, _ = o.text("displayName")
	meta.annotations = o.texts("annotations")
	labels, given := o.get("labels")
	if !given {
		return meta, true
	}
	m := labels.object("labels")
	if m == nil {
		return meta, true
	}
	for _, e := range m.entries {
		if e.value, ok = oneLabel(e); ok {
			meta.labels = append(meta.labels, e)
		}
	}
	return meta, true
}

// oneLabel is the value of a label. In OpenSLO a label may have several.
func oneLabel(e entry) (place, bool) {
	if e.value.node.Kind != yaml.SequenceNode {
		if strings.TrimSpace(e.value.node.Value) == "" && e.value.node.Kind == yaml.ScalarNode {
			e.key.notCarried("the label "+strconv.Quote(shortened(e.name))+" is not carried: it is empty", "take it out")
			return e.value, false
		}
		_, ok := e.value.scalar(e.name)
		return e.value, ok
	}
	var all []string
	for _, item := range e.value.items(e.name) {
		text, ok := item.scalar(e.name)
		if !ok {
			return e.value, false
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		e.key.notCarried("the label "+strconv.Quote(shortened(e.name))+" is not carried: it is empty", "take it out")
		return e.value, false
	}
	if len(all) > 1 {
		e.key.warn("joined", "the label "+strconv.Quote(shortened(e.name))+" has several values, and becomes one: "+strconv.Quote(shortened(strings.Join(all, ","))), "match it with a regular expression in routes")
	}
	n := *e.value.node
	n.Kind, n.Tag, n.Value, n.Content, n.Style = yaml.ScalarNode, "!!str", strings.Join(all, ","), nil, 0
	return place{e.value.doc, &n}, true
}

// find is the object of a kind with a name, nil if there is none.
func (r *opensloReader) find(kind, name string) *opensloObject {
	return r.byName[opensloName{kind, name}]
}

// referred is the object of a kind that is written in place, or that a reference names.
// of is the mapping that has either. It is nil after an error.
func (r *opensloReader) referred(of place, kind, key string) *opensloObject {
	n := entryOf(of.node, key)
	if n == nil {
		if of.node.Kind == yaml.MappingNode && entryOf(of.node, "spec") == nil {
			of.error("missing-key", "this is neither "+key+" nor "+article(kind)+" with metadata and spec", "write "+key+": and the name of one")
			return nil
		}
		return r.object(of, kind)
	}
	if len(of.node.Content) > 2 {
		of.error("conflicting-keys", key+" stands beside other keys: it is either the name of "+article(kind)+", or one that is written here", "keep one of them")
		return nil
	}
	return r.named(place{of.doc, n}, kind, key)
}

// named is the object of a kind that a reference names. It is nil after an error.
func (r *opensloReader) named(at place, kind, key string) *opensloObject {
	name, ok := at.scalar(key)
	if !ok {
		return nil
	}
	o := r.find(kind, name)
	if o == nil {
		at.error("unknown-reference", "there is no "+kind+" "+strconv.Quote(shortened(name))+" in what is read", "name the file that it is in as well")
		return nil
	}
	o.used = true
	return o
}

// finish reports what nothing refers to, and writes what levels of an agreement share.
func (r *opensloReader) finish() {
	for _, o := range r.objects { // agreements without levels, which others inherit
		at, ok := o.meta.ownText(OwnAgreement)
		if name, _, _ := strings.Cut(ownName(at), "@"); ok && !o.used && o.kind == "Service" {
			if name = r.name(at, name); name != "" {
				r.newAgreement(at, at.node.Value, name, o)
			}
		}
	}
	for _, o := range r.objects {
		for _, k := range opensloKinds {
			if k.kind == o.kind && k.unused != "" && !o.used {
				o.meta.at.notCarried("the "+o.kind+" "+strconv.Quote(shortened(o.meta.name))+" is not carried: "+k.unused, "leave it where it is")
			}
		}
		if o.kind == "DataSource" && o.used {
			r.dataSource(o)
		}
	}
	for _, a := range r.agreements {
		t := r.terms[a]
		if t == nil {
			continue
		}
		r.shareTiers(a, t)
	}
}

func (r *opensloReader) dataSource(o *opensloObject) {
	spec := o.spec.object("the spec of a DataSource", "description", "type", "connectionDetails")
	if spec == nil {
		return
	}
	if at, ok := spec.get("connectionDetails"); ok {
		at.notCarried("connectionDetails are not carried: rules run where they are loaded", "load the rules into that server")
	}
}

func ownName(at place) string {
	if at.node == nil {
		return ""
	}
	return at.node.Value
}
