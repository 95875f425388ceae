package spec

import (
	"gopkg.in/yaml.v3"
)

// maxAliased limits how many values aliases may add to a document. An agreement of a
// thousand levels has about as many.
const maxAliased = 20_000

// resolveAliases replaces aliases by their values and applies merge keys, so that later
// code sees neither. It reports duplicate keys and drops them. It returns nil if the
// document cannot be used. Nodes are shared and not copied, so the time is proportional
// to the length of the text.
func (d *decoder) resolveAliases(root *yaml.Node) *yaml.Node {
	r := &resolver{d: d, sizes: map[*yaml.Node]int{}, most: countNodes(root) + maxAliased}
	size := r.visit(root)
	switch {
	case r.cyclic != nil:
		d.errorAt(r.cyclic, "alias-cycle", "this alias stands inside what it stands for", "write the value out")
		return nil
	case size > r.most:
		d.errorAt(root, "alias-expansion", "with its aliases followed this document has more than "+itoa(maxAliased)+" values that are not written",
			"use fewer aliases of aliases, or split the agreement")
		return nil
	}
	return root
}

type resolver struct {
	d      *decoder
	sizes  map[*yaml.Node]int // of the resolved trees, capped above most; -1 while being visited
	most   int                // how many values the document may have
	cyclic *yaml.Node
}

// countNodes counts the values of a tree as written, without following aliases.
func countNodes(node *yaml.Node) int {
	n := 1
	for _, child := range node.Content {
		n += countNodes(child)
	}
	return n
}

func (r *resolver) visit(node *yaml.Node) int {
	if size, seen := r.sizes[node]; seen {
		if size < 0 {
			r.cyclic = node
			return 0
		}
		return size
	}
	r.sizes[node] = -1
	if node.Kind == yaml.MappingNode {
		r.mapping(node)
	}
	size := 1
	for i, child := range node.Content {
		for child.Kind == yaml.AliasNode {
			child = child.Alias
		}
		node.Content[i] = child
		size = min(size+r.visit(child), r.most+1)
	}
	r.sizes[node] = size
	return size
}

// mapping drops duplicate keys, and applies merge keys.
func (r *resolver) mapping(node *yaml.Node) {
	first := map[string]*yaml.Node{}
	var kept, merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, val := node.Content[i], node.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			r.d.errorAt(key, "wrong-type", "a key must be text, this is "+describe(key), "write it as key: value")
			continue
		}
		if before, dup := first[key.Value]; dup {
			r.d.errorAt(key, "duplicate-key", quote(key.Value)+" is given twice; first on line "+itoa(before.Line),
				"keep one of them")
			continue
		}
		first[key.Value] = key
		if key.Tag == "!!merge" {
			merged = append(merged, val)
			continue
		}
		kept = append(kept, key, val)
	}
	node.Content = kept
	for _, val := range merged {
		r.merge(node, first, val)
	}
}

// merge adds the pairs of val whose keys node does not have. val is a mapping or a list
// of mappings.
func (r *resolver) merge(node *yaml.Node, have map[string]*yaml.Node, val *yaml.Node) {
	for val.Kind == yaml.AliasNode {
		val = val.Alias
	}
	switch val.Kind {
	case yaml.MappingNode:
		r.visit(val)
		for i := 0; i+1 < len(val.Content); i += 2 {
			if key := val.Content[i]; have[key.Value] == nil {
				have[key.Value] = key
				node.Content = append(node.Content, key, val.Content[i+1])
			}
		}
	case yaml.SequenceNode:
		if size, seen := r.sizes[val]; seen && size < 0 {
			r.cyclic = val
			return
		}
		r.sizes[val] = -1
		for _, item := range val.Content {
			r.merge(node, have, item)
		}
		delete(r.sizes, val)
	default:
		r.d.errorAt(val, "wrong-type", "<< merges mappings, this is "+describe(val), "write an alias of a mapping: <<: *name")
	}
}
