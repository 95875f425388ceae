package emit

import (
	"bytes"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// yamlText prints mappings of texts as yaml.v3 would, in a fraction of the time.
// Anything whose style is not obvious is printed by yaml.v3.
type yamlText struct {
	out  []byte
	base int // indent of everything
}

const spaces = "                  "

// line writes text on a line of its own.
func (y *yamlText) line(indent int, text string) {
	y.out = append(y.out, spaces[:y.base+indent]...)
	y.out = append(y.out, text...)
	y.out = append(y.out, '\n')
}

// comment writes the lines of a comment, none for "". Characters that a comment
// cannot hold become spaces.
func (y *yamlText) comment(indent int, text string) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		y.line(indent, "# "+strings.Map(func(c rune) rune {
			if !unicode.IsPrint(c) {
				return ' '
			}
			return c
		}, line))
	}
}

// pair writes "key: value"; item makes it the first of a list's item, whose
// dash takes the last two columns of the indent.
func (y *yamlText) pair(indent int, item bool, key, value string) error {
	indent += y.base
	at := indent
	if item {
		at -= len("- ")
	}
	y.out = append(y.out, spaces[:at]...)
	if item {
		y.out = append(y.out, "- "...)
	}
	how := style(value)
	if how == byLibrary || style(key) != asItIs {
		text, err := libraryPair{indent, key, value}.text()
		y.out = append(append(y.out, text...), '\n')
		return err
	}
	y.out = append(append(y.out, key...), ": "...)
	switch how {
	case asItIs:
		y.out = append(y.out, value...)
	case quoted:
		y.out = append(append(append(y.out, '"'), value...), '"')
	case singleQuoted:
		y.out = append(append(append(y.out, '\''), strings.ReplaceAll(value, "'", "''")...), '\'')
	}
	y.out = append(y.out, '\n')
	return nil
}

// block writes "key: |-" and the lines of the value below it. A value that such a
// block would change becomes a pair.
func (y *yamlText) block(indent int, key, value string) error {
	if !fitsBlock(value) {
		return y.pair(indent, false, key, value)
	}
	y.line(indent, key+": |-")
	for line := range strings.SplitSeq(value, "\n") {
		y.line(indent+2, line)
	}
	return nil
}

// fitsBlock allows lines of printable ASCII, none of them empty. The first must have
// no indent, which YAML would take for the indent of all.
func fitsBlock(s string) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if line == "" || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c > '~' }) {
			return false
		}
	}
	return s[0] != ' '
}

// libraryPair is a pair at an even indent, which decides where its lines break.
type libraryPair struct {
	indent     int
	key, value string
}

// text is what yaml.v3 prints for the pair, from its key on, as the innermost of
// as many mappings as the indent needs. If it does not read back, like a block
// that begins with an empty line, the text is printed in double quotes.
func (p libraryPair) text() (string, error) {
	text, err := p.printed(p.value)
	var back map[string]string
	if err == nil && (yaml.Unmarshal([]byte(text+"\n"), &back) != nil || back[p.key] != p.value) {
		return p.printed(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: p.value})
	}
	return text, err
}

func (p libraryPair) printed(value any) (string, error) {
	const width = 2
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(width)
	var document any = map[string]any{p.key: value}
	for range p.indent / width {
		document = map[string]any{"around": document}
	}
	if err := enc.Encode(document); err != nil {
		return "", err
	}
	text := out.String()
	for range p.indent / width {
		_, text, _ = strings.Cut(text, "\n")
	}
	return strings.TrimSuffix(text[p.indent:], "\n"), enc.Close()
}

// scalarStyle is how a text is written in YAML.
type scalarStyle int

const (
	byLibrary    scalarStyle = iota // by the rules of YAML, which yaml.v3 knows
	asItIs                          // plain
	quoted                          // in double quotes, nothing escaped
	singleQuoted                    // in single quotes, which are doubled in the text
)

// style knows printable ASCII that begins with a letter, "(" or "{" and is no word with a
// meaning, as well as numbers, durations and expressions that begin with a number.
// Numbers are quoted, and so are texts with something that ends a plain text.
func style(s string) scalarStyle {
	if s == "" {
		return byLibrary
	}
	how := asItIs
	if last := s[len(s)-1]; last == ' ' || last == ':' {
		how = singleQuoted
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return byLibrary
		case c == ':' && i+1 < len(s) && s[i+1] == ' ', c == '#' && i > 0 && s[i-1] == ' ':
			how = singleQuoted
		}
	}
	switch first := s[0]; {
	case first == '{':
		return singleQuoted
	case first == '(', first >= 'a' && first <= 'z', first >= 'A' && first <= 'Z':
		if !hasMeaning(s) {
			return how
		}
	case how == asItIs && first >= '0' && first <= '9':
		return styleOfDigits(s)
	}
	return byLibrary
}

// styleOfDigits is the style of a text that begins with a digit and holds
// nothing that ends a plain text.
func styleOfDigits(s string) scalarStyle {
	number, bracket, duration := true, false, true
	for i := range len(s) {
		c := s[i]
		digit := c >= '0' && c <= '9'
		number = number && (digit || c == '.' && i > 0)
		bracket = bracket || c == '(' || c == '{'
		duration = duration && (digit || i > 0 && strings.IndexByte("smhdwy", c) >= 0)
	}
	switch {
	case number:
		return quoted
	case bracket || duration:
		return asItIs
	}
	return byLibrary
}

// hasMeaning reports whether some version of YAML reads a word as anything but text.
func hasMeaning(s string) bool {
	if len(s) > len("false") {
		return false
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}
