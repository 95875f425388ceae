package web

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// Texts that people, labels and targets may bring, and that no page may be broken by.
const (
	hebrew   = "אי אפשר לשלם עכשיו"
	override = "paid \u202egnihton ton" // an override of direction that nothing ends
	markup   = `<script>alert("x")</script><b>&amp;'`
	emoji    = "💳🔥 café ∞"
)

var (
	unbroken = strings.Repeat("unbroken", 25) // 200 characters without a space
	longest  = strings.Repeat("long-name", 7) // what a name may have: 63 characters
)

// hostile are levels of which every text is hostile in one way or another.
func hostile(t *testing.T) fixed {
	t.Helper()
	all := append(sample(), tenants())
	all = append(all, composed(t).levels...)
	texts := []string{hebrew, override, markup, emoji, unbroken}
	text := func(i int) string { return texts[i%len(texts)] }
	agreement := &sla.Agreement{Name: longest, Description: strings.Join(texts, " "), Terms: sla.Terms{
		Provider: sla.Provider{Name: markup, Contact: unbroken}, Customers: texts, NotIncluded: texts,
	}}
	for i := range all {
		s := &all[i]
		l := *s.Level
		l.ID.SLA, l.ID.Service = longest, longest[:60]+l.ID.Service[:3]
		if i == 0 {
			l.ID.SLO = longest
		}
		l.Description, l.Impact = text(i), hebrew
		s.Level, s.Agreement = &l, agreement
		agreement.Levels = append(agreement.Levels, &l)
		for j := range s.Failures {
			s.Failures[j].Detail = text(j)
		}
		for j := range s.Groups {
			s.Groups[j].Name = "tenant " + text(j)
		}
		for j := range s.Alerts {
			s.Alerts[j].Summary = text(j)
		}
		for j := range s.Members {
			s.Members[j].Name, s.Members[j].Title = text(j), longest+"/"+longest
		}
		for j := range s.Outages {
			for k := range s.Outages[j].Causes {
				s.Outages[j].Causes[k].Reason = text(j + k)
			}
		}
		s.NoSeries = texts
	}
	return fixed{levels: all}
}

// Nothing that a text has becomes part of a page's structure.
func TestHostileTextsStayTexts(t *testing.T) {
	source := hostile(t)
	h := handlerFor(t, source)
	paths := []string{"/", "/alerts", agreementPath(longest), agreementPath(longest) + "/months"}
	for _, s := range source.levels {
		paths = append(paths, levelPath(s.Level.ID))
	}
	for _, path := range paths {
		w := get(t, h, path)
		body := w.Body.String()
		if w.Code != 200 {
			t.Errorf("%s: status %d", path, w.Code)
		}
		for _, never := range []string{"<script>alert", "<b>", "\u202e"} {
			if strings.Contains(body, never) {
				t.Errorf("%s has %s", path, never)
			}
		}
	}
}
