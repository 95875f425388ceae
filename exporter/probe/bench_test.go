package probe_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// The server of the benchmarks is this test binary in another process, so that
// its CPU time and allocations do not count.
const serverVariable = "UPHELD_BENCH_SERVER"

func init() {
	if os.Getenv(serverVariable) == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(os.Stdout, l.Addr().String()+"\n")
	go func() { // ends with the benchmark, which holds the other end of stdin
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	body := strings.Repeat("all is well\n", 85) // about 1 KB
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
}

func benchServer(b *testing.B) string {
	b.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"=1")
	stdin, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		_ = server.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// cpu is the CPU time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchmark runs probes one after the other and reports CPU time (user and
// system, of the prober's process) besides the wall time.
func benchmark(b *testing.B, env probe.Env, check sla.Check) {
	b.Helper()
	p, err := probe.NewFactory(env).New(&sla.Probe{Check: check, Timeout: 5 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for range b.N {
		if r := p.Probe(context.Background(), time.Time{}); r.Outcome != probe.Good {
			b.Fatalf("%+v", r)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
}

func BenchmarkHTTP(b *testing.B) {
	benchmark(b, probe.Env{}, get("http://"+benchServer(b)))
}

func BenchmarkHTTPBody(b *testing.B) {
	benchmark(b, probe.Env{}, &sla.HTTPCheck{URL: "http://" + benchServer(b), BodyMatches: "is well"})
}

func BenchmarkTCP(b *testing.B) {
	benchmark(b, probe.Env{}, &sla.TCPCheck{Address: benchServer(b)})
}

// BenchmarkHTTPS includes the server's half of the handshake, in this process.
func BenchmarkHTTPS(b *testing.B) {
	ca := newAuthority()
	cert := ca.sign(b, "localhost", time.Now().Add(time.Hour))
	benchmark(b, probe.Env{RootCAs: ca.pool()}, get(tlsServer(b, cert).URL))
}

// BenchmarkFloor is what a connection, a request and its answer take of Go and
// the kernel without any measuring: the least that BenchmarkHTTP can.
func BenchmarkFloor(b *testing.B) {
	address := benchServer(b)
	request := []byte("GET / HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n")
	answer := make([]byte, 4096)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for range b.N {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = conn.Write(request)
		for err == nil {
			_, err = conn.Read(answer)
		}
		conn.Close()
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// BenchmarkClient is net/http's client, with a new connection each time.
func BenchmarkClient(b *testing.B) {
	url := "http://" + benchServer(b)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for range b.N {
		r, err := client.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
}
