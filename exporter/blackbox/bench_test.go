package blackbox

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oracleconfig "github.com/prometheus/blackbox_exporter/config"
	oracle "github.com/prometheus/blackbox_exporter/prober"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"

	"github.com/upheld-sla/upheld/exporter/guard"
)

// BenchmarkProbe measures a request to /probe, the server that is probed and
// the exposition included, of both exporters.
func BenchmarkProbe(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1024)) }))
	defer srv.Close()
	file := filepath.Join(b.TempDir(), "blackbox.yml")
	if err := os.WriteFile(file, []byte("modules: {http_2xx: {prober: http}, tcp: {prober: tcp}}"), 0o600); err != nil {
		b.Fatal(err)
	}
	ours := New(Options{Network: new(guard.Network), ConfigFile: file, TimeoutOffset: DefaultTimeoutOffset, HistoryLimit: DefaultHistoryLimit, ProbeLog: promslog.Config{Level: promslog.NewLevel()}})
	if err := ours.Reload(); err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	ours.Mount(mux)
	theirs := oracleconfig.NewSafeConfig(prometheus.NewRegistry())
	logger := slog.New(slog.DiscardHandler)
	if err := theirs.ReloadConfig(file, logger); err != nil {
		b.Fatal(err)
	}
	history := &oracle.ResultHistory{MaxResults: DefaultHistoryLimit}
	for name, handler := range map[string]http.Handler{
		"ours": mux,
		"blackbox_exporter": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			oracle.Handler(w, r, theirs.C, logger, history, DefaultTimeoutOffset.Seconds(), nil, nil, &promslog.Config{Level: promslog.NewLevel(), Writer: io.Discard})
		}),
	} {
		for module, target := range map[string]string{"http_2xx": srv.URL, "tcp": strings.TrimPrefix(srv.URL, "http://")} {
			b.Run(module+"/"+name, func(b *testing.B) {
				path := "/probe?" + query(module, target).Encode()
				b.ReportAllocs()
				before := processTime(b)
				for b.Loop() {
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
					if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "probe_success 1") {
						b.Fatal(w.Body)
					}
				}
				b.ReportMetric(float64(processTime(b)-before)/float64(time.Microsecond)/float64(b.N), "cpu-us/op")
			})
		}
	}
}
