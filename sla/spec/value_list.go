package spec

import (
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// list returns the items of a list that is not empty.
func (v value) list() ([]value, bool) {
	if v.node.Kind != yaml.SequenceNode {
		remedy := ""
		if v.node.Kind == yaml.ScalarNode && !isNull(v.node) {
			remedy = "write " + v.name + ": [" + strconv.Quote(v.node.Value) + "]"
		}
		if v.node.Kind == yaml.MappingNode {
			remedy = "start each item with '- '"
			if len(v.node.Content) > 0 && v.field != nil && len(v.field.typ.sections) > 0 {
				if first := v.node.Content[0].Value; v.field.typ.sections[0].field("name") == nil {
					remedy += ", e.g. - " + first + ": …"
				} else if first == "name" {
					remedy += ", e.g. - name: " + v.node.Content[1].Value
				} else {
					remedy += ", e.g. - name: " + first
				}
			}
		}
		v.typeError("a list", remedy)
		return nil, false
	}
	if len(v.node.Content) == 0 {
		v.d.errorAt(v.key, "empty-value", v.name+" is an empty list", v.emptyRemedy("at least one item"))
		return nil, false
	}
	items := make([]value, len(v.node.Content))
	for i, item := range v.node.Content {
		items[i] = value{d: v.d, key: v.key, node: item, name: "an item of " + v.name, item: true}
	}
	return items, true
}

// entries returns the pairs of a mapping whose keys the user chooses. ok is false if the
// value is not a mapping.
func (v value) entries() ([]value, bool) {
	if v.node.Kind != yaml.MappingNode {
		v.typeError("a mapping of names to values", "")
		return nil, false
	}
	var entries []value
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		entries = append(entries, value{d: v.d, key: key, node: v.node.Content[i+1], name: key.Value})
	}
	return entries, true
}

// uniqueTexts parses a list of texts, none of them twice.
func (v value) uniqueTexts() ([]value, bool) {
	items, ok := v.list()
	var names []value
	for _, item := range items {
		text, good := item.text()
		if !good {
			continue
		}
		if slices.Contains(textsOf(names), text) {
			item.error("duplicate-item", quote(text)+" stands in "+v.name+" twice", "leave one out")
			continue
		}
		names = append(names, item)
	}
	return names, ok
}

func textsOf(values []value) []string {
	var all []string
	for _, v := range values {
		all = append(all, v.node.Value)
	}
	return all
}

func (v value) texts() ([]string, bool) {
	items, ok := v.list()
	var texts []string
	for _, item := range items {
		text, itemOK := item.text()
		texts, ok = append(texts, text), ok && itemOK
	}
	return texts, ok
}

// pairs yields the entries of a mapping.
func (v value) pairs(yield func(value) bool) {
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		if !yield(value{d: v.d, key: key, node: v.node.Content[i+1], name: key.Value}) {
			return
		}
	}
}

// listOfValues parses a list of values, no two of them equal.
func listOfValues(one func(value) (string, bool)) func(value) ([]string, bool) {
	return func(v value) ([]string, bool) {
		items, ok := v.list()
		var texts []string
		for _, item := range items {
			text, good := one(item)
			if ok = ok && good; good && slices.Contains(texts, text) {
				item.error("duplicate", quote(text)+" stands in the list twice", "remove one of them")
			}
			texts = append(texts, text)
		}
		return texts, ok
	}
}

// words parses a list of known words, none of them twice.
func words[T ~string](known ...T) func(value) ([]T, bool) {
	return func(v value) ([]T, bool) {
		items, ok := v.list()
		if !ok {
			return nil, false
		}
		var list []T
		for _, item := range items {
			w, itemOK := word(known...)(item)
			if itemOK && slices.Contains(list, w) {
				item.error("bad-value", item.quoted()+" is there twice", "keep one of them")
				itemOK = false
			}
			ok = ok && itemOK
			list = append(list, w)
		}
		return list, ok
	}
}
