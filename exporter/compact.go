package exporter

import (
	"reflect"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// compact copies targets with everything that they hold. What was loaded lies
// between all that loading left behind, twice its own size, and keeps that from
// being given back; copies lie side by side. Equal texts are kept once.
func compact(targets []sla.ProbeTarget) []sla.ProbeTarget {
	c := copier{}
	all := reflect.ValueOf(&targets).Elem()
	c.own(all)
	return targets
}

// copier holds the texts that were copied.
type copier map[string]string

// own puts copies in the place of what a value refers to. Fields that are not
// exported stay as they are.
func (c copier) own(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(c.text(v.String()))
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			v.Set(c.target(v))
		}
	case reflect.Slice:
		if !v.IsNil() {
			next := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(next, v)
			c.elements(next)
			v.Set(next)
		}
	case reflect.Map:
		if !v.IsNil() {
			next := reflect.MakeMapWithSize(v.Type(), v.Len())
			for all := v.MapRange(); all.Next(); {
				next.SetMapIndex(c.value(all.Key()), c.value(all.Value()))
			}
			v.Set(next)
		}
	case reflect.Array:
		c.elements(v)
	case reflect.Struct:
		for i := range v.NumField() { //nolint:modernize // Fields would describe each one of every target, too
			if field := v.Field(i); field.CanSet() {
				c.own(field)
			}
		}
	}
}

func (c copier) elements(v reflect.Value) {
	for i := range v.Len() {
		c.own(v.Index(i))
	}
}

// target is a copy of what a pointer or an interface refers to, as such.
func (c copier) target(v reflect.Value) reflect.Value {
	next := reflect.New(v.Elem().Type())
	next.Elem().Set(v.Elem())
	c.own(next.Elem())
	if v.Kind() == reflect.Interface {
		return next.Elem()
	}
	return next
}

func (c copier) value(v reflect.Value) reflect.Value {
	next := reflect.New(v.Type()).Elem()
	next.Set(v)
	c.own(next)
	return next
}

func (c copier) text(s string) string {
	known, ok := c[s]
	if !ok {
		known = strings.Clone(s)
		c[known] = known
	}
	return known
}
