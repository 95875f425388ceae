package rulegen

import (
	"encoding/binary"
	"maps"
	"reflect"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// keyWriter writes a level as bytes that two levels have in common exactly if
// they are alike: every field of it counts, also those that are added later, but
// for names, queries and what rules do not hang on (see skipped).
type keyWriter struct {
	begin []byte // of every key
	out   []byte
	own   bool // something is named that another agreement may have by the same name
	ok    bool
}

var (
	positionType  = reflect.TypeFor[sla.Position]()
	decimalType   = reflect.TypeFor[sla.Decimal]()
	queryType     = reflect.TypeFor[sla.Query]()
	calendarType  = reflect.TypeFor[*sla.Calendar]()
	exclusionType = reflect.TypeFor[*sla.Exclusion]()
	indicatorType = reflect.TypeFor[sla.Indicator]()
)

// skipped are the fields of a level that its rules do not show: the ID is filled
// in, and the others are for people who read the specification.
var skipped = func() map[int]bool {
	fields := map[int]bool{}
	for _, name := range []string{"ID", "Description", "Defaults"} {
		field, _ := reflect.TypeFor[sla.ServiceLevel]().FieldByName(name)
		fields[field.Index[0]] = true
	}
	return fields
}()

// level writes a level of an agreement of that number; false if it has something
// of which nothing is known.
func (k *keyWriter) level(l *sla.ServiceLevel, agreement int) bool {
	k.out, k.own, k.ok = append(k.out[:0], k.begin...), false, true
	v := reflect.ValueOf(l).Elem()
	for i := range v.NumField() {
		if !skipped[i] {
			k.value(v.Field(i))
		}
	}
	if k.own {
		k.number(uint64(agreement))
	}
	return k.ok
}

func (k *keyWriter) number(n uint64) { k.out = binary.AppendUvarint(k.out, n) }

func (k *keyWriter) text(s string) {
	k.number(uint64(len(s)))
	k.out = append(k.out, s...)
}

func (k *keyWriter) flag(set bool) {
	b := byte(0)
	if set {
		b = 1
	}
	k.out = append(k.out, b)
}

// value writes one value, delimited.
func (k *keyWriter) value(v reflect.Value) {
	switch v.Type() {
	case positionType:
		return
	case decimalType:
		k.out = v.Interface().(sla.Decimal).AppendExact(k.out)
		k.out = append(k.out, ' ')
		return
	case queryType:
		k.flag(v.Interface().(sla.Query).Text != "")
		return
	case calendarType, exclusionType:
		if k.flag(!v.IsNil()); !v.IsNil() {
			k.own = true
			k.text(v.Elem().FieldByName("Name").String())
		}
		return
	case indicatorType:
		k.indicator(v.Interface().(sla.Indicator))
		return
	}
	k.plain(v)
}

// plain writes a value by its kind. Nil and empty are told apart.
func (k *keyWriter) plain(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		k.text(v.String())
	case reflect.Bool:
		k.flag(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		k.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		k.number(v.Uint())
	case reflect.Pointer:
		if k.flag(!v.IsNil()); !v.IsNil() {
			k.value(v.Elem())
		}
	case reflect.Slice:
		k.flag(!v.IsNil())
		k.number(uint64(v.Len()))
		for i := range v.Len() {
			k.value(v.Index(i))
		}
	case reflect.Map:
		k.mapping(v)
	case reflect.Struct:
		for _, field := range v.Fields() {
			k.value(field)
		}
	default:
		k.ok = false
	}
}

func (k *keyWriter) mapping(v reflect.Value) {
	texts, ok := reflect.TypeAssert[map[string]string](v)
	if k.flag(texts != nil); !ok {
		k.ok = false
		return
	}
	k.number(uint64(len(texts)))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		k.text(name)
		k.text(texts[name])
	}
}

// indicator writes the kind and what bareIndicator leaves of it.
func (k *keyWriter) indicator(i sla.Indicator) {
	if l, ok := i.(*sla.ProbeLatency); i == nil || ok && l.Probe == nil {
		k.ok = false
		return
	}
	if s, ok := i.(*sla.SharedProbe); ok && s.Probe == nil {
		k.ok = false
		return
	}
	k.text(reflect.TypeOf(i).Elem().Name())
	switch i := i.(type) {
	case *sla.Probe:
		k.number(uint64(i.Interval))
	case *sla.SharedProbe:
		k.number(uint64(i.Probe.Interval))
	case *sla.ProbeLatency:
		k.number(uint64(i.Threshold))
		k.number(uint64(i.Probe.Interval))
	default:
		k.value(reflect.ValueOf(i).Elem())
	}
}
