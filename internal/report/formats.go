package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// Format is one form in which reports can be written.
type Format struct {
	Name      string // as in --format
	Title     string // of a link
	Extension string // of files, without the dot
	MediaType string
	Words     string // what it is for, for help texts
	// Render writes one or more reports into one document. history has earlier reports,
	// in any order, for the trend.
	Render func(reports, history []*verdict.Report) ([]byte, error)
}

// Formats returns all formats, the one for reading first.
func Formats() []Format {
	return []Format{
		{"html", "HTML", "html", "text/html; charset=utf-8", "one file to read, print and send", HTML},
		{"markdown", "Markdown", "md", "text/markdown; charset=utf-8", "for wikis, tickets and merge requests", Markdown},
		{"json", "JSON", "json", "application/json", "to keep, sign and verify; one object for each agreement", JSON},
		{"csv", "Outages (CSV)", "csv", "text/csv; charset=utf-8", "the outages, for spreadsheets", CSV},
	}
}

// FileName is the name of a report's file: "shop-2026-10.html". A restated period has
// the version, so that the previous file stays: "shop-2026-10-v2.html".
func (f Format) FileName(r *verdict.Report) string {
	name := fileWord(r.Agreement) + "-" + fileWord(r.Period.Name)
	if r.Version > 1 {
		name += "-v" + strconv.Itoa(r.Version)
	}
	return name + "." + f.Extension
}

// fileWord keeps characters that every file system accepts, at most 80.
func fileWord(s string) string {
	word := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
	return word[:min(len(word), 80)]
}

// File is one document with its name.
type File struct {
	Name      string
	MediaType string
	Bytes     []byte
}

// portfolioName is the page over several agreements. No report's file has this name, as
// those contain the period.
const portfolioName = "portfolio"

// Files renders one file for each report and format and, for several reports, an HTML
// portfolio page that links to theirs. It is an error if two reports would have the
// same file name.
func Files(formats []Format, reports, history []*verdict.Report) ([]File, error) {
	var files []File
	taken := map[string]string{}
	for _, f := range formats {
		for _, r := range reports {
			name := f.FileName(r)
			if other, twice := taken[name]; twice {
				return nil, fmt.Errorf("the reports of %q and %q would both be written to %s; write them into two directories", other, r.Agreement, name)
			}
			taken[name] = r.Agreement
			data, err := f.Render([]*verdict.Report{r}, history)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			files = append(files, File{name, f.MediaType, data})
		}
		if f.Name == "html" && len(reports) > 1 {
			data, err := portfolioHTML(reports, history, f.FileName)
			if err != nil {
				return nil, err
			}
			files = append(files, File{portfolioName + "." + f.Extension, f.MediaType, data})
		}
	}
	return files, nil
}
