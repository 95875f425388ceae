package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// maxSize is how large a report may be. A report with 500 levels and the text of its
// specification is less than a tenth of it.
const maxSize = 64 << 20

// decimals are the keys whose values are decimal numbers as text, or empty if unknown.
var decimals = []string{
	"achieved", "agreed", "alone", "amount", "bad", "best", "budget", "capLeft", "counted", "coverage", "earnedBack",
	"excluded", "excused", "gross", "known", "percent", "raw", "removed", "seconds", "target", "total", "unknown", "withOthers",
}

// isDecimal returns whether a key of a type is a decimal number. The choices are words.
func isDecimal(typeName, key string) bool {
	return typeName != "Choices" && slices.Contains(decimals, key)
}

const decimalPattern = `^(-?[0-9]+(\.[0-9]+)?)?$`

var decimalText = regexp.MustCompile(decimalPattern)

// verdicts are all valid verdicts.
var verdicts = []verdict.Verdict{
	verdict.Met, verdict.Breached, verdict.Insufficient, verdict.Disputed, verdict.NotApply, verdict.DeclaredOnly,
}

// Read reads the JSON of one report. It accepts what JSON writes, in any order and with
// any spaces, and nothing else: it is an error, with line and column, if a key is
// unknown, missing or given twice, a number is no decimal, a time is wrong, or the text
// has more than 64 MiB.
func Read(r io.Reader) (*verdict.Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("the report is larger than %d MiB", maxSize>>20)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the report is not valid UTF-8")
	}
	s := scanner{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	s.dec.UseNumber()
	if err := s.value(reflect.TypeFor[verdict.Report](), "", false); err != nil {
		return nil, err
	}
	if _, err := s.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, s.fail("", "there is more after the end of the report; give one report a file")
	}
	var report verdict.Report
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, err
	}
	return &report, consistent(&report)
}

// consistent checks what single values cannot show.
func consistent(r *verdict.Report) error {
	switch p := r.Period; {
	case r.Format != verdict.ReportFormat:
		return fmt.Errorf("format: the report is %q, but this version of upheld reads %q", r.Format, verdict.ReportFormat)
	case r.Version < 1:
		return fmt.Errorf("version: %d; the first version of a report is 1", r.Version)
	case !p.Start.Before(p.End):
		return fmt.Errorf("period: it ends at %s, not after its start at %s", p.End.Format(time.RFC3339), p.Start.Format(time.RFC3339))
	case p.Until.Before(p.Start) || p.Until.After(p.End):
		return fmt.Errorf("period.until: %s is not in the period", p.Until.Format(time.RFC3339))
	}
	if _, err := time.LoadLocation(r.Period.Zone); err != nil {
		return fmt.Errorf("period.zone: %w", err)
	}
	return nil
}

// scanner compares JSON with the types that it will become, more strictly than
// encoding/json, which accepts keys in any case, duplicate keys, and missing keys.
type scanner struct {
	dec  *json.Decoder
	data []byte
}

func (s *scanner) fail(path, format string, args ...any) error {
	before := s.data[:min(int(s.dec.InputOffset()), len(s.data))]
	line := 1 + bytes.Count(before, []byte("\n"))
	col := max(1, len(before)-(bytes.LastIndexByte(before, '\n')+1))
	if path != "" {
		path += ": "
	}
	return fmt.Errorf("%d:%d: %s%s", line, col, path, fmt.Sprintf(format, args...))
}

// value reads one value of the type; with decimal a text that is a decimal number. The
// types nest only so deep, and so does this.
func (s *scanner) value(t reflect.Type, path string, decimal bool) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	tok, err := s.dec.Token()
	if err != nil {
		return s.fail(path, "the JSON is damaged: %v", unexpected(err))
	}
	want, isWanted := wants(t)
	if !isWanted(tok) {
		return s.fail(path, "this must be %s", want)
	}
	switch {
	case t == timeType:
		if _, err := time.Parse(time.RFC3339Nano, tok.(string)); err != nil {
			return s.fail(path, "%q is no time; write it like 2026-10-01T00:00:00Z", tok)
		}
	case t.Kind() == reflect.Struct:
		return s.object(t, path)
	case t.Kind() == reflect.Map:
		return s.entries(t, path)
	case t.Kind() == reflect.Slice:
		for i := 0; s.dec.More(); i++ {
			if err := s.value(t.Elem(), fmt.Sprintf("%s[%d]", path, i), false); err != nil {
				return err
			}
		}
		return s.end(path)
	case t.Kind() == reflect.Int:
		if _, err := tok.(json.Number).Int64(); err != nil {
			return s.fail(path, "%s is no whole number", tok)
		}
	case t == reflect.TypeFor[verdict.Verdict]():
		if !slices.Contains(verdicts, verdict.Verdict(tok.(string))) {
			return s.fail(path, "%q is no verdict; there are %v", tok, verdicts)
		}
	case t.Kind() == reflect.String:
		if decimal && !decimalText.MatchString(tok.(string)) {
			return s.fail(path, "%q is no decimal number", tok)
		}
	}
	return nil
}

// wants names a type in JSON, and returns a test for it.
func wants(t reflect.Type) (string, func(json.Token) bool) {
	isDelim := func(want json.Delim) func(json.Token) bool {
		return func(tok json.Token) bool { got, ok := tok.(json.Delim); return ok && got == want }
	}
	switch {
	case t == timeType || t.Kind() == reflect.String:
		return "a text", func(tok json.Token) bool { _, ok := tok.(string); return ok }
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return "an object", isDelim('{')
	case t.Kind() == reflect.Slice:
		return "a list", isDelim('[')
	case t.Kind() == reflect.Bool:
		return "true or false", func(tok json.Token) bool { _, ok := tok.(bool); return ok }
	}
	return "a number", func(tok json.Token) bool { _, ok := tok.(json.Number); return ok }
}

func (s *scanner) object(t reflect.Type, path string) error {
	fields := fieldsOf(t)
	seen := map[string]bool{}
	for s.dec.More() {
		key, err := s.key(path, seen)
		if err != nil {
			return err
		}
		f, known := fields[key]
		if !known {
			return s.fail(path, "there is no key %q; the report may be of a newer version", key)
		}
		if err := s.value(f.of, strings.TrimPrefix(path+"."+key, "."), isDecimal(t.Name(), key)); err != nil {
			return err
		}
	}
	if err := s.end(path); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !seen[name] && !fields[name].optional {
			return s.fail(path, "the key %q is missing", name)
		}
	}
	return nil
}

// entries reads labels: any keys, each once.
func (s *scanner) entries(t reflect.Type, path string) error {
	seen := map[string]bool{}
	for s.dec.More() {
		key, err := s.key(path, seen)
		if err != nil {
			return err
		}
		if err := s.value(t.Elem(), path+"["+key+"]", false); err != nil {
			return err
		}
	}
	return s.end(path)
}

func (s *scanner) key(path string, seen map[string]bool) (string, error) {
	tok, err := s.dec.Token()
	if err != nil {
		return "", s.fail(path, "the JSON is damaged: %v", unexpected(err))
	}
	key := tok.(string) // the decoder returns nothing else here
	if seen[key] {
		return "", s.fail(path, "the key %q is there twice", key)
	}
	seen[key] = true
	return key, nil
}

// end reads the bracket that closes a list or an object.
func (s *scanner) end(path string) error {
	if _, err := s.dec.Token(); err != nil {
		return s.fail(path, "the JSON is damaged: %v", unexpected(err))
	}
	return nil
}

// unexpected says plainly that a file was truncated.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}

// field is a key of an object.
type field struct {
	of       reflect.Type
	optional bool
}

func fieldsOf(t reflect.Type) map[string]field {
	fields := map[string]field{}
	for f := range t.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = field{f.Type, option == "omitempty"}
	}
	return fields
}
