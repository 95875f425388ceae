package probe_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// ways are how the wire breaks off, and what that is called.
var ways = []struct {
	name string
	want probe.Reason
	end  func(raw net.Conn) // after it the connection is closed
}{
	{"hangs", probe.Timeout, func(raw net.Conn) { _, _ = io.Copy(io.Discard, raw) }},
	{"closes", probe.Reset, func(raw net.Conn) {
		_ = raw.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, raw) // so that what is unread makes no reset of it
	}},
	{"resets", probe.Reset, func(raw net.Conn) {
		time.Sleep(20 * time.Millisecond) // for what was said to arrive before; it would be the same without
		_ = raw.(*net.TCPConn).SetLinger(0)
	}},
}

// cut is a place at which the wire breaks off, of one kind of probe.
type cut struct {
	name  string
	check func(address string) sla.Check
	talk  func(c net.Conn) // up to the place
}

// TestWhateverTheWireDoesIsTheReason breaks connections off at every place, in
// every way: what had come until then is not to blame.
func TestWhateverTheWireDoesIsTheReason(t *testing.T) {
	ca := newAuthority()
	env := probe.Env{RootCAs: ca.pool()}
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	for _, c := range slices.Concat(httpCuts(cert), http2Cuts(cert), otherCuts(cert)) {
		for _, way := range ways {
			t.Run(c.name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				address := rawServer(t, func(raw net.Conn) {
					c.talk(raw)
					way.end(raw)
				})
				timeout := 5 * time.Second
				if way.want == probe.Timeout {
					timeout = patience
				}
				r := once(t, env, c.check(address), timeout)
				if r.Reason != way.want || r.Outcome != probe.Bad {
					t.Errorf("%s because of %q (%s), want %q", r.Outcome, r.Reason, r.Detail, way.want)
				}
			})
		}
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

// httpCuts are answers of HTTP/1.1 that break off, without and within TLS.
func httpCuts(cert tls.Certificate) (cuts []cut) {
	zipped := gzipped(strings.Repeat("a body that is longer than nothing ", 20))
	half := zipped[:len(zipped)/2]
	const ok, chunked = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	for name, text := range map[string]string{
		"before the answer":                 "",
		"in the protocol":                   "HT",
		"in the status":                     "HTTP/1.1 20",
		"in the end of the status line":     "HTTP/1.1 200 OK\r",
		"after the status line":             ok,
		"in a header's name":                ok + "Content-Le",
		"before a header's value":           ok + "Content-Length:",
		"in a header's value":               ok + "Content-Length: 1",
		"in the end of a header":            ok + "X-A: b\r",
		"after a header":                    ok + "X-A: b\r\n",
		"in another header's name":          ok + "X-A: b\r\nCont",
		"in a folded header":                ok + "X-A: b\r\n  c",
		"in the empty line":                 ok + "X-A: b\r\n\r",
		"in the header of a redirect":       "HTTP/1.1 302 Found\r\nLocation: /x\r\nCont",
		"after an interim answer":           "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
		"in the header after an interim":    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nCon",
		"before the body":                   ok + "Content-Length: 5\r\n\r\n",
		"in the body":                       ok + "Content-Length: 5\r\n\r\n12",
		"before the first chunk":            chunked + "\r\n",
		"in a chunk's size":                 chunked + "\r\n1",
		"in a chunk's extension":            chunked + "\r\n5;a=",
		"in a chunk":                        chunked + "\r\n5\r\n12",
		"in the end of a chunk":             chunked + "\r\n2\r\n12\r",
		"after a chunk":                     chunked + "\r\n2\r\n12\r\n",
		"in the last chunk":                 chunked + "\r\n2\r\n12\r\n0",
		"before the trailers":               chunked + "\r\n2\r\n12\r\n0\r\n",
		"in the end of the message":         chunked + "\r\n2\r\n12\r\n0\r\n\r",
		"in a trailer":                      chunked + "Trailer: X-Sum\r\n\r\n2\r\n12\r\n0\r\nX-S",
		"after a trailer":                   chunked + "Trailer: X-Sum\r\n\r\n2\r\n12\r\n0\r\nX-Sum: 1\r\n",
		"in a compressed body":              ok + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(zipped)) + half,
		"in the head of a compressed body":  ok + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(zipped)) + zipped[:5],
		"in a compressed body of chunks":    chunked + fmt.Sprintf("Content-Encoding: gzip\r\n\r\n%x\r\n", len(zipped)) + half,
		"between compressed chunks":         chunked + fmt.Sprintf("Content-Encoding: gzip\r\n\r\n%x\r\n", len(half)) + half + "\r\n",
		"in a compressed body without size": ok + "Content-Encoding: gzip\r\n\r\n" + half,
	} {
		talk := func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
		}
		check := func(scheme string) func(string) sla.Check {
			return func(address string) sla.Check {
				return &sla.HTTPCheck{
					URL: scheme + address + "/", FollowRedirects: true,
					Options: &sla.HTTPOptions{Encodings: []sla.Encoding{"gzip"}},
				}
			}
		}
		cuts = append(cuts, cut{"http: " + name, check("http://"), talk}, cut{"https: " + name, check("https://"), insideTLS(cert, talk)})
	}
	return cuts
}

// insideTLS talks within a session of TLS.
func insideTLS(cert tls.Certificate, talk func(net.Conn)) func(net.Conn) {
	return func(raw net.Conn) {
		talk(tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}))
	}
}

// framesThen speaks HTTP/2 up to the request, and then frames.
func framesThen(cert *tls.Certificate, frames func(raw io.Writer, f *http2.Framer, stream uint32)) func(net.Conn) {
	return func(raw net.Conn) {
		var c io.ReadWriter = raw
		if cert != nil {
			c = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"h2"}})
		}
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		f := http2.NewFramer(c, c)
		_ = f.WriteSettings()
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if header, ok := frame.(*http2.HeadersFrame); ok {
				frames(c, f, header.StreamID)
				return
			}
		}
	}
}

// header is a block of an HTTP/2 header.
func header(pairs ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return b.Bytes()
}

// http2Cuts are answers of HTTP/2 and gRPC that break off.
func http2Cuts(cert tls.Certificate) (cuts []cut) {
	type frames = func(raw io.Writer, f *http2.Framer, stream uint32)
	begin := func(f *http2.Framer, stream uint32, kind string) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: header(":status", "200", "content-type", kind), EndHeaders: true})
	}
	h2 := func(address string) sla.Check {
		return with("https://"+address, sla.HTTPOptions{Versions: []sla.HTTPVersion{sla.HTTP2}})
	}
	for name, then := range map[string]frames{
		"before the answer": func(io.Writer, *http2.Framer, uint32) {},
		"in a frame's head": func(raw io.Writer, _ *http2.Framer, _ uint32) { _, _ = raw.Write([]byte{0, 0, 20, 1}) },
		"in the header": func(raw io.Writer, _ *http2.Framer, s uint32) {
			_, _ = raw.Write([]byte{0, 0, 20, 1, 4, 0, 0, 0, byte(s), 0x88})
		},
		"before the body": func(_ io.Writer, f *http2.Framer, s uint32) { begin(f, s, "text/html") },
		"in the body": func(_ io.Writer, f *http2.Framer, s uint32) {
			begin(f, s, "text/html")
			_ = f.WriteData(s, false, []byte("half"))
		},
		"in a frame of data": func(raw io.Writer, f *http2.Framer, s uint32) {
			begin(f, s, "text/html")
			_, _ = raw.Write([]byte{0, 0, 20, 0, 0, 0, 0, 0, byte(s), 'x'})
		},
	} {
		cuts = append(cuts, cut{"http2: " + name, h2, framesThen(&cert, then)})
	}
	const media = "application/grpc"
	for name, then := range map[string]frames{
		"before the answer": func(io.Writer, *http2.Framer, uint32) {},
		"in the header": func(raw io.Writer, _ *http2.Framer, s uint32) {
			_, _ = raw.Write([]byte{0, 0, 20, 1, 4, 0, 0, 0, byte(s), 0x88})
		},
		"before the message": func(_ io.Writer, f *http2.Framer, s uint32) { begin(f, s, media) },
		"in the message": func(_ io.Writer, f *http2.Framer, s uint32) {
			begin(f, s, media)
			_ = f.WriteData(s, false, []byte{0, 0, 0, 0, 2, 8})
		},
		"before the trailers": func(_ io.Writer, f *http2.Framer, s uint32) {
			begin(f, s, media)
			_ = f.WriteData(s, false, []byte{0, 0, 0, 0, 2, 8, 1})
		},
	} {
		cuts = append(cuts,
			cut{"grpc: " + name, func(a string) sla.Check { return &sla.GRPCCheck{Address: a} }, framesThen(nil, then)},
			cut{"grpc within TLS: " + name, func(a string) sla.Check { return &sla.GRPCCheck{Address: a, TLS: true} }, framesThen(&cert, then)},
		)
	}
	return cuts
}

// otherCuts are handshakes, dialogues, DNS and WebSockets that break off.
func otherCuts(cert tls.Certificate) (cuts []cut) {
	says := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
		}
	}
	greets := func(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }
	tlsCheck := func(a string) sla.Check { return &sla.TLSCheck{Address: a} }
	dialogue := func(steps ...sla.Step) func(string) sla.Check {
		return func(a string) sla.Check { return &sla.TCPCheck{Address: a, Dialogue: steps} }
	}
	query := func(transport sla.DNSTransport) func(string) sla.Check {
		return func(a string) sla.Check {
			return &sla.DNSCheck{Server: a, Transport: transport, Name: "shop.example", Type: "A", RCodes: []string{"NOERROR"}}
		}
	}
	socket := func(a string) sla.Check {
		return &sla.WebSocketCheck{Request: sla.HTTPCheck{URL: "http://" + a}}
	}
	listens := func(a string) sla.Check {
		return &sla.WebSocketCheck{Request: sla.HTTPCheck{URL: "http://" + a}, Dialogue: []sla.Step{{Expect: "^hello$"}}}
	}
	// The record of a handshake, of which half is sent.
	hello := "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03half"
	cuts = []cut{
		{"tls: before the handshake", tlsCheck, says("")},
		{"tls: in the head of a record", tlsCheck, says(hello[:3])},
		{"tls: in a record", tlsCheck, says(hello)},
		{"https: in the handshake", func(a string) sla.Check { return get("https://" + a) }, says(hello)},
		{"grpc: in the handshake", func(a string) sla.Check { return &sla.GRPCCheck{Address: a, TLS: true} }, says(hello)},
		{"https: in a record of the answer", func(a string) sla.Check { return get("https://" + a) }, inRecord(cert)},
		{"smtp: before the greeting", dialogue(sla.Step{Expect: "^220 "}), greets("")},
		{"smtp: in the greeting", dialogue(sla.Step{Expect: "^220 .*ready$"}), greets("220 mail.exa")},
		{"smtp: in a further line", dialogue(sla.Step{Expect: "^220 "}), greets("220-mail.example\r\n22")},
		{"smtp: in an answer", dialogue(sla.Step{Expect: "^220 "}, sla.Step{Send: "EHLO a"}, sla.Step{Expect: "^250 "}), func(c net.Conn) {
			_, _ = io.WriteString(c, "220 mail\r\n")
			says("250-PIPE")(c)
		}},
		{"smtp: in STARTTLS", dialogue(sla.Step{Expect: "^220 "}, sla.Step{StartTLS: true}), func(c net.Conn) {
			_, _ = io.WriteString(c, "220 mail\r\n")
			says(hello)(c)
		}},
		{"bytes: before any", dialogue(sla.Step{ExpectBytes: []byte("ready")}), greets("")},
		{"dns over tcp: before the answer", query(sla.DNSOverTCP), says("")},
		{"dns over tcp: in its size", query(sla.DNSOverTCP), says("\x00")},
		{"dns over tcp: in the answer", query(sla.DNSOverTCP), says("\x00\x50half")},
		{"dns over tls: in the handshake", query(sla.DNSOverTLS), says(hello)},
		{"dns over tls: in the answer", query(sla.DNSOverTLS), func(raw net.Conn) {
			says("\x00\x50half")(tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"dot"}}))
		}},
		{"dns over https: in a header", func(a string) sla.Check {
			return &sla.DNSCheck{Server: "https://" + a + "/dns-query", Transport: sla.DNSOverHTTPS, Name: "shop.example", Type: "A", RCodes: []string{"NOERROR"}}
		}, insideTLS(cert, says("HTTP/1.1 200 OK\r\nConte"))},
		{"websocket: in the handshake", socket, says("HTTP/1.1 101 Switching Protocols\r\nUpgr")},
		{"websocket: before a message", listens, upgrades("")},
		{"websocket: in a message", listens, upgrades("\x81\x05he")},
		{"websocket: after another message", listens, upgrades("\x81\x02no")},
		{"journey: in a header", func(a string) sla.Check {
			return &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "home", Request: sla.HTTPCheck{URL: "http://" + a}}}}
		}, says("HTTP/1.1 200 OK\r\nConte")},
	}
	return cuts
}

// inRecord answers, and breaks off in the middle of a record.
func inRecord(cert tls.Certificate) func(net.Conn) {
	return func(raw net.Conn) {
		held := &halves{Conn: raw}
		c := tls.Server(held, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
		_, _ = c.Read(make([]byte, 4096))
		held.halve = true
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345")
	}
}

// halves sends half of what is written, once that is wanted.
type halves struct {
	net.Conn
	halve bool
}

func (h *halves) Write(b []byte) (int, error) {
	if h.halve {
		_, err := h.Conn.Write(b[:len(b)/2])
		return len(b), err
	}
	return h.Conn.Write(b)
}

// TestAServerThatGoesAwayIsReset: HTTP/2 says so before it hangs up.
func TestAServerThatGoesAwayIsReset(t *testing.T) {
	ca := newAuthority()
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	address := rawServer(t, framesThen(&cert, func(_ io.Writer, f *http2.Framer, _ uint32) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) }))
	check := with("https://"+address, sla.HTTPOptions{Versions: []sla.HTTPVersion{sla.HTTP2}})
	if r := once(t, probe.Env{RootCAs: ca.pool()}, check, 5*time.Second); r.Reason != probe.Reset {
		t.Errorf("%q (%s)", r.Reason, r.Detail)
	}
}

// TestAnAnswerThatIsAbortedIsReset in every version: the server ends a stream
// where HTTP/1.1 closes the connection.
func TestAnAnswerThatIsAbortedIsReset(t *testing.T) {
	for _, version := range []sla.HTTPVersion{sla.HTTP11, sla.HTTP2, sla.HTTP3} {
		for name, begin := range map[string]func(http.ResponseWriter){
			"before the header": func(http.ResponseWriter) {},
			"in the body": func(w http.ResponseWriter) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
			},
		} {
			t.Run(string(version)+" "+name, func(t *testing.T) {
				env, url := versionServer(t, version, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					begin(w)
					panic(http.ErrAbortHandler)
				}))
				if r := once(t, env, with(url, sla.HTTPOptions{Versions: []sla.HTTPVersion{version}}), 5*time.Second); r.Reason != probe.Reset {
					t.Errorf("%q (%s)", r.Reason, r.Detail)
				}
			})
		}
	}
}

// upgrades agrees to a WebSocket, and sends frames.
func upgrades(frames string) func(net.Conn) {
	return func(c net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n"+frames)
	}
}
