package rulediff

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// differences describes everything that differs between two rules. The group counts,
// since an alert in a group with another name starts its `for` again.
func differences(was, now *Rule) []string {
	words := exprWords(was, now)
	for _, f := range []struct{ name, was, now string }{
		{"for", canonical(was.For), canonical(now.For)}, {"keep_firing_for", canonical(was.Keep), canonical(now.Keep)},
	} {
		if f.was != f.now {
			words = append(words, fmt.Sprintf("%s %s -> %s", f.name, orNone(f.was), orNone(f.now)))
		}
	}
	words = append(words, labelWords(was.Labels, now.Labels)...)
	if texts := changedTexts(was.Annotations, now.Annotations); len(texts) > 0 {
		words = append(words, "text of "+strings.Join(texts, ", "))
	}
	if was.group != now.group {
		words = append(words, fmt.Sprintf("group %s -> %s", was.group, now.group))
	}
	return words
}

func labelWords(was, now map[string]string) []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if value, there := now[name]; !there {
			words = append(words, fmt.Sprintf("label %s=%s is gone", name, was[name]))
		} else if value != was[name] {
			words = append(words, fmt.Sprintf("label %s %s -> %s", name, was[name], value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, there := was[name]; !there {
			words = append(words, fmt.Sprintf("label %s=%s is new", name, now[name]))
		}
	}
	return words
}

// changedTexts returns the names of annotations that differ.
func changedTexts(was, now map[string]string) []string {
	names := map[string]bool{}
	for name, text := range was {
		if other, there := now[name]; !there || other != text {
			names[name] = true
		}
	}
	for name := range now {
		if _, there := was[name]; !there {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// number matches a number or a duration, even within a name or a label's value, such as
// the 1h in ratio_rate1h.
var number = regexp.MustCompile(`\d+(?:\.\d+)?(?:e[-+]?\d+|(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)?`)

// layout matches white space, with an adjacent bracket, or a string, which is kept.
var layout = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|\(\s+|\s+\)|\s+`)

// flat is an expression without its layout, which depends on the length of its lines.
func flat(expr string) string {
	return layout.ReplaceAllStringFunc(strings.TrimSpace(expr), func(part string) string {
		switch {
		case strings.HasPrefix(part, "("):
			return "("
		case strings.HasSuffix(part, ")"):
			return ")"
		case strings.TrimSpace(part) == "":
			return " "
		}
		return part
	})
}

// exprWords names the numbers that differ between two otherwise equal expressions, or
// says that the expressions differ.
func exprWords(was, now *Rule) []string {
	before, after := flat(was.Expr), flat(now.Expr)
	if before == after {
		return nil
	}
	if number.ReplaceAllString(before, "#") != number.ReplaceAllString(after, "#") {
		return []string{"another expression"}
	}
	var words []string
	froms, tos := number.FindAllString(before, -1), number.FindAllString(after, -1)
	for i, from := range froms {
		if from == tos[i] {
			continue
		}
		if w := numberWords(now, from, tos[i]); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// shares are the recorded series whose numbers are shares, with the meaning of such a
// number.
var shares = []struct {
	record string
	of     func(*Rule) string
}{
	{metricnames.BurnTier, func(r *Rule) string { return "threshold of " + r.Labels[metricnames.Tier] }},
	{metricnames.TargetRatio, func(*Rule) string { return "target share" }},
	{metricnames.ObjectiveRatio, func(*Rule) string { return "objective" }},
}

// numberWords says what a number was and is, in percent if it is known to be a share.
func numberWords(r *Rule, from, to string) string {
	if duration.MatchString(from) || duration.MatchString(to) {
		return fmt.Sprintf("window %s -> %s", from, to)
	}
	for _, s := range shares {
		if s.record == r.Record {
			return fmt.Sprintf("%s %s -> %s", s.of(r), percent(from), percent(to))
		}
	}
	return fmt.Sprintf("number %s -> %s", from, to)
}

var duration = regexp.MustCompile(`[smhdwy]$`)

// percent is a share in percent, exactly: 0.0144 is 1.44 %.
func percent(share string) string {
	r, ok := new(big.Rat).SetString(share)
	if !ok {
		return share
	}
	text := r.Mul(r, big.NewRat(100, 1)).FloatString(12)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + " %"
}
