package spec

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// object is a mapping with the keys of a section.
type object struct {
	value
	section *section
	values  map[string]value
	kind    *probeKind // the kind of probe, nil for other mappings
	meant   []string   // keys that unknown ones may stand for
}

// object reads a mapping with the keys of a section. It reports unknown keys and missing
// ones. It returns nil if the value is not a mapping.
func (v value) object(s *section) *object {
	if v.node.Kind != yaml.MappingNode {
		v.typeError("a mapping", v.mappingRemedy(s))
		return nil
	}
	o := &object{value: v, section: s, values: map[string]value{}}
	var meant []string // keys that misspelt ones stand for; they are not reported as missing too
	pairs, _ := v.entries()
	for _, pair := range pairs {
		f := s.field(pair.name)
		if f == nil {
			v.d.errorAt(pair.key, "unknown-key", "unknown key "+quote(pair.name)+" in "+s.name, unknownKeyRemedy(s, pair.name))
			meant = append(meant, likelyKey(s, pair.name))
			continue
		}
		pair.field = f
		if f.verdictOnly {
			v.d.noteVerdictOnly(pair)
		}
		o.values[pair.name] = pair
	}
	for _, f := range s.fields {
		if _, given := o.values[f.key]; f.required && !given && !slices.Contains(meant, f.key) {
			o.missing(quote(f.key)+" is missing in "+s.name, "add "+f.key+": "+f.sample())
		}
	}
	for _, group := range s.oneOf {
		o.exactlyOne(group, meant)
	}
	o.meant = meant
	return o
}

// misspelt returns whether an unknown key may stand for a key.
func (o *object) misspelt(key string) bool { return slices.Contains(o.meant, key) }

// mappingRemedy is the remedy if a section is not a mapping. If the section has one key
// and the value is text, it shows the mapping with that text.
func (v value) mappingRemedy(s *section) string {
	if only := s.fields[0]; len(s.fields) == 1 && len(only.typ.sections) == 0 && v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!str" {
		text := only.sample()
		if given := sla.Mask(v.node.Value, false); len(given) <= mostQuoted && !strings.Contains(given, "\n") {
			text = "'" + strings.ReplaceAll(given, "'", "''") + "'"
		}
		return "write " + v.name + ": {" + only.key + ": " + text + "}"
	}
	return "its keys are " + list(s.keys())
}

func (o *object) exactlyOne(group, meant []string) {
	var given []string
	for _, key := range group {
		if _, ok := o.values[key]; ok {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0 && slices.ContainsFunc(meant, func(key string) bool { return key == "" || slices.Contains(group, key) }):
		// An unknown key may stand for one of them.
	case len(given) == 0:
		o.missing(o.section.name+" needs "+either(group), "add "+group[0]+": "+o.section.field(group[0]).sample())
	case len(given) > 1:
		o.d.errorAt(o.values[given[1]].key, "conflicting-keys",
			list(given)+" exclude each other in "+o.section.name, "keep one of them")
	}
}

// missing reports a missing key, at the key of the mapping.
func (o *object) missing(message, remedy string) {
	at := o.node
	if o.key != nil && !o.item {
		at = o.key
	}
	o.d.errorAt(at, "missing-key", message, remedy)
}

// get returns the value of a key, and whether it was given.
func (o *object) get(key string) (value, bool) {
	if o.section.field(key) == nil {
		panic("spec: section " + o.section.name + " has no key " + key)
	}
	if o.d.keysRead != nil {
		o.d.keysRead[o.section.name+"."+key] = true
	}
	v, ok := o.values[key]
	if ok && o.d.keysGiven != nil {
		o.d.keysGiven[o.section.name+"."+key] = true
	}
	return v, ok
}

// given returns those of the keys that were given.
func (o *object) given(keys ...string) []string {
	return slices.DeleteFunc(keys, func(key string) bool { _, ok := o.values[key]; return !ok })
}

// read parses the value of a key. ok is false if the key was not given, or after an
// error.
func read[T any](o *object, key string, parse func(value) (T, bool)) (got T, at value, ok bool) {
	at, given := o.get(key)
	if !given {
		return got, at, false
	}
	got, ok = parse(at)
	return got, at, ok
}

// optional parses the value of a key. It returns nil if the key was not given, and after
// an error.
func optional[T any](o *object, key string, parse func(value) (T, bool)) *T {
	if got, _, ok := read(o, key, parse); ok {
		return &got
	}
	return nil
}
