package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/upheld-sla/upheld/internal/golden"
)

const repository = "../.."

// markdownLink is a link or a picture of Markdown with its address.
var markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksOfPagesLead demands that each relative link of each page leads to a
// file, and its anchor to a heading.
func TestLinksOfPagesLead(t *testing.T) {
	links := 0
	for _, page := range pages(t) {
		for _, found := range markdownLink.FindAllStringSubmatch(proseOf(t, page), -1) {
			address, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(address, ":") {
				continue // of another site
			}
			links++
			target := page
			if address != "" {
				target = filepath.Join(filepath.Dir(page), address)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links %s: %v", page, found[1], err)
			} else if anchor != "" && !slices.Contains(anchorsOf(t, target), anchor) {
				t.Errorf("%s links %s, which is no heading of %s", page, found[1], target)
			}
		}
	}
	if links < 200 {
		t.Errorf("only %d links are found", links)
	}
}

// pages are all Markdown files that people read.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", ".github/*.md", "docs/*.md", "docs/*/*.md", "examples/*.md"} {
		found, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// proseOf is a page without its blocks of code.
func proseOf(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var prose strings.Builder
	for i, part := range strings.Split("\n"+string(text), "\n```") {
		if i%2 == 0 {
			prose.WriteString(part)
		}
	}
	return prose.String()
}

// anchorsOf names the headings of a page as viewers do: small letters and digits,
// dashes for spaces, nothing else. One that occurs again gets a number.
func anchorsOf(t *testing.T, page string) []string {
	t.Helper()
	var anchors []string
	times := map[string]int{}
	for line := range strings.Lines(proseOf(t, page)) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title))
		times[anchor]++
		if n := times[anchor] - 1; n > 0 {
			anchor = fmt.Sprintf("%s-%d", anchor, n)
		}
		anchors = append(anchors, anchor)
	}
	return anchors
}

// TestIndexOfDecisions demands that the index lists each record by its number
// and title, and that numbers have no gap. With -update it is written.
func TestIndexOfDecisions(t *testing.T) {
	const index, begin = repository + "/docs/decisions/README.md", "<!-- index: made by go test ./cmd/upheld -run Index -update -->\n"
	records, err := filepath.Glob(repository + "/docs/decisions/[0-9]*.md")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for i, record := range records {
		text, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		title, numbered := strings.CutPrefix(first, fmt.Sprintf("# %d. ", i+1))
		if !numbered || !strings.HasPrefix(filepath.Base(record), fmt.Sprintf("%04d-", i+1)) {
			t.Errorf("%s begins with %q, want number %d in its name and title", record, first, i+1)
		}
		for _, part := range []string{"**Context.**", "**Decision.**", "**Why.**", "**Consequences.**"} {
			if !strings.Contains(string(text), "\n"+part) {
				t.Errorf("%s has no paragraph %s", record, part)
			}
		}
		fmt.Fprintf(&list, "%d. [%s](%s)\n", i+1, title, filepath.Base(record))
	}
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(text), begin)
	if !found {
		t.Fatalf("%s has no line %q", index, begin)
	}
	golden.Equal(t, index, []byte(before+begin+list.String()))
}

// TestIndexesNameEveryFile demands that the indexes of docs/ and of examples/
// link each page and each example.
func TestIndexesNameEveryFile(t *testing.T) {
	for index, patterns := range map[string][]string{
		"docs":     {"*.md", "architecture/*.md"},
		"examples": {"*.yaml", "*/*.yaml"},
	} {
		folder := filepath.Join(repository, index)
		var linked []string
		for _, found := range markdownLink.FindAllStringSubmatch(proseOf(t, filepath.Join(folder, "README.md")), -1) {
			address, _, _ := strings.Cut(found[1], "#")
			linked = append(linked, address)
		}
		for _, pattern := range patterns {
			files, err := filepath.Glob(filepath.Join(folder, pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("%s/%s: found %d files, %v", index, pattern, len(files), err)
			}
			for _, file := range files {
				name, err := filepath.Rel(folder, file)
				if err != nil {
					t.Fatal(err)
				}
				if name = filepath.ToSlash(name); name != "README.md" && !slices.Contains(linked, name) {
					t.Errorf("%s/README.md does not link %s", index, name)
				}
			}
		}
	}
}
