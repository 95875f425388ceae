package emit

import (
	"bytes"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// yamlText prints mappings of texts as yaml.v3 would, which takes a fifteenth
// of the time. Anything whose style is not obvious is printed by yaml.v3.
type yamlText struct {
	out  []byte
	base int // indent of everything
}

// printed is what yaml.v3 made of texts that may come again: levels have the
// same templates, also those of other files.
var printed = struct {
	sync.Mutex
	texts map[libraryPair]string
}{texts: map[libraryPair]string{}}

// maxPrinted bounds the memory that texts take.
const maxPrinted = 1000

const spaces = "                  "

// line writes text on a line of its own.
func (y *yamlText) line(indent int, text string) {
	y.out = append(y.out, spaces[:y.base+indent]...)
	y.out = append(y.out, text...)
	y.out = append(y.out, '\n')
}

// comment writes a comment on a line of its own.
func (y *yamlText) comment(text string) {
	y.out = append(append(append(y.out, "# "...), text...), '\n')
}

// pair writes "key: value"; item makes it the first of a list's item, whose
// dash takes the last two of the indent.
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
	switch style(value) {
	case asItIs:
		y.out = append(y.out, key...)
		y.out = append(y.out, ": "...)
		y.out = append(y.out, value...)
	case quoted:
		y.out = append(y.out, key...)
		y.out = append(y.out, `: "`...)
		y.out = append(y.out, value...)
		y.out = append(y.out, '"')
	default:
		text, err := printedByLibrary(indent, key, value)
		if err != nil {
			return err
		}
		y.out = append(y.out, text...)
	}
	y.out = append(y.out, '\n')
	return nil
}

func printedByLibrary(indent int, key, value string) (string, error) {
	this := libraryPair{indent, key, value}
	printed.Lock()
	text, ok := printed.texts[this]
	printed.Unlock()
	if ok {
		return text, nil
	}
	text, err := this.text()
	if err != nil {
		return "", err
	}
	printed.Lock()
	defer printed.Unlock()
	if len(printed.texts) >= maxPrinted {
		clear(printed.texts)
	}
	printed.texts[this] = text
	return text, nil
}

// libraryPair is a pair at an even indent, on which the breaks of its lines hang.
type libraryPair struct {
	indent     int
	key, value string
}

// text is what yaml.v3 prints for the pair, from its key on: as the innermost of
// as many mappings as give the indent. Where that does not read back, as a block
// that begins with an empty line does not, the text is printed in double quotes.
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

// scalarStyle is how a text stands in YAML.
type scalarStyle int

const (
	byLibrary scalarStyle = iota // by the rules of YAML, which yaml.v3 knows
	asItIs                       // plain
	quoted                       // in double quotes, nothing escaped
)

// style is asItIs for printable ASCII that begins with a letter or "(", is no
// word with a meaning, and has nothing that ends a plain text; and for durations
// and expressions that begin with a number. Numbers are quoted.
func style(s string) scalarStyle {
	if s == "" || s[len(s)-1] == ' ' || s[len(s)-1] == ':' {
		return byLibrary
	}
	for i := range len(s) {
		if c := s[i]; plain[c] {
			continue
		} else if c < ' ' || c > '~' || c == ':' && s[i+1] == ' ' || c == '#' && (i == 0 || s[i-1] == ' ') {
			return byLibrary
		}
	}
	switch first := s[0]; {
	case first >= '0' && first <= '9':
		return styleOfDigits(s)
	case first == '(', first >= 'a' && first <= 'z', first >= 'A' && first <= 'Z':
		if len(s) <= len("false") && hasMeaning(s) {
			return byLibrary
		}
		return asItIs
	}
	return byLibrary
}

// plain are the bytes that mean nothing wherever they stand in a text.
var plain = func() (table [256]bool) {
	for c := ' '; c <= '~'; c++ {
		table[c] = c != ':' && c != '#'
	}
	return table
}()

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

// hasMeaning tells the words that YAML, of any version, reads as other than text.
func hasMeaning(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}
