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

// heard is the beginning of what a target answered, which a Result shows if
// that was bad.
type heard struct {
	head   string // what is said of it: a status and headers
	said   []byte // as it came
	hidden secretTexts
}

// tell keeps what a target said, if that is wanted.
func (r *run) tell(head string, said []byte, hidden secretTexts) {
	if r.excerpt > 0 {
		r.heard = &heard{head, slices.Clone(said[:min(len(said), r.excerpt)]), hidden}
	}
}

// text is what may be shown, at most twice as long as most bytes.
func (h *heard) text(most int) string {
	var parts []string
	if h.head != "" {
		parts = append(parts, cut(strings.TrimSpace(h.hidden.redact(h.head)), most))
	}
	if len(h.said) > 0 {
		parts = append(parts, h.body(most))
	}
	return strings.Join(parts, "\n\n")
}

func (h *heard) body(most int) string {
	if isText(h.said) {
		return cut(h.hidden.redact(h.hidden.withoutPart(printable(string(h.said)))), most)
	}
	text := fmt.Sprintf("(no text; at least %s", count(len(h.said), "byte"))
	if magic := h.said[:min(len(h.said), 16)]; !h.hidden.within(h.said) {
		text += fmt.Sprintf(", beginning with % x", magic)
	}
	return text + ")"
}

// isText tells whether bytes can be shown as they are, but for a few; they may
// end in the middle of a character.
func isText(said []byte) bool {
	odd := 0
	for rest := said; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == 0:
			return false
		case r == utf8.RuneError && size == 1 && utf8.FullRune(rest), unicode.IsControl(r) && !unicode.IsSpace(r):
			odd++
		}
		rest = rest[size:]
	}
	return odd*10 <= len(said)
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
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
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

// tellAnswer keeps the beginning of an answer whose probe is bad: as much as
// was read of its body, or as comes at once.
func (x *exchange) tellAnswer() {
	r := x.run
	if r.excerpt == 0 {
		return
	}
	if x.answer == nil {
		if len(x.raw) > 0 { // it is not HTTP
			r.tell("", x.raw, x.secretTexts())
		}
		return
	}
	if r.ended.IsZero() {
		r.ended = time.Now()
		r.late.until(r.ended, true)
	}
	if !x.read {
		x.peekBody()
	}
	r.tell(headText(x.answer), x.body, x.secretTexts())
}

// keepRaw keeps what has come if it does not begin as HTTP does. It returns what
// has come, valid until more is read.
func (x *exchange) keepRaw() (came []byte) {
	const sign = "HTTP/"
	came, _ = x.reader.Peek(x.reader.Buffered())
	if x.run.excerpt > 0 && !strings.HasPrefix(sign, string(came[:min(len(came), len(sign))])) {
		x.raw = slices.Clone(came[:min(len(came), x.run.excerpt)])
	}
	return came
}

// peekBody reads the beginning of a body that nobody has looked at.
func (x *exchange) peekBody() {
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

// tellDNS keeps the records of an answer, as a zone file shows them.
func (r *run) tellDNS(m *dns.Msg) {
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
	r.tell(rcodeName(m), []byte(b.String()), secretTexts{})
}

// ears hear what a target says in a step of a dialogue, and keep its beginning.
type ears struct {
	from io.Reader
	said []byte
	most int
}

// begin forgets what was said before, but for what has been read ahead.
func (e *ears) begin(ahead []byte, most int) {
	e.most = most
	e.said = append(e.said[:0], ahead[:min(len(ahead), most)]...)
}

// Read reads what is said.
func (e *ears) Read(b []byte) (int, error) {
	n, err := e.from.Read(b)
	if room := e.most - len(e.said); room > 0 {
		e.said = append(e.said, b[:min(n, room)]...)
	}
	return n, err
}

// tell keeps what was heard in vain.
func (t *talk) tell() {
	hidden := sentTexts(t.steps)
	for _, reply := range t.replied {
		hidden.addSent(reply)
	}
	if len(t.ears.said) > 0 {
		t.run.tell("", t.ears.said, hidden)
	}
}

// sentTexts are what a dialogue says.
func sentTexts(steps []step) (s secretTexts) {
	for i := range steps {
		s.addSent(string(steps[i].send))
	}
	return s
}
