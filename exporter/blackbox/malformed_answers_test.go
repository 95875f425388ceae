package blackbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// rawAnswers answers every connection with what its text says for the path of
// the request, as it stands, and then holds it open or closes it.
func rawAnswers(t *testing.T, texts map[string]string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	closing := make(chan struct{})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				answerRaw(c, texts, closing)
			})
		}
	})
	t.Cleanup(func() { close(closing); l.Close(); all.Wait() })
	return "http://" + l.Addr().String()
}

// Marks within the texts of rawAnswers.
const (
	holds  = "<holds>"  // the connection stays open
	resets = "<resets>" // it is reset
	pauses = "<pauses>" // 50 ms before the next part
)

func answerRaw(c net.Conn, texts map[string]string, closing chan struct{}) {
	request := make([]byte, 0, 4096)
	for !bytes.Contains(request, []byte("\r\n\r\n")) {
		b := make([]byte, 1024)
		n, err := c.Read(b)
		if err != nil {
			return
		}
		request = append(request, b[:n]...)
	}
	path := strings.Fields(string(request))[1]
	text := texts[path]
	for rest := text; rest != ""; {
		part, after, paused := strings.Cut(rest, pauses)
		_, _ = io.WriteString(c, strings.NewReplacer(holds, "", resets, "").Replace(part))
		if rest = after; paused {
			time.Sleep(50 * time.Millisecond)
		}
	}
	switch {
	case strings.HasSuffix(text, resets):
		_ = c.(*net.TCPConn).SetLinger(0)
	case strings.HasSuffix(text, holds):
		go func() { <-closing; c.Close() }()
		_, _ = io.Copy(io.Discard, c)
	}
}

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

const unusualModules = `
modules:
  http_2xx: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4}}
  any: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, valid_status_codes: [100, 101, 103, 199, 204, 206, 301, 304, 418, 600, 999]}}
  old: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, valid_http_versions: ["HTTP/1.0"]}}
  text: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: [needle]}}
  no_text: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, fail_if_body_matches_regexp: [needle]}}
  limit: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, body_size_limit: 10B}}
  gzip: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, compression: gzip, fail_if_body_not_matches_regexp: [needle]}}
  gzip_limit: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, compression: gzip, body_size_limit: 10B}}
  head: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, method: HEAD}}
  options: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, method: OPTIONS}}
  header: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, fail_if_header_not_matches: [{header: x-odd, regexp: "^a b$"}]}}
  cel: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, fail_if_body_json_not_matches_cel: "body.a == 1"}}
  cel_list: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, fail_if_body_json_not_matches_cel: "body[0] == 'x'"}}
  not_ssl: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, fail_if_not_ssl: true}}
  stay: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, follow_redirects: false, valid_status_codes: [301, 302, 303, 307, 308, 300, 304]}}
`

// soon makes probes that hang end after two seconds.
var soon = map[string]string{"X-Prometheus-Scrape-Timeout-Seconds": "2.5"}

// TestMalformedHTTPAnswers asks both for answers that few servers give.
func TestMalformedHTTPAnswers(t *testing.T) {
	p := newPair(t, unusualModules)
	long := strings.Repeat("h", 60<<10)
	zipped := packed("a needle in it")
	texts := map[string]string{
		"/continue":     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"/hints":        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + pauses + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"/only-hints":   "HTTP/1.1 103 Early Hints\r\n\r\n" + holds,
		"/hints-end":    "HTTP/1.1 103 Early Hints\r\n\r\n",
		"/many-hints":   strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 4) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/199":          "HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/switch":       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"/204":          "HTTP/1.1 204 No Content\r\n\r\n" + holds,
		"/204-body":     "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello" + holds,
		"/304":          "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n" + holds,
		"/206":          "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/5\r\nContent-Length: 2\r\n\r\nok",
		"/600":          "HTTP/1.1 600 What\r\nContent-Length: 0\r\n\r\n",
		"/999":          "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
		"/1000":         "HTTP/1.1 1000 What\r\nContent-Length: 0\r\n\r\n",
		"/99":           "HTTP/1.1 99 What\r\nContent-Length: 0\r\n\r\n",
		"/abc":          "HTTP/1.1 abc What\r\nContent-Length: 0\r\n\r\n",
		"/no-reason":    "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
		"/1.0":          "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nneedle",
		"/1.0-end":      "HTTP/1.0 200 OK\r\n\r\nneedle to the end",
		"/1.0-chunked":  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n0\r\n\r\n",
		"/1.2":          "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/0.9":          "needle",
		"/2.0":          "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/lower":        "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/to-the-end":   "HTTP/1.1 200 OK\r\n\r\na needle to the end",
		"/close":        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nneedle",
		"/close-hold":   "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nneedle" + holds,
		"/open":         "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nneedle" + holds,
		"/chunked":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n0\r\n\r\n",
		"/chunked-ext":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;a=b\r\nneedle\r\n0\r\nX-After: 1\r\n\r\n",
		"/chunked-cut":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n",
		"/chunked-hold": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n" + holds,
		"/chunked-bad":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nneedle\r\n0\r\n\r\n",
		"/chunked-both": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n6\r\nneedle\r\n0\r\n\r\n",
		"/other-coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nneedle",
		"/lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"/lengths-two":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
		"/length-neg":   "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
		"/length-plus":  "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"/length-text":  "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
		"/long-body":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
		"/reset":        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nneedle" + resets,
		"/reset-head":   "HTTP/1.1 200 OK\r\nContent-Le" + resets,
		"/head-cut":     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
		"/head-slow":    "HTTP/1.1 200 OK\r\n" + pauses + "X-A: b\r\n" + pauses + "Content-Length: 6\r\n\r\n" + pauses + "needle",
		"/head-hold":    "HTTP/1.1 200 OK\r\nX-A: b\r\n" + holds,
		"/nothing":      holds,
		"/bare-lf":      "HTTP/1.1 200 OK\nContent-Length: 6\n\nneedle",
		"/huge-header":  "HTTP/1.1 200 OK\r\nX-Long: " + long + "\r\nContent-Length: 0\r\n\r\n",
		"/many-headers": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: b\r\n", 2000) + "Content-Length: 0\r\n\r\n",
		"/too-huge":     "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("h", 12<<20) + "\r\nContent-Length: 0\r\n\r\n",
		"/folded":       "HTTP/1.1 200 OK\r\nX-Odd: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"/spaces":       "HTTP/1.1 200 OK\r\nX-Odd:    a b   \r\nContent-Length: 0\r\n\r\n",
		"/space-name":   "HTTP/1.1 200 OK\r\nX-Odd : a b\r\nContent-Length: 0\r\n\r\n",
		"/no-colon":     "HTTP/1.1 200 OK\r\nX-Odd\r\nContent-Length: 0\r\n\r\n",
		"/gzip":         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + fmt.Sprint(len(zipped)) + "\r\n\r\n" + zipped,
		"/gzip-upper":   "HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nContent-Length: " + fmt.Sprint(len(zipped)) + "\r\n\r\n" + zipped,
		"/gzip-cut":     "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped[:len(zipped)-6],
		"/gzip-not":     "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\nneedle",
		"/gzip-twice":   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed(zipped),
		"/gzip-empty":   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
		"/json":         "HTTP/1.1 200 OK\r\n\r\n{\"a\": 1.0}",
		"/json-big":     "HTTP/1.1 200 OK\r\n\r\n{\"a\": 12345678901234567890}",
		"/json-two":     "HTTP/1.1 200 OK\r\n\r\n{\"a\": 1} {\"a\": 2}",
		"/json-list":    "HTTP/1.1 200 OK\r\n\r\n[\"x\"]",
		"/json-null":    "HTTP/1.1 200 OK\r\n\r\nnull",
		"/json-bom":     "HTTP/1.1 200 OK\r\n\r\n\xef\xbb\xbf{\"a\": 1}",
		"/json-none":    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/loc-empty":    "HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n",
		"/loc-two":      "HTTP/1.1 302 Found\r\nLocation: /close\r\nLocation: /nothing\r\nContent-Length: 0\r\n\r\n",
		"/loc-bad":      "HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
		"/loc-other":    "HTTP/1.1 302 Found\r\nLocation: gopher://x/\r\nContent-Length: 0\r\n\r\n",
		"/loc-closed":   "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		"/loc-fragment": "HTTP/1.1 302 Found\r\nLocation: /close#there\r\nContent-Length: 0\r\n\r\n",
		"/loc-relative": "HTTP/1.1 302 Found\r\nLocation: close?a=b\r\nContent-Length: 0\r\n\r\n",
		"/close?a=b":    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nneedle",
		"/300":          "HTTP/1.1 300 Multiple\r\nLocation: /close\r\nContent-Length: 0\r\n\r\n",
		"/303":          "HTTP/1.1 303 See\r\nLocation: /close\r\nContent-Length: 0\r\n\r\n",
		"/305":          "HTTP/1.1 305 Proxy\r\nLocation: /close\r\nContent-Length: 0\r\n\r\n",
		"/307":          "HTTP/1.1 307 Temporary\r\nLocation: /close\r\nContent-Length: 0\r\n\r\n",
		"/308":          "HTTP/1.1 308 Permanent\r\nLocation: /close\r\nContent-Length: 0\r\n\r\n",
		"/loc-200":      "HTTP/1.1 200 OK\r\nLocation: /nothing\r\nContent-Length: 0\r\n\r\n",
		"/modified-old": "HTTP/1.1 200 OK\r\nLast-Modified: Sunday, 06-Nov-94 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
		"/modified-1":   "HTTP/1.1 200 OK\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
	}
	srv := rawAnswers(t, texts)
	modules := map[string][]string{
		"/folded": {"header"}, "/spaces": {"header"}, "/space-name": {"header"},
		"/204": {"http_2xx", "any", "head", "text", "limit"}, "/304": {"http_2xx", "any", "stay"},
		"/1.0": {"http_2xx", "old", "text", "not_ssl"}, "/1.0-end": {"old", "text", "limit"}, "/1.0-chunked": {"text"},
		"/close": {"http_2xx", "text", "no_text", "limit", "head", "options"}, "/close?a=b": {"text"},
		"/300": {"http_2xx", "stay"}, "/303": {"http_2xx", "stay", "text"}, "/305": {"http_2xx"}, "/307": {"text", "stay"}, "/308": {"text", "stay", "head"},
	}
	kinds := map[string][]string{"/gzip": {"http_2xx", "gzip", "gzip_limit", "text"}, "/json": {"cel", "cel_list"}, "/chunk": {"http_2xx", "text", "limit"}}
	for path := range texts {
		tried := modules[path]
		for prefix, more := range kinds {
			if tried == nil && strings.HasPrefix(path, prefix) {
				tried = more
			}
		}
		switch {
		case tried == nil && strings.HasSuffix(texts[path], holds): // most of them last as long as they may
			tried = []string{"http_2xx"}
		case tried == nil:
			tried = []string{"http_2xx", "any", "text"}
		}
		header := soon
		if !strings.HasSuffix(texts[path], holds) {
			header = nil // it ends by itself, and on a slow machine that may take a while
		}
		for _, module := range tried {
			t.Run(module+path, func(t *testing.T) {
				t.Parallel()
				p.both(t, query(module, srv+path), header)
			})
		}
	}
}

// TestUnusualTargets probes targets that are written in unusual ways.
func TestUnusualTargets(t *testing.T) {
	t.Parallel()
	p := newPair(t, unusualModules+"  tcp: {prober: tcp, timeout: 5s}\n  dns: {prober: dns, timeout: 5s, dns: {query_name: a.example}}\n  grpc: {prober: grpc, timeout: 5s, grpc: {preferred_ip_protocol: ip4, ip_protocol_fallback: true}}\n  icmp: {prober: icmp, timeout: 300ms, icmp: {preferred_ip_protocol: ip4}}\n")
	srv := rawAnswers(t, map[string]string{
		"/": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nneedle", "/a%20b": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/a%2520b": "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "/?": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/?a=b%26c": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "//": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/..": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "/a;b": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	})
	host := strings.TrimPrefix(srv, "http://")
	_, port, _ := net.SplitHostPort(host)
	for _, target := range []string{
		host, "HTTP://" + host, "Http://" + host + "/", "http:" + host, "http:/" + host, "//" + host, "http://user@" + host, "http://user:p%40ss@" + host + "/", "user:pass@" + host,
		srv + "/a%20b", srv + "/a%2520b", srv + "/a b", url.QueryEscape(url.QueryEscape(srv)), srv + "/?", srv + "/?a=b%26c", srv + "//", srv + "/..", srv + "/a;b",
		srv + "#fragment", srv + "/#", srv + "/%zz", "http://localhost.:" + port + "/", "http://LOCALHOST:" + port + "/", "http://127.0.0.1:0" + port, "http://127.0.0.1:", "http://127.0.0.1:/", "http://:" + port, ":" + port,
		"http://bücher.invalid/", "http://xn--bcher-kva.invalid/", "http://a_b.invalid/", "http://-a.invalid/", "http://a..invalid/", "http://.invalid/", "http://" + strings.Repeat("a", 64) + ".invalid/", "http://a b.invalid/",
		"http://[fe80::1%25lo]:" + port + "/", "http://[::1]:1/", "[::1]:1", "::1", "localhost", "http://[]/", "http://[::1", "http://" + host + ":80/", "https://" + host, "ws://" + host, "unix:///run/x", " " + srv, srv + " ", "\t", "http://", "http:", "http", ".", "/", "?", "#", "@", "%", "http://%31%32%37.0.0.1:" + port + "/",
	} {
		for _, module := range []string{"http_2xx", "text"} {
			t.Run(module+" "+target, func(t *testing.T) { t.Parallel(); p.both(t, query(module, target), soon) })
		}
	}
	for _, target := range []string{host, "127.0.0.1", "127.0.0.1:", ":" + port, "localhost:" + port, "tcp://" + host, "127.0.0.1:http", "127.0.0.1:99999", "127.0.0.1:-1", "[127.0.0.1]:" + port, "[::1]:1", "::1:1", "a..b:1", "nonexistent.invalid:1", " ", "127.0.0.1:1 "} {
		for _, module := range []string{"tcp", "dns", "grpc"} {
			if module == "grpc" && target == "[::1]:1" {
				continue // blackbox_exporter loses the brackets, and asks the host ::1:1 on the network
			}
			t.Run(module+" "+target, func(t *testing.T) { t.Parallel(); p.both(t, query(module, target), soon) })
		}
	}
}

// TestUnusualRequests asks for probes in ways that few do.
func TestUnusualRequests(t *testing.T) {
	t.Parallel()
	p := newPair(t, unusualModules)
	srv := rawAnswers(t, map[string]string{"/": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "/hold": holds})
	for name, q := range map[string]url.Values{
		"no target": {}, "an empty target": {"target": {""}}, "two targets": {"target": {srv, "http://127.0.0.1:1/"}}, "an empty first": {"target": {"", srv}},
		"two modules": {"target": {srv}, "module": {"http_2xx", "nothing"}}, "an unknown module": {"target": {srv}, "module": {"nothing"}}, "an empty module": {"target": {srv}, "module": {""}},
		"a module in other letters": {"target": {srv}, "module": {"HTTP_2XX"}}, "no target and no module": {"module": {"nothing"}},
		"a host name": {"target": {srv}, "hostname": {"a.example"}}, "a host name with a port": {"target": {srv}, "hostname": {"a.example:81"}}, "an empty host name": {"target": {srv}, "hostname": {""}},
		"two host names": {"target": {srv}, "hostname": {"a.example", "b.example"}}, "a host name that is none": {"target": {srv}, "hostname": {"a b"}}, "an address for a host name": {"target": {srv}, "hostname": {"[::1]"}},
		"a parameter nobody knows": {"target": {srv}, "what": {"ever"}}, "debug that is not true": {"target": {srv}, "debug": {"TRUE"}},
	} {
		t.Run(name, func(t *testing.T) { p.both(t, q, nil) })
	}
	for _, seconds := range []string{"1e0", "0.9", "1.5", "+1"} {
		t.Run("timeout "+seconds, func(t *testing.T) {
			t.Parallel()
			p.both(t, query("http_2xx", srv+"/hold"), map[string]string{"X-Prometheus-Scrape-Timeout-Seconds": seconds})
		})
	}
	for _, accept := range []string{"*/*", "application/openmetrics-text", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.7", "application/json", "text/plain;version=0.0.4;escaping=allow-utf-8", ""} {
		t.Run("accept "+accept, func(t *testing.T) { p.both(t, query("http_2xx", srv), map[string]string{"Accept": accept}) })
	}
}

// TestAnAnswerThatSwitchesEnds: after a 101 blackbox_exporter waits for ever,
// whatever the timeout of the module.
func TestAnAnswerThatSwitchesEnds(t *testing.T) {
	p := newPair(t, unusualModules)
	srv := rawAnswers(t, map[string]string{"/": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + holds})
	for module, success := range map[string]string{"http_2xx": "0", "any": "1"} {
		began := time.Now()
		got := ask(t, p.handler, query(module, srv), nil)
		if took := time.Since(began); got.status != http.StatusOK || got.value("probe_success") != success || got.value("probe_http_status_code") != "101" || took > 20*time.Second {
			t.Errorf("%s: %d after %s\n%s", module, got.status, took, got.text)
		}
	}
}
