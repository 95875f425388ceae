package imports

import (
	"bytes"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla/spec"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// WriteOpenSLO prints specifications as OpenSLO v1. Annotations hold what OpenSLO
// cannot express, so that importing the output gives the same specifications.
func WriteOpenSLO(w io.Writer, documents []spec.Document) error {
	e := &export{names: map[string]bool{}, alerts: map[string]string{}}
	for _, d := range documents {
		if err := e.document(d); err != nil {
			return fmt.Errorf("agreement %s: %w", d.Agreement.Name, err)
		}
	}
	return Write(w, e.objects...)
}

// export collects objects. Names are unique among those of a kind.
type export struct {
	objects []*yaml.Node
	names   map[string]bool   // "SLO checkout"
	alerts  map[string]string // names of objects about alerts, by kind and content
	others  []*yaml.Node      // objects about alerts
}

// exported is an agreement during its export.
type exported struct {
	spec.Document
	service *tree // of the agreement
	slos    []*tree
	others  []*yaml.Node // new objects about alerts
}

// document exports one agreement: a Service, and an SLO for each level. It then imports
// these objects, and adds the differences from the specification as annotations.
func (e *export) document(d spec.Document) error {
	x := &exported{Document: d}
	e.service(x)
	levels := listOf(entry(d.Root, "spec"), "serviceLevels")
	if len(levels) != len(d.Agreement.Levels) {
		return fmt.Errorf("it has levels that could not be read")
	}
	for i := range levels {
		e.slo(x, d.Agreement.Levels[i], levels[i])
	}
	if len(levels) == 0 {
		x.service.annotate(foreign.OwnSpec, without(entry(d.Root, "spec"), "serviceLevels"))
	}
	if err := x.ownLevels(levels, e.others); err != nil {
		return err
	}
	if err := x.ownAgreement(e.others); err != nil {
		return err
	}
	e.objects = append(append(e.objects, x.service.node), x.others...)
	for _, slo := range x.slos {
		e.objects = append(e.objects, slo.node)
	}
	return nil
}

// readBack imports the objects of the agreement.
func (x *exported) readBack(others []*yaml.Node) (*yaml.Node, error) {
	var text bytes.Buffer
	objects := append([]*yaml.Node{x.service.node}, others...)
	for _, slo := range x.slos {
		objects = append(objects, slo.node)
	}
	if err := Write(&text, objects...); err != nil {
		return nil, err
	}
	documents, findings := spec.Files{Queries: Queries()}.ConvertTexts(&foreign.OpenSLO, spec.Text{File: "export.yaml", Text: text.String()})
	if len(documents) != 1 {
		return nil, fmt.Errorf("what was exported is not read back: %w", findings.Err())
	}
	return documents[0].Root, nil
}

// ownLevels adds annotations to each SLO with what it cannot express of its level.
func (x *exported) ownLevels(levels, others []*yaml.Node) error {
	if len(levels) == 0 {
		return nil
	}
	read, err := x.readBack(others)
	if err != nil {
		return err
	}
	back := listOf(entry(read, "spec"), "serviceLevels")
	if len(back) != len(levels) {
		return fmt.Errorf("%d of its %d levels are read back", len(back), len(levels))
	}
	for i, slo := range x.slos {
		own := difference(levels[i], back[i])
		for _, made := range [][]string{{"indicator", "aggregation", "groupBy"}, {"alerting", "escalation"}} {
			complete(own, levels[i], made)
		}
		slo.annotate(foreign.OwnLevel, own)
	}
	return nil
}

// complete adds the keys that importing creates together with the first key, if our own
// specification replaces that.
func complete(own, level *yaml.Node, keys []string) {
	if entry(own, keys[0]) == nil {
		return
	}
	for _, key := range keys[1:] {
		if value := entry(level, key); value != nil && entry(own, key) == nil {
			own.Content = append(own.Content, scalar("!!str", key), bare(value))
		}
	}
}

// ownAgreement adds annotations to the Service with what the objects cannot express of
// the agreement.
func (x *exported) ownAgreement(others []*yaml.Node) error {
	read, err := x.readBack(others)
	if err != nil {
		return err
	}
	x.service.annotate(foreign.OwnMetadata, difference(entry(x.Root, "metadata"), entry(read, "metadata")))
	if len(x.slos) > 0 {
		x.service.annotate(foreign.OwnSpec, difference(without(entry(x.Root, "spec"), "serviceLevels"), without(entry(read, "spec"), "serviceLevels")))
	}
	return nil
}

// service begins the Service of an agreement.
func (e *export) service(x *exported) {
	a := x.Agreement
	x.service = object("Service", e.unique("Service", a.Name, a.Name+"-agreement"))
	meta := entry(x.Root, "metadata")
	x.service.meta.set("labels", labelsOf(entry(meta, "labels")))
	key := a.Name
	if n := textOf(meta, "revision"); n != "" {
		key += "@" + n
	}
	x.service.annotations().set(foreign.OwnPrefix+foreign.OwnAgreement, key)
	if text := textOf(meta, "description"); text != "" && len(text) <= maxDescription {
		x.service.spec.set("description", text)
	}
	x.service.key = key
}

// maxDescription is how long a description of OpenSLO may be.
const maxDescription = 1050

// maxName is how long a name may be.
const maxName = 63

// unique returns the first of several names that no object of the kind has.
func (e *export) unique(kind string, names ...string) string {
	last := names[len(names)-1]
	for i := 2; ; i++ {
		for _, name := range names {
			if name = name[:min(len(name), maxName)]; !e.names[kind+" "+name] {
				e.names[kind+" "+name] = true
				return name
			}
		}
		number := fmt.Sprintf("-%d", i)
		names = []string{last[:min(len(last), maxName-len(number))] + number}
	}
}
