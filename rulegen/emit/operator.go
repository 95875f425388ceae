package emit

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// OperatorObject names objects of Kubernetes. Operators look for objects by
// namespace and labels.
type OperatorObject struct {
	Name      string // of the first object; those after it are name-2, name-3
	Namespace string // "" leaves it to the person who applies the file
	Labels    map[string]string
}

var (
	objectName  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	objectLabel = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	objectValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// Check reports what Kubernetes would refuse.
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
