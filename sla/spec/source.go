package spec

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla"
)

// source is the text of one file by lines. It shows lines in findings, and converts the
// YAML parser's columns from characters to bytes.
type source struct {
	maskedLine int    // the line that was shown last, 0 for none
	masked     string // as it was shown
	file       string
	lines      []string
	hidden     bool // the file is no mapping, so the path may be wrong and the content secret: lines are not shown

	offsets map[int][]int // of long lines, by number: the bytes before every so many characters
}

func newSource(file, text string) *source {
	return &source{file: file, lines: splitLines(text), hidden: !looksLikeMapping(text)}
}

var (
	blankStart  = regexp.MustCompile(`^(\x{feff}|\s*(#[^\n]*)?\n|---[^\n]*\n|%[^\n]*\n)+`)
	firstKey    = regexp.MustCompile(`^\s*(\{|["']?[A-Za-z_<][^:#=\n]*:(\s|$))`)
	documentKey = regexp.MustCompile(`(?m)^(apiVersion|kind|metadata|spec)\b`)
)

// looksLikeMapping distinguishes a specification, also one with mistakes, from another
// kind of file that was named by mistake or on purpose: a private key, a list of
// passwords, the environment of a process.
func looksLikeMapping(text string) bool {
	text = text[:min(len(text), 64<<10)]
	return firstKey.MatchString(blankStart.ReplaceAllString(text, "")) || documentKey.MatchString(text)
}

// splitLines splits text where YAML does: at \n, \r, \r\n and the Unicode line breaks
// NEL, LS and PS.
func splitLines(text string) []string {
	var lines []string
	start := 0
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf && c != '\n' && c != '\r' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == '\r' && strings.HasPrefix(text[i+size:], "\n") {
			size++
		}
		if strings.ContainsRune("\n\r\u0085\u2028\u2029", r) {
			lines = append(lines, text[start:i])
			start = i + size
		}
		i += size
	}
	return append(lines, text[start:])
}

// line is line n of the source, counted from 1, and "" outside of the file.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// shown is line n as findings show it, without secrets.
func (s *source) shown(n int) string {
	if s.hidden {
		return ""
	}
	if n != s.maskedLine { // many findings may be in one line, which may be long
		line := s.line(n)
		s.maskedLine, s.masked = n, sla.Mask(line, addressKey.MatchString(line))
	}
	return s.masked
}

// addressKey is a key whose value is an address, in which a bare token before an
// "@" is no part of an e-mail address: what a probe of any kind probes, and what
// else is connected to.
var addressKey *regexp.Regexp

func init() { // not where it is declared: the decoders of the kinds report with it
	keys := []string{"server", "serverName", "url", "tokenURL", "proxyURL", "static", "targets"}
	for _, k := range probeKinds {
		keys = append(keys, k.key)
	}
	addressKey = regexp.MustCompile(`\b(?:` + strings.Join(keys, "|") + `)["']?\s*:`)
}

// position converts a column in characters to a place in bytes. Both count from 1.
func (s *source) position(line, column int) sla.Position {
	text, bytes := s.line(line), 0
	if line == 1 && strings.HasPrefix(text, "\ufeff") {
		bytes = len("\ufeff") // the parser does not count it
	}
	left := column - 1
	if known := s.offsetsOf(line); left >= stride && len(known) > 0 {
		i := min(left/stride, len(known)) - 1
		bytes, left = bytes+known[i], left-(i+1)*stride
	}
	for range left {
		_, size := utf8.DecodeRuneInString(text[bytes:])
		bytes += size
	}
	return sla.Position{File: s.file, Line: line, Column: bytes + 1}
}

// stride is how many characters of a long line are counted only once, since a file may be all in one line.
const stride = 1000

// offsetsOf are the bytes before every stride characters of a line, without a byte order mark.
func (s *source) offsetsOf(line int) []int {
	text := s.line(line)
	if len(text) <= stride {
		return nil
	}
	known, counted := s.offsets[line]
	if counted {
		return known
	}
	if line == 1 {
		text = strings.TrimPrefix(text, "\ufeff")
	}
	n := 0
	for at := range text {
		if n > 0 && n%stride == 0 {
			known = append(known, at)
		}
		n++
	}
	if s.offsets == nil {
		s.offsets = map[int][]int{}
	}
	s.offsets[line] = known
	return known
}

// rereadFile returns the content of a file that was read before. It does not open a
// pipe, which gives its content only once: reading again could wait for ever.
func rereadFile(file string) ([]byte, error) {
	if file == standardInputName {
		return standardInput()
	}
	return regular.Read(file, maxFileSize)
}

// WithSnippets adds the source line to findings that have a place but no line, such as
// those of the rule generator. If the file can no longer be read, they stay without a
// line.
func WithSnippets(findings sla.Findings) sla.Findings {
	sources := map[string]*source{}
	filled := make(sla.Findings, len(findings))
	for i, f := range findings {
		if f.Snippet == "" && f.Pos.Line > 0 {
			src, seen := sources[f.Pos.File]
			if !seen {
				text, err := rereadFile(f.Pos.File)
				if err == nil {
					src = newSource(f.Pos.File, string(text))
				}
				sources[f.Pos.File] = src
			}
			if src != nil {
				f.Snippet = src.shown(f.Pos.Line)
			}
		}
		filled[i] = f
	}
	return filled
}
