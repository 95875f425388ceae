package emit

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// OperatorObject is what the Prometheus operator's PrometheusRule objects are
// called. The operator looks for objects by namespace and labels.
type OperatorObject struct {
	Name      string // of the first object; those after it are name-2, name-3
	Namespace string // "" leaves it to the person who applies the file
	Labels    map[string]string
}

// maxObject is from how many bytes on another object is begun. The operator
// puts each object into ConfigMaps of at most 512 KiB, the cluster's store
// takes about a MiB.
const maxObject = 400 << 10

// operatorFile is one PrometheusRule after the other.
type operatorFile struct{ object OperatorObject }

func (f operatorFile) begin(r *RuleWriter) error {
	if r.begun && r.object < maxObject {
		return nil
	}
	if err := f.open(r); err != nil {
		return err
	}
	r.text.line(0, "groups:")
	return nil
}

func (f operatorFile) empty(r *RuleWriter) error {
	if err := f.open(r); err != nil {
		return err
	}
	r.text.line(0, "groups: []")
	return nil
}

// open begins an object, up to its groups.
func (f operatorFile) open(r *RuleWriter) error {
	r.text.base, r.object = 0, 0
	name := f.object.Name
	if r.parts++; r.parts > 1 {
		r.text.line(0, "---")
		name = fmt.Sprintf("%s-%d", name, r.parts)
	}
	r.text.line(0, "apiVersion: monitoring.coreos.com/v1")
	r.text.line(0, "kind: PrometheusRule")
	r.text.line(0, "metadata:")
	if err := r.text.pair(2, false, "name", name); err != nil {
		return err
	}
	if f.object.Namespace != "" {
		if err := r.text.pair(2, false, "namespace", f.object.Namespace); err != nil {
			return err
		}
	}
	if len(f.object.Labels) > 0 {
		r.text.line(2, "labels:")
	}
	for _, label := range slices.Sorted(maps.Keys(f.object.Labels)) {
		if err := r.text.pair(4, false, label, f.object.Labels[label]); err != nil {
			return err
		}
	}
	r.text.line(0, "spec:")
	r.text.base = 2
	return nil
}

var (
	objectName  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	objectLabel = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	objectValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// Check tells what Kubernetes would refuse.
func (o OperatorObject) Check() error {
	if o.Namespace != "" && !objectName.MatchString(o.Namespace) {
		return fmt.Errorf("%q is not the name of a namespace: lower case letters, digits and -, at most 63", o.Namespace)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Labels)) {
		if !objectLabel.MatchString(name) {
			return fmt.Errorf("%q is not the name of a label of Kubernetes", name)
		}
		if !objectValue.MatchString(o.Labels[name]) {
			return fmt.Errorf("%q is not the value of a label of Kubernetes: letters, digits, -, _ and ., at most 63", o.Labels[name])
		}
	}
	return nil
}
