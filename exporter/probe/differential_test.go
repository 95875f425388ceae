package probe_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// strangeAnswers are what servers send that clients often take in different
// ways.
var strangeAnswers = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	"HTTP/1.0 200 OK\r\n\r\n",
	"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-Trailer: a\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
	"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n",
	"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nNo colon\r\n\r\nok",
	"HTTP/1.1 200 OK\r\n: empty\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nX Y: space\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nX-A: b",
	"HTTP/1.1 200",
	"HTTP/1.1",
	"ICY 200 OK\r\n\r\nok",
	"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"<html>",
	"",
}

// TestVerdictsAreThoseOfNetHTTP sends strange answers to net/http's client and
// to a probe, which must take the same ones, with the same status and body.
func TestVerdictsAreThoseOfNetHTTP(t *testing.T) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, text := range strangeAnswers {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(fmt.Sprintf("%s of %.60q", method, text), func(t *testing.T) {
				url := "http://" + rawServer(t, answer(text))
				want := "failure"
				request, err := http.NewRequest(method, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				if response, err := client.Do(request); err == nil {
					body, err := io.ReadAll(response.Body)
					response.Body.Close()
					if want = fmt.Sprint(response.StatusCode, " ", len(body)); err != nil {
						want = "failure"
					}
				}
				check := &sla.HTTPCheck{URL: url, Method: method, Status: []sla.StatusRange{{From: 0, To: 999}}, Options: &sla.HTTPOptions{Versions: []sla.HTTPVersion{"1.0", "1.1", "2"}}}
				r := once(t, probe.Env{}, check, 5*time.Second)
				got := "failure"
				if r.Outcome == probe.Good {
					got = fmt.Sprint(r.HTTP.Status, " ", r.HTTP.BodyBytes)
				} else if r.Outcome != probe.Bad || strings.Contains(r.Detail, "ok") {
					t.Errorf("%+v", r)
				}
				if got != want {
					t.Errorf("%s, net/http: %s (%s)", got, want, r.Detail)
				}
			})
		}
	}
}
