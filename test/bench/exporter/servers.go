//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
)

const serverVariable = "UPHELD_BENCH_SERVERS"

// serveTargets is the process to probe. It prints the addresses of its servers and ends
// with its standard input.
func serveTargets() {
	body := strings.Repeat("all is well\n", 85) // about 1 KB
	well := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	slow := &sleepy{taken: map[string][]span{}}
	plain, delayed, told := listen(), stamped(listen()), listen()
	secure := httptest.NewUnstartedServer(well)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // about connections that end with a process
	secure.StartTLS()
	fmt.Println(plain.Addr(), secure.Listener.Addr(), delayed.Addr(), told.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	go slow.serve(delayed)
	go func() { _ = http.Serve(told, slow) }()
	_ = http.Serve(plain, well)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return l
}

// servers are the servers to probe.
type servers struct {
	command *exec.Cmd
	stdin   io.Closer
	address string // plain HTTP
	secure  string // HTTPS
	delayed string // plain HTTP with a delay
	told    string // reports the real delays
}

func startServers(ctx context.Context) (*servers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &servers{command: exec.CommandContext(ctx, self)}
	s.command.Env = append(os.Environ(), serverVariable+"=1")
	s.command.Stderr = os.Stderr
	stdin, err := s.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.stdin = stdin
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	_, err = fmt.Fscan(bufio.NewReader(stdout), &s.address, &s.secure, &s.delayed, &s.told)
	return s, err
}

func (s *servers) stop() {
	s.stdin.Close()
	_ = s.command.Wait()
}
