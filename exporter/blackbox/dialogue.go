package blackbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/blackbox_exporter/config"
	pconfig "github.com/prometheus/common/config"
)

// maxLine bounds a line of a dialogue, in bytes. A line of this length or more fails
// the probe.
const maxLine = bufio.MaxScanTokenSize

// readers are reused, because each has a buffer of maxLine.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxLine) }}

// lineDialogue is the dialogue of one probe over a stream.
type lineDialogue struct {
	*attempt
	conf   *pconfig.TLSConfig
	host   string // for TLS, if the module names none
	lists  bool   // check_revoked
	conn   net.Conn
	reader *bufio.Reader
}

// run begins TLS if secure is set, goes through the dialogue, and closes the
// connection.
func (t *lineDialogue) run(ctx context.Context, conn net.Conn, secure bool, dialogue []config.QueryResponse) bool {
	t.conn = conn
	defer func() { closeNow(t.conn) }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			t.log.Error("Error setting deadline", "err", err)
			return false
		}
	}
	if secure && !t.beginTLS(ctx) {
		return false
	}
	t.log.Debug("Successfully dialed")
	t.out.set("probe_failed_due_to_regex", 0)
	t.out.set("probe_failed_due_to_bytes", 0)
	if len(dialogue) == 0 {
		return true
	}
	t.reader = readers.Get().(*bufio.Reader)
	defer func() {
		t.reader.Reset(nil)
		readers.Put(t.reader)
	}()
	t.reader.Reset(t.conn)
	for i := range dialogue {
		t.log.Debug("Processing query response entry", "entry_number", i)
		if !t.step(ctx, i, &dialogue[i]) {
			return false
		}
	}
	return true
}

// beginTLS begins a TLS session over the connection.
func (t *lineDialogue) beginTLS(ctx context.Context) bool {
	conf, err := t.tlsConfig(t.conf, t.host)
	if err != nil {
		t.log.Error("Failed to create TLS configuration", "err", err)
		return false
	}
	session, err := t.startSession(ctx, t.conn, conf)
	if err != nil {
		t.log.Error("TLS Handshake (client) failed", "err", err)
		return false
	}
	t.log.Debug("TLS Handshake (client) succeeded.")
	if t.lists {
		t.reportRevocation(ctx, nil)
	}
	t.conn = session
	return true
}

func (t *lineDialogue) step(ctx context.Context, i int, s *config.QueryResponse) bool {
	send := s.Send
	if s.Expect.Regexp != nil {
		line, match, ok := t.expectLine(i, s)
		if !ok {
			return false
		}
		send = string(s.Expect.Expand(nil, []byte(send), line, match))
		if s.Labels != nil {
			t.capture(s, line, match)
		}
	}
	if s.ExpectBytes != "" && !t.expectBytes(i, []byte(s.ExpectBytes)) {
		return false
	}
	if send != "" {
		t.log.Debug("Sending line", "line", send)
		if _, err := t.conn.Write([]byte(send + "\n")); err != nil {
			t.log.Error("Failed to send", "entry_number", i, "err", err)
			return false
		}
	}
	return !s.StartTLS || t.startTLS(ctx, i)
}

// expectLine reads lines until one matches.
func (t *lineDialogue) expectLine(i int, s *config.QueryResponse) (line []byte, match []int, ok bool) {
	for {
		line, err := t.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			t.log.Error("Error reading from connection", "entry_number", i, "err", err)
			return nil, nil, false
		}
		if err != nil {
			t.out.set("probe_failed_due_to_regex", 1)
			t.log.Error("Regexp did not match", "entry_number", i, "regexp", s.Expect.Regexp)
			return nil, nil, false
		}
		t.log.Debug("Read line", "line", string(line))
		if match = s.Expect.FindSubmatchIndex(line); match != nil {
			t.log.Debug("Regexp matched", "regexp", s.Expect.Regexp, "line", string(line))
			t.out.set("probe_failed_due_to_regex", 0)
			return line, match, true
		}
	}
}

// readLine reads one line, which is valid until the next call. The last line needs
// no line break.
func (t *lineDialogue) readLine() ([]byte, error) {
	line, err := t.reader.ReadSlice('\n')
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// expectBytes reads as many bytes as the step expects, and compares them.
func (t *lineDialogue) expectBytes(i int, want []byte) bool {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(t.reader, got); err != nil {
		t.log.Error("Error reading from connection", "entry_number", i, "err", err, "expected", want, "bytes", got[:n])
		return false
	}
	if !bytes.Equal(got, want) {
		t.out.set("probe_failed_due_to_bytes", 1)
		t.log.Error("Bytes did not match", "entry_number", i, "expected", want, "bytes", got)
		return false
	}
	t.out.set("probe_failed_due_to_bytes", 0)
	return true
}

// capture reports the module's labels, which repeat what the line matched.
func (t *lineDialogue) capture(s *config.QueryResponse, line []byte, match []int) {
	labels := make([]label, len(s.Labels))
	for i, l := range s.Labels {
		value := string(s.Expect.Expand(nil, []byte(l.Value), line, match))
		labels[i] = label{l.Name, strings.ToValidUTF8(value, "\uFFFD")}
	}
	t.out.series("probe_expect_info", labels).value = 1
}

func (t *lineDialogue) startTLS(ctx context.Context, i int) bool {
	if t.reader.Buffered() > 0 {
		// Anyone on the path could have inserted it, and it would be read as if it
		// came within the session.
		t.log.Error("The server spoke before the TLS handshake", "entry_number", i)
		return false
	}
	if !t.beginTLS(ctx) {
		return false
	}
	t.reader.Reset(t.conn)
	return true
}
