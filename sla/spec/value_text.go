package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// checkEntryName reports the key of an entry if it is not a valid name.
func (v value) checkEntryName(what string) bool {
	if nameRegexp.MatchString(v.name) {
		return true
	}
	v.d.errorAt(v.key, "bad-name", quote(v.name)+" is not a valid name of a "+what, "use lower-case letters, digits and -")
	return false
}

// unknownName reports a name that is not one of names.
func (v value) unknownName(rule, kind, name string, names []string, where string) {
	slices.Sort(names)
	remedy := "define it under " + where
	if near := Nearest(name, names); near != "" {
		remedy = "did you mean " + quote(near) + "?"
	} else if len(names) > 0 {
		remedy += "; there are " + list(names[:min(len(names), 8)])
	}
	v.error(rule, "there is no "+kind+" "+quote(name), remedy)
}

var nameRegexp = regexp.MustCompile(namePattern)

// identifier parses a name in the form of a DNS label, which also suits file names and
// label values.
func (v value) identifier() (string, bool) {
	text, ok := v.text()
	if ok && len(text) > 63 {
		v.error("bad-name", fmt.Sprintf("%s has %d characters, more than 63", v.quoted(), len(text)), "shorten it; description holds the rest")
		return text, false
	}
	if ok && !nameRegexp.MatchString(text) {
		remedy := "use lower-case letters, digits and -, beginning and ending with a letter or digit, at most 63"
		if fixed := toName(text); fixed != "" {
			remedy += ", e.g. " + fixed
		}
		v.error("bad-name", v.quoted()+" is not a valid name"+nonASCII(text), remedy)
		return text, false
	}
	return text, ok
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// toName is the valid name that is nearest to a text, or "".
func toName(text string) string {
	for _, r := range text {
		if r > unicode.MaxASCII {
			return "" // without those letters it would be another word
		}
	}
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.TrimRight(name[:min(len(name), 63)], "-")
}

// word parses text that is one of the words.
func word[T ~string](words ...T) func(value) (T, bool) {
	return func(v value) (T, bool) {
		text, ok := v.text()
		if !ok {
			return "", false
		}
		names := make([]string, len(words))
		for i, w := range words {
			if names[i] = string(w); text == names[i] {
				return w, true
			}
		}
		remedy := "write " + v.name + ": " + names[0]
		if near := Nearest(text, names); near != "" {
			remedy = "did you mean " + quote(near) + "?"
		} else if len(names) > 1 {
			remedy = "choose one of them"
		}
		v.error("bad-value", v.quoted()+" is not "+either(names), remedy)
		return "", false
	}
}
