package spec

import (
	"maps"
	"regexp"
	"strings"
)

// schema is a JSON Schema; encoding/json prints it with sorted keys.
type schema = map[string]any

// Schema returns the JSON Schema (draft 2020-12) of a document of any kind, made from the tables of
// the decoder. Only the decoder checks what depends on several values, such as an
// objective below its target.
func Schema() map[string]any {
	defs := schema{}
	for _, s := range sections() {
		defs[s.id()] = s.schema()
	}
	ref := func(s *section) schema { return schema{"$ref": "#/$defs/" + s.id()} }
	root := schema{
		"if":   schema{"properties": schema{"kind": schema{"const": adjustmentKind}}, "required": []string{"kind"}},
		"then": ref(adjustmentSection), "else": schema{
			"if":   schema{"properties": schema{"kind": schema{"const": scenarioKind}}, "required": []string{"kind"}},
			"then": ref(scenarioSection), "else": ref(documentSection),
		},
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/upheld-sla/upheld/schema/upheld-v1.json"
	root["title"] = "Service level agreement, adjustment or scenario, " + apiVersion
	root["$defs"] = defs
	return root
}

var notInID = regexp.MustCompile(`[^a-z]+`)

// id is the section's name in $defs.
func (s *section) id() string {
	name := strings.TrimPrefix(strings.TrimPrefix(s.name, "a "), "an ")
	return strings.Trim(notInID.ReplaceAllString(name, "-"), "-")
}

func (s *section) schema() schema {
	properties, required := schema{}, []string{}
	for _, f := range s.fields {
		properties[f.key] = f.schema()
		if f.required {
			required = append(required, f.key)
		}
	}
	result := schema{
		"type": "object", "description": s.doc, "properties": properties, "additionalProperties": false,
	}
	if len(required) > 0 {
		result["required"] = required
	}
	var groups []schema
	for _, group := range s.oneOf {
		var alternatives []schema
		for _, key := range group {
			alternatives = append(alternatives, schema{"required": []string{key}})
		}
		groups = append(groups, schema{"oneOf": alternatives})
	}
	if len(groups) == 1 {
		maps.Copy(result, groups[0])
	} else if len(groups) > 1 {
		result["allOf"] = groups
	}
	return result
}

func (f *field) schema() schema {
	result := f.typ.schema()
	result["description"] = f.doc
	if f.def != "" {
		result["description"] = f.doc + " Default: " + f.def + "."
	}
	return result
}

func (t *valueType) schema() schema {
	alternatives := append([]schema(nil), t.scalars...)
	for _, s := range t.sections {
		alternatives = append(alternatives, schema{"$ref": "#/$defs/" + s.id()})
	}
	one := maps.Clone(alternatives[0])
	if len(alternatives) > 1 {
		one = schema{"oneOf": alternatives}
	}
	switch t.shape {
	case listOf:
		if t.mayBeEmpty {
			return schema{"type": "array", "items": one}
		}
		return schema{"type": "array", "minItems": 1, "items": one}
	case oneOrList:
		return schema{"anyOf": []schema{one, {"type": "array", "minItems": 1, "items": one}}}
	case anyList:
		return schema{"type": "array", "items": one}
	case byName:
		return schema{"type": "object", "propertyNames": schema{"pattern": namePattern}, "additionalProperties": one}
	case byText:
		return schema{"type": "object", "additionalProperties": one}
	}
	return one
}
