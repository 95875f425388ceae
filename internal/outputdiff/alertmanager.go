package outputdiff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Alertmanager describes the differences between two Alertmanager configurations.
func Alertmanager(was, now []byte) ([]string, error) {
	var before, after object
	for _, file := range []struct {
		text []byte
		into *object
	}{{was, &before}, {now, &after}} {
		if err := yaml.Unmarshal(file.text, file.into); err != nil {
			return nil, fmt.Errorf("this is no configuration of an Alertmanager: %s", strings.Join(strings.Fields(err.Error()), " "))
		}
	}
	root, _ := before["route"].(object)
	other, _ := after["route"].(object)
	words := compareRoutes("the root route", root, other)
	keys := keysOf(itself)
	words = append(words, compare(named(before, "receivers", "receiver"), named(after, "receivers", "receiver"), keys)...)
	words = append(words, compare(inhibitions(before), inhibitions(after), keys)...)
	for _, key := range []string{"time_intervals", "mute_time_intervals"} {
		words = append(words, compare(named(before, key, "time interval"), named(after, key, "time interval"), keys)...)
	}
	for _, key := range []string{"route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals"} {
		delete(before, key)
		delete(after, key)
	}
	return append(words, others(before, after)...), nil
}

// named returns the items of a list by name.
func named(of object, key, noun string) []thing {
	var all []thing
	for _, item := range list(of, key) {
		all = append(all, thing{noun, scalar(item, "name"), item})
	}
	return all
}

func inhibitions(of object) []thing {
	var all []thing
	for _, rule := range list(of, "inhibit_rules") {
		name := fmt.Sprintf("of %s by %s", matchersOf(rule, "target_").short(), matchersOf(rule, "source_").short())
		all = append(all, thing{"inhibition", name, object{"equal": rule["equal"]}})
	}
	return all
}

// compareRoutes describes the differences between two routes and between the routes
// below them. A route has no name, so it is identified by what it matches.
func compareRoutes(path string, was, now object) []string {
	var words []string
	if parts := routeParts(was, now); len(parts) > 0 {
		words = append(words, path+": "+strings.Join(parts, ", "))
	}
	olds, news := list(was, "routes"), list(now, "routes")
	for i, old := range pairRoutes(olds, news) {
		name := below(path, news[i])
		if old < 0 {
			words = append(words, name+" is new")
			continue
		}
		words = append(words, compareRoutes(below(path, olds[old]), olds[old], news[i])...)
		olds[old] = nil
	}
	for _, old := range olds {
		if old != nil {
			words = append(words, below(path, old)+" is gone")
		}
	}
	return words
}

// routeParts describes the differences between two routes, without the routes below
// them.
func routeParts(was, now object) []string {
	before, after := matchersOf(was, ""), matchersOf(now, "")
	gone, added := before.without(after), after.without(before)
	var parts []string
	switch {
	case len(gone) > 0 && len(added) > 0:
		parts = append(parts, fmt.Sprintf("matches %s -> %s", gone, added))
	case len(gone) > 0:
		parts = append(parts, fmt.Sprintf("does not have to match %s any more", gone))
	case len(added) > 0:
		parts = append(parts, fmt.Sprintf("must match %s, too", added))
	}
	for _, key := range changedKeys(was, now) {
		if !slices.Contains([]string{"routes", "matchers", "match", "match_re"}, key) {
			parts = append(parts, fmt.Sprintf("%s %s -> %s", key, value(was, key), value(now, key)))
		}
	}
	return parts
}

// below names a route below another.
func below(path string, route object) string {
	name := matchersOf(route, "").short()
	if path == "the root route" {
		return "route " + name
	}
	return path + " > " + name
}

// pairRoutes finds for each route its earlier form, -1 if it is new: a route that
// matches the same, or else an unpaired one with the same receiver and labels.
func pairRoutes(was, now []object) []int {
	pairs, taken := make([]int, len(now)), map[int]bool{}
	for i := range pairs {
		pairs[i] = -1
	}
	for _, key := range []func(object) string{
		func(route object) string { return strings.Join(matchersOf(route, ""), "\x00") },
		func(route object) string {
			return scalar(route, "receiver") + "\x00" + strings.Join(matchersOf(route, "").labels(), "\x00")
		},
	} {
		for i, route := range now {
			for j := 0; j < len(was) && pairs[i] < 0; j++ {
				if !taken[j] && key(was[j]) == key(route) {
					pairs[i], taken[j] = j, true
				}
			}
		}
	}
	return pairs
}

// value prints a key's value for people.
func value(of object, key string) string {
	switch v := of[key].(type) {
	case nil:
		return "none"
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = fmt.Sprint(v[i])
		}
		return "[" + strings.Join(words, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// matchers are what a route or an inhibition matches, in the newer form.
type matchers []string

// matchersOf reads both forms; prefix begins the keys.
func matchersOf(of object, prefix string) matchers {
	var all matchers
	newer, _ := of[prefix+"matchers"].([]any)
	for _, m := range newer {
		all = append(all, fmt.Sprint(m))
	}
	for _, older := range []struct{ key, sign string }{{"match", "="}, {"match_re", "=~"}} {
		values, _ := of[prefix+older.key].(object)
		for _, label := range slices.Sorted(maps.Keys(values)) {
			all = append(all, fmt.Sprintf("%s%s%q", label, older.sign, fmt.Sprint(values[label])))
		}
	}
	return all
}

func (m matchers) without(others matchers) matchers {
	return slices.DeleteFunc(slices.Clone(m), func(one string) bool { return slices.Contains(others, one) })
}

// labels returns the names of the matched labels.
func (m matchers) labels() []string {
	var all []string
	for _, one := range m {
		end := strings.IndexAny(one, "=!~")
		all = append(all, strings.TrimSpace(one[:max(end, 0)]))
	}
	return all
}

func (m matchers) String() string { return strings.Join(m, ", ") }

// short returns the matchers that name a route: without long ones, if there are others.
func (m matchers) short() string {
	const most = 60
	short := slices.DeleteFunc(slices.Clone(m), func(one string) bool { return len(one) > most })
	switch {
	case len(m) == 0:
		return "of everything"
	case len(short) == 0:
		return strings.ToValidUTF8(m[0][:most], "") + "..."
	}
	return short.String()
}
