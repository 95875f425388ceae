package probe

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/sla"
)

// DefaultExcerpt is how much of what a failing target answered is worth its
// memory, in bytes.
const DefaultExcerpt = 1 << 10

// excerptPatience is how long a probe waits for the beginning of a body that
// its verdict did not need. It is over before: this is in no duration.
const excerptPatience = 250 * time.Millisecond

// maxValue bounds, in characters, a value of a header in an excerpt.
const maxValue = 200

// responseStart is the beginning of what a target answered, which a Result shows if
// that was bad.
type responseStart struct {
	head    string // what is said of it: a status and headers
	content []byte // as it came
	hidden  secretTexts
}

// captureExcerpt keeps what a target said, if that is wanted.
func (r *run) captureExcerpt(head string, content []byte, hidden secretTexts) {
	if r.excerpt > 0 {
		r.response = &responseStart{head, slices.Clone(content[:min(len(content), r.excerpt)]), hidden}
	}
}

// text is what may be shown, at most twice as long as most bytes.
func (h *responseStart) text(limit int) string {
	var parts []string
	if h.head != "" {
		parts = append(parts, cut(strings.TrimSpace(h.hidden.redact(h.head)), limit))
	}
	if len(h.content) > 0 {
		parts = append(parts, h.contentText(limit))
	}
	return strings.Join(parts, "\n\n")
}

func (h *responseStart) contentText(limit int) string {
	if isText(h.content) {
		return cut(h.hidden.redact(h.hidden.withoutCutSecret(printable(string(h.content)))), limit)
	}
	text := fmt.Sprintf("(no text; at least %s", count(len(h.content), "byte"))
	if magic := h.content[:min(len(h.content), 16)]; !h.hidden.foundIn(h.content) {
		text += fmt.Sprintf(", beginning with % x", magic)
	}
	return text + ")"
}

// isText tells whether bytes can be shown as they are, but for a few; they may
// end in the middle of a character.
func isText(content []byte) bool {
	unprintable := 0
	for rest := content; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == 0:
			return false
		case r == utf8.RuneError && size == 1 && utf8.FullRune(rest), unicode.IsControl(r) && !unicode.IsSpace(r):
			unprintable++
		}
		rest = rest[size:]
	}
	return unprintable*10 <= len(content)
}

// printable is a text without what pages and terminals could take for orders,
// as marks that turn the direction of writing are.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			return r
		}
		return utf8.RuneError
	}, text)
}

// cut is the beginning of a text, of whole characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// headText is a status line with headers, without the values that are secret
// by their name.
func headText(response *http.Response) string {
	var b strings.Builder
	b.WriteString(response.Proto + " " + printable(response.Status) + "\n")
	names := make([]string, 0, len(response.Header))
	for name := range response.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range response.Header[name] {
			switch {
			case sla.SecretName(name):
				value = hidden
			case name == "Location" || name == "Content-Location" || name == "Refresh" || name == "Link":
				value, _, _ = strings.Cut(value, "?")
				value, _, _ = strings.Cut(value, "#")
			}
			b.WriteString(name + ": " + cut(printable(strings.ReplaceAll(value, "\n", " ")), maxValue) + "\n")
		}
	}
	return b.String()
}

// captureResponse keeps the beginning of an answer whose probe is bad: as much as
// was read of its body, or as comes at once.
func (x *exchange) captureResponse() {
	r := x.run
	if r.excerpt == 0 {
		return
	}
	if x.answer == nil {
		if len(x.raw) > 0 { // it is not HTTP
			r.captureExcerpt("", x.raw, x.secretTexts())
		}
		return
	}
	if r.ended.IsZero() {
		r.ended = time.Now()
		r.late.finish(r.ended, true)
	}
	if !x.bodyRead {
		x.readBodyStart()
	}
	r.captureExcerpt(headText(x.answer), x.body, x.secretTexts())
}

// keepNonHTTP keeps what has come if it does not begin as HTTP does. It returns what
// has come, valid until more is read.
func (x *exchange) keepNonHTTP() (came []byte) {
	const sign = "HTTP/"
	came, _ = x.reader.Peek(x.reader.Buffered())
	if x.run.excerpt > 0 && !strings.HasPrefix(sign, string(came[:min(len(came), len(sign))])) {
		x.raw = slices.Clone(came[:min(len(came), x.run.excerpt)])
	}
	return came
}

// readBodyStart reads the beginning of a body that nobody has looked at.
func (x *exchange) readBodyStart() {
	from, fault := x.decoded(x.answer)
	if fault != nil {
		from = x.answer.Body
	}
	until := time.Now().Add(excerptPatience)
	if x.run.deadline.Before(until) {
		until = x.run.deadline
	}
	if x.quic != nil {
		stop := time.AfterFunc(time.Until(until), func() { _ = x.quic.conn.CloseWithError(0, "") })
		defer stop.Stop()
	} else if x.conn != nil {
		_ = x.conn.SetReadDeadline(until)
	}
	buf := x.buffer()
	for len(buf) < min(x.run.excerpt, cap(buf)) {
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			break
		}
	}
	x.body, *x.scratch = buf, buf
}

// captureDNS keeps the records of an answer, as a zone file shows them.
func (r *run) captureDNS(m *dns.Msg) {
	if r.excerpt == 0 || m == nil {
		return
	}
	var b strings.Builder
	for _, section := range []struct {
		name    string
		records []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, record := range section.records {
			if record.Header().Rrtype != dns.TypeOPT && b.Len() < r.excerpt {
				b.WriteString(section.name + ": " + strings.ReplaceAll(record.String(), "\t", " ") + "\n")
			}
		}
	}
	r.captureExcerpt(rcodeName(m), []byte(b.String()), secretTexts{})
}

// recordingReader hear what a target says in a step of a dialogue, and keep its beginning.
type recordingReader struct {
	from     io.Reader
	recorded []byte
	limit    int
}

// reset forgets what was said before, but for what has been read ahead.
func (e *recordingReader) reset(ahead []byte, limit int) {
	e.limit = limit
	e.recorded = append(e.recorded[:0], ahead[:min(len(ahead), limit)]...)
}

// Read reads what is said.
func (e *recordingReader) Read(b []byte) (int, error) {
	n, err := e.from.Read(b)
	if room := e.limit - len(e.recorded); room > 0 {
		e.recorded = append(e.recorded, b[:min(n, room)]...)
	}
	return n, err
}

// captureExcerpt keeps what was heard in vain.
func (t *talk) captureExcerpt() {
	hidden := sentTexts(t.steps)
	for _, reply := range t.sentReplies {
		hidden.addSent(reply)
	}
	if len(t.recorder.recorded) > 0 {
		t.run.captureExcerpt("", t.recorder.recorded, hidden)
	}
}

// sentTexts are what a dialogue says.
func sentTexts(steps []step) (s secretTexts) {
	for i := range steps {
		s.addSent(string(steps[i].send))
	}
	return s
}
