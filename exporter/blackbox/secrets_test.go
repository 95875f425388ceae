package blackbox

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/common/promslog"
)

// TestNoPageAndNoLogShowsAPassword: neither the password in a target, which may not even
// suit the prober, nor one in a module is shown.
func TestNoPageAndNoLogShowsAPassword(t *testing.T) {
	t.Parallel()
	modules := "modules:\n"
	for _, kind := range kindNames() {
		more := ""
		switch kind {
		case "dns":
			more = ", dns: {query_name: a.example}"
		case "http":
			more = ", http: {basic_auth: {username: user, password: s3cret-basic}, headers: {X-Api-Key: s3cret-header}, proxy_url: 'http://me:s3cret-proxy@127.0.0.1:1'}"
		case "tcp":
			more = ", tcp: {query_response: [{expect: x}]}"
		case "grpc":
			more = ", grpc: {metadata: {authorization: [s3cret-metadata]}}"
		}
		modules += fmt.Sprintf("  %s: {prober: %s, timeout: 500ms%s}\n", kind, kind, more)
	}
	modules += "  direct: {prober: http, timeout: 500ms}\n  three: {prober: http, timeout: 500ms, http: {enable_http3: true, enable_http2: false}}\n"
	p := newPair(t, modules)
	var log bytes.Buffer
	p.ours.opts.ProbeLog = promslog.Config{Level: debugLevel(t), Writer: &log}
	for _, target := range []string{
		"http://bob:s3cret@127.0.0.1:1/", "http://s3cret@127.0.0.1:1/", "bob:s3cret@127.0.0.1:1", "s3cret@127.0.0.1:1", "bob:s3cret@127.0.0.1", "s3cret@host.invalid",
		"http://bob:s3cret@[::1/", "http://bob:%zzs3cret@host.invalid/", "http://bob:s3cret/x@host.invalid/", "http://bob:p s3cret@host.invalid/", "https://bob:s3cret@127.0.0.1:1",
		"bob:s3cret@[::1]:1", "unix://bob:s3cret@/run/x", "/bob:s3cret@host", "bob:my s3cret@127.0.0.1:1", "http://bob:a@b:s3cret@host.invalid/",
		"http://bob:s3cret#7@127.0.0.1:1/", "http://bob:s3cret?7@127.0.0.1:1/", "http://bob:s3cret/7@127.0.0.1:1/", "bob:s3cret#7@127.0.0.1:1",
	} {
		for _, module := range append(kindNames(), "direct", "three") {
			q := query(module, target)
			q.Set("debug", "true")
			shown := ask(t, p.handler, q, nil).text + get(t, p.handler, "/logs?target="+url.QueryEscape(target)+"&module="+module, nil).text + log.String() + fmt.Sprint(p.ours.Recent())
			if !strings.Contains(shown, "Logs for the probe") {
				t.Fatalf("%s %s: %s", module, target, shown)
			}
			for line := range strings.Lines(shown) {
				if strings.Contains(line, "s3cret") {
					t.Errorf("%s %s: %s", module, target, line)
				}
			}
			log.Reset()
		}
	}
}
