package statuspage

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"time"
)

// json is the page as JSON.
func (p *Page) json() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	return append(b, '\n'), nil
}

// atomFeed is a feed of RFC 4287.
type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	Updated  string      `xml:"updated"`
	Author   atomAuthor  `xml:"author"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Link    atomLink `xml:"link"`
	Content string   `xml:"content"`

	updated time.Time
}

// maxEntries is how many outages and maintenance windows a feed has.
const maxEntries = 50

// feed is the page as a news feed: outages, and current and planned maintenance. An
// entry keeps its id, so that the end of an outage updates its entry.
func (p *Page) feed(agreement string) ([]byte, error) {
	link := atomLink{"alternate", "../" + agreement}
	feed := atomFeed{
		ID: urn(agreement), Title: p.Title, Subtitle: p.Description, Author: atomAuthor{p.Title},
		Links: []atomLink{link, {"self", "feed.atom"}},
	}
	for _, o := range p.Outages {
		e := atomEntry{ID: urn(agreement, "outage", o.Component, o.Start.String()), Link: link, updated: o.Start}
		view := p.outage(o)
		if e.Title = o.Component + " is " + o.word(); o.End != nil {
			e.Title, e.updated = o.Component+" was "+o.word()+" for "+view.Length, *o.End
		}
		e.Content = view.Times.Words
		feed.Entries = append(feed.Entries, e)
	}
	for _, m := range p.Maintenance {
		feed.Entries = append(feed.Entries, atomEntry{
			ID: urn(agreement, "maintenance", m.Start.String(), m.End.String()), Link: link,
			Title: "Maintenance of " + enumerate(m.Components), Content: p.span(m.Start, &m.End).Words,
			updated: m.Start.Add(-ahead), // when it entered the feed
		})
	}
	slices.SortStableFunc(feed.Entries, func(a, b atomEntry) int { return b.updated.Compare(a.updated) })
	feed.Entries = feed.Entries[:min(len(feed.Entries), maxEntries)]
	newest := p.GeneratedAt.Truncate(24 * time.Hour)
	for i := range feed.Entries {
		e := &feed.Entries[i]
		e.Updated = e.updated.UTC().Format(time.RFC3339)
		if e.updated.After(newest) {
			newest = e.updated
		}
	}
	feed.Updated = newest.UTC().Format(time.RFC3339)
	var b bytes.Buffer
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(&b)
	encoder.Indent("", "  ")
	if err := encoder.Encode(feed); err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// urn is an id that depends only on the parts, and reveals nothing about them.
func urn(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	b := sum.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8 of RFC 9562: custom
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
