package emit

import (
	"fmt"
	"maps"
	"slices"
)

// maxObject is how many bytes an object may have before the next one is begun. kubectl apply
// keeps the whole object as JSON in an annotation, and all annotations together may have 256
// KiB; the Prometheus operator puts objects into ConfigMaps of at most 512 KiB.
const maxObject = 240 << 10

// maxGroup is how many bytes a group of an object may have, since a group cannot be
// split. The cluster's store takes requests of 1.5 MiB, with the names of all
// fields.
const maxGroup = 1 << 20

// objectFile is a file of Kubernetes objects, one after the other, with rule groups.
type objectFile struct {
	apiVersion, kind string
	object           OperatorObject
}

func (objectFile) indent() int { return 2 }

func (objectFile) full(object, size int) bool { return object+size > maxObject }

func (objectFile) most() int { return maxGroup }

// open begins an object, up to its groups.
func (f objectFile) open(r *RuleWriter, empty bool) error {
	r.text.base = 0
	object := f.object
	if r.parts++; r.parts > 1 {
		r.text.line(0, "---")
		object.Name = fmt.Sprintf("%s-%d", object.Name, r.parts)
	}
	if err := r.text.objectHead(f.apiVersion, f.kind, object); err != nil {
		return err
	}
	r.text.line(0, "spec:")
	r.text.base = f.indent()
	r.text.line(0, "groups:"+emptyList(empty))
	return nil
}

// objectHead writes the beginning that all objects have.
func (y *yamlText) objectHead(apiVersion, kind string, object OperatorObject) error {
	y.line(0, "apiVersion: "+apiVersion)
	y.line(0, "kind: "+kind)
	y.line(0, "metadata:")
	if err := y.pair(2, false, "name", object.Name); err != nil {
		return err
	}
	if object.Namespace != "" {
		if err := y.pair(2, false, "namespace", object.Namespace); err != nil {
			return err
		}
	}
	if len(object.Labels) > 0 {
		y.line(2, "labels:")
	}
	for _, label := range slices.Sorted(maps.Keys(object.Labels)) {
		if err := y.pair(4, false, label, object.Labels[label]); err != nil {
			return err
		}
	}
	return nil
}
