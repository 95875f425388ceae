// Package outputdiff describes the differences between two revisions of a generated
// dashboard or Alertmanager configuration: which panels, routes and receivers are new,
// gone or changed, and how. It shows old and new values of routes only, since receivers
// hold secrets. Package rulediff compares rules.
package outputdiff

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// object is a mapping of JSON or YAML.
type object = map[string]any

// thing is a part of a file that has a name: a panel, a receiver.
type thing struct {
	noun, name string
	content    object
}

func (t thing) String() string {
	if t.name == "" {
		return t.noun
	}
	return t.noun + " " + t.name
}

// compare pairs things by name, in order if several have the same name, and describes
// what happened to each. changed describes the changes of a pair.
func compare(was, now []thing, changed func(was, now object) []string) []string {
	var words []string
	left := slices.Clone(was)
	for _, n := range now {
		i := slices.IndexFunc(left, func(w thing) bool { return w.noun == n.noun && w.name == n.name })
		if i < 0 {
			words = append(words, n.String()+" is new")
			continue
		}
		if parts := changed(left[i].content, n.content); len(parts) > 0 {
			words = append(words, fmt.Sprintf("%s: %s", n, strings.Join(parts, ", ")))
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, w := range left {
		words = append(words, w.String()+" is gone")
	}
	return words
}

// keysOf returns a function that names the keys with different values, in words for
// people. Keys with the word "" are left out.
func keysOf(word func(key string) string) func(was, now object) []string {
	return func(was, now object) []string {
		var parts []string
		for _, key := range changedKeys(was, now) {
			if w := word(key); w != "" && !slices.Contains(parts, w) {
				parts = append(parts, w)
			}
		}
		return parts
	}
}

// itself is the word for a key without another one.
func itself(key string) string { return key }

// changedKeys returns the keys with different values, sorted.
func changedKeys(was, now object) []string {
	var keys []string
	for key, value := range was {
		if other, there := now[key]; !there || !reflect.DeepEqual(value, other) {
			keys = append(keys, key)
		}
	}
	for key := range now {
		if _, there := was[key]; !there {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// others says which of the remaining keys differ.
func others(was, now object) []string {
	if keys := changedKeys(was, now); len(keys) > 0 {
		return []string{"other keys: " + strings.Join(keys, ", ")}
	}
	return nil
}

// list returns a key's list of mappings, without other items.
func list(of object, key string) []object {
	var all []object
	items, _ := of[key].([]any)
	for _, item := range items {
		if o, ok := item.(object); ok {
			all = append(all, o)
		}
	}
	return all
}

// scalar is a key's scalar as text, "" if there is none.
func scalar(of object, key string) string {
	if value, there := of[key]; there && value != nil {
		return fmt.Sprint(value)
	}
	return ""
}
