package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

const serverVariable = "UPHELD_BENCH_SERVERS"

// serveTargets is the process that is probed: one HTTP server, which tells its
// address and ends with its standard input.
func serveTargets() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(os.Stdout, l.Addr().String()+"\n")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	body := strings.Repeat("all is well\n", 85) // about 1 KB
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
}

// servers are what is probed.
type servers struct {
	command *exec.Cmd
	stdin   io.Closer
	address string
}

func startServers(ctx context.Context) (*servers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &servers{command: exec.CommandContext(ctx, self)}
	s.command.Env = append(os.Environ(), serverVariable+"=1")
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
	line, err := bufio.NewReader(stdout).ReadString('\n')
	s.address = strings.TrimSpace(line)
	return s, err
}

func (s *servers) stop() {
	s.stdin.Close()
	_ = s.command.Wait()
}
