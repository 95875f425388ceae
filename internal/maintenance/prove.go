package maintenance

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// Prove returns an error unless the agreements read after an edit equal those from
// before, plus exactly this window in one exclusion of one of them. It removes the
// window from the agreements in after, so do not use these any more.
func Prove(before, after []*sla.Agreement, of *sla.Agreement, exclusion string, w Window) error {
	for _, a := range after {
		for _, r := range a.AllRevisions() {
			if r.Name != of.Name || r.Terms.Revision != of.Terms.Revision || r.Pos.File != of.Pos.File {
				continue
			}
			if !takeOut(r, of, exclusion, w) {
				return fmt.Errorf("the window is not among those of %s when the file is read again", exclusion)
			}
			c := comparison{seen: map[[2]uintptr]bool{}}
			if what := c.differ(reflect.ValueOf(before), reflect.ValueOf(after), "agreements"); what != "" {
				return fmt.Errorf("more than the window would change: %s", what)
			}
			return nil
		}
	}
	return fmt.Errorf("the agreement %s is not there when the file is read again", of.Name)
}

// takeOut removes the window from an agreement, and the exclusion if it is new.
func takeOut(r, before *sla.Agreement, exclusion string, w Window) bool {
	i := slices.IndexFunc(r.Exclusions, func(e *sla.Exclusion) bool { return e.Name == exclusion })
	if i < 0 {
		return false
	}
	e := r.Exclusions[i]
	at := slices.IndexFunc(e.Windows, w.is)
	if at < 0 {
		return false
	}
	e.Windows = slices.Delete(e.Windows, at, at+1)
	if slices.ContainsFunc(before.Exclusions, func(e *sla.Exclusion) bool { return e.Name == exclusion }) {
		return true
	}
	without := func(all []*sla.Exclusion) []*sla.Exclusion {
		return slices.DeleteFunc(slices.Clone(all), func(other *sla.Exclusion) bool { return other == e })
	}
	for _, l := range r.Levels {
		l.Exclusions = without(l.Exclusions)
	}
	r.Exclusions = without(r.Exclusions)
	return len(e.Windows) == 0
}

// is returns whether a window of a specification is this one.
func (w Window) is(other *sla.Window) bool {
	return other.Recurs == nil && other.Once.From.Equal(w.From) && other.Once.To.Equal(w.To) && other.Emergency == w.Emergency &&
		other.Announced.Equal(w.Announced) && other.Name == w.Reason && other.ApprovedBy == w.ApprovedBy
}

// comparison compares models, which may have cycles.
type comparison struct{ seen map[[2]uintptr]bool }

// differ says where two values differ, "" if they do not. It ignores places in files.
func (c comparison) differ(a, b reflect.Value, path string) string {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return path
	}
	if !a.IsValid() || a.Type() == reflect.TypeFor[sla.Position]() {
		return ""
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Interface:
		if a.Kind() != reflect.Slice && a.IsNil() != b.IsNil() {
			return path
		}
	}
	switch a.Kind() {
	case reflect.Pointer:
		pair := [2]uintptr{a.Pointer(), b.Pointer()}
		if a.IsNil() || c.seen[pair] {
			return ""
		}
		c.seen[pair] = true
		return c.differ(a.Elem(), b.Elem(), path)
	case reflect.Interface:
		return c.differ(a.Elem(), b.Elem(), path)
	case reflect.Struct:
		for i := range a.NumField() {
			name := a.Type().Field(i).Name
			if name == "Digest" { // of the file, which has changed
				continue
			}
			if what := c.differ(a.Field(i), b.Field(i), path+"."+name); what != "" {
				return what
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return path
		}
		for i := range a.Len() {
			if what := c.differ(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i)); what != "" {
				return what
			}
		}
		return ""
	case reflect.Map:
		return c.maps(a, b, path)
	case reflect.Func:
		return ""
	}
	if !a.Equal(b) {
		return path
	}
	return ""
}

func (c comparison) maps(a, b reflect.Value, path string) string {
	if a.Len() != b.Len() {
		return path
	}
	for _, key := range a.MapKeys() {
		other := b.MapIndex(key)
		at := fmt.Sprintf("%s[%v]", path, key)
		if !other.IsValid() {
			return at
		}
		if what := c.differ(a.MapIndex(key), other, at); what != "" {
			return what
		}
	}
	return ""
}
