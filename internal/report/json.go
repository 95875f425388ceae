package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of a report's JSON. It is made from the
// types of package verdict.
func Schema() []byte { return bytes.Clone(schema) }

// JSON is the form of reports that is kept, signed and verified: one object for each
// report, keys sorted, times in UTC, no nulls. Equal reports always give equal bytes.
// The history is not part of it.
func JSON(reports, _ []*verdict.Report) ([]byte, error) {
	var b bytes.Buffer
	for _, r := range reports {
		if err := writeJSON(&b, r); err != nil {
			return nil, fmt.Errorf("the report of %q as JSON: %w", r.Agreement, err)
		}
	}
	return b.Bytes(), nil
}

func writeJSON(b *bytes.Buffer, r *verdict.Report) error {
	full := complete(reflect.ValueOf(*r)).Interface().(verdict.Report)
	full.Format = verdict.ReportFormat
	data, err := json.Marshal(full)
	if err != nil {
		return err
	}
	// Objects with arbitrary keys are maps, which encoding/json writes with sorted
	// keys.
	var sorted map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&sorted); err != nil {
		return err
	}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sorted)
}

var timeType = reflect.TypeFor[time.Time]()

// complete is a deep copy with empty lists and maps instead of nil, and times in UTC.
func complete(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch {
	case v.Type() == timeType:
		out.Set(reflect.ValueOf(v.Interface().(time.Time).UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(complete(v.Field(i)))
		}
	case v.Kind() == reflect.Slice:
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(complete(v.Index(i)))
		}
	case v.Kind() == reflect.Map && v.IsNil():
		out.Set(reflect.MakeMap(v.Type()))
	case v.Kind() == reflect.Pointer && !v.IsNil():
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(complete(v.Elem()))
	}
	return out
}
