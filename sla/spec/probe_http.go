package spec

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var httpMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

const (
	headerPattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
	statusPattern = `^([1-5][0-9][0-9](-[1-5][0-9][0-9])?|[1-5]xx)$`
)

var httpSection = &section{
	name: "probe (http)",
	doc:  "Requests a URL over a new connection. Good if the response has an accepted status (and body) in time.",
	fields: append([]field{
		{key: "http", typ: orTarget(urlType), required: true, example: `"https://shop.example/health"`, doc: "The URL, `http://` or `https://`, without user name and password."},
	}, slices.Concat(requestFields(), networkFields(true), probeFields())...),
}

var httpKind = probeKind{key: "http", section: httpSection, decode: decodeHTTP, placeholder: "http://" + placeholderTarget + "/"}

func decodeHTTP(o *object) sla.Check {
	c := decodeRequest(o)
	target, _, ok := read(o, "http", parseProbeURL)
	if !ok {
		return nil
	}
	c.URL = target
	checkRequestURL(o, c, target)
	return c
}

func parseRegexp(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	if _, err := regexp.Compile(text); err != nil {
		v.error("bad-regexp", v.quoted()+" does not compile: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "),
			"see https://github.com/google/re2/wiki/Syntax")
		return "", false
	}
	return text, true
}

var headerRegexp = regexp.MustCompile(headerPattern)

// ownHeaders are the headers that the HTTP client sets.
var ownHeaders = []string{"Content-Length", "Transfer-Encoding", "Connection", "Trailer"}

// parseHeaders parses the headers of a request.
func parseHeaders(v value) (map[string]string, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	headers, seen := map[string]string{}, map[string]string{}
	for _, entry := range entries {
		canonical := http.CanonicalHeaderKey(entry.name)
		switch before, dup := seen[canonical]; {
		case !headerRegexp.MatchString(entry.name):
			v.d.errorAt(entry.key, "bad-header", quote(entry.name)+" is not a valid header name", "use letters, digits and -")
			continue
		case slices.Contains(ownHeaders, canonical):
			v.d.errorAt(entry.key, "bad-header", "the header "+quote(entry.name)+" is set by the probe itself", "leave it out")
			continue
		case dup:
			v.d.errorAt(entry.key, "duplicate-key", quote(entry.name)+" is the same header as "+quote(before), "keep one of them")
			continue
		}
		seen[canonical] = entry.name
		if text, ok := parseHeaderValue(entry); ok {
			headers[entry.name] = text
		}
	}
	return headers, true
}

// parseHeaderPatterns parses a mapping of header names to regular expressions.
func parseHeaderPatterns(v value) (map[string]string, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	patterns := map[string]string{}
	for _, entry := range entries {
		if !headerRegexp.MatchString(entry.name) {
			v.d.errorAt(entry.key, "bad-header", quote(entry.name)+" is not a valid header name", "use letters, digits and -")
		} else if pattern, ok := parseRegexp(entry); ok {
			patterns[http.CanonicalHeaderKey(entry.name)] = pattern
		}
	}
	return patterns, true
}

func parseHeaderValue(v value) (string, bool) {
	if v.node.Kind == yamlScalar && v.node.ShortTag() == "!!str" && v.node.Value == "" {
		return "", true
	}
	text, ok := v.text()
	if ok && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		v.error("bad-header", "the value of the header "+quote(v.name)+" has a line break or another control character in it", "write it on one line")
		return "", false
	}
	return text, ok
}

// parseStatusRanges parses a list of status codes, ranges and classes.
func parseStatusRanges(v value) ([]sla.StatusRange, bool) {
	items, ok := v.list()
	if !ok {
		return nil, false
	}
	var ranges []sla.StatusRange
	for _, item := range items {
		r, itemOK := parseStatusRange(item)
		ok = ok && itemOK
		ranges = append(ranges, r)
	}
	return ranges, ok
}

var statusRegexp = regexp.MustCompile(statusPattern)

func parseStatusRange(v value) (sla.StatusRange, bool) {
	text := v.node.Value
	tag := v.node.ShortTag()
	if v.node.Kind != yamlScalar || tag != "!!str" && tag != "!!int" {
		v.error("wrong-type", "a status must be a code or a range, this is "+describe(v.node), `write 301, "200-299" or "2xx"`)
		return sla.StatusRange{}, false
	}
	if !statusRegexp.MatchString(text) {
		v.error("bad-status", "the status "+quote(text)+" is not a code, range or class from 100 to 599", `write 301, "200-299" or "2xx"`)
		return sla.StatusRange{}, false
	}
	if class, ok := strings.CutSuffix(text, "xx"); ok {
		n, _ := strconv.Atoi(class)
		return sla.StatusRange{From: n * 100, To: n*100 + 99}, true
	}
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	var r sla.StatusRange
	r.From, _ = strconv.Atoi(from)
	r.To, _ = strconv.Atoi(to)
	if r.From > r.To {
		v.error("bad-status", fmt.Sprintf("the status range %q runs backwards", text), fmt.Sprintf("write %q", to+"-"+from))
		return r, false
	}
	return r, true
}
