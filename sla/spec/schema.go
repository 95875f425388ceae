package spec

// schema is a JSON Schema; encoding/json prints it with sorted keys.
type schema map[string]any
