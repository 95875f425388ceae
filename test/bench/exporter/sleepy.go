//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// delay is how long the sleepy server takes to answer.
const delay = 50 * time.Millisecond

// span is how long the server took to answer, by its own clock: from the kernel's
// timestamp on the request to the moments before and after the response was sent,
// between which the server may have had no CPU. So a server without CPU does not look
// like an exporter without CPU.
type span struct{ least, most time.Duration }

// sleepy is a server with a delay, which it measures itself.
type sleepy struct {
	mu    sync.Mutex
	taken map[string][]span // by path, in order
}

// serve answers connections until the process ends.
func (s *sleepy) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer conn.Close()
			if err := s.answer(conn.(*net.TCPConn)); err != nil && !errors.Is(err, errNothing) {
				fmt.Fprintln(os.Stderr, "sleepy server:", err)
			}
		}()
	}
}

func (s *sleepy) answer(conn *net.TCPConn) error {
	request, arrived, err := stampedRead(conn)
	if err != nil {
		return err
	}
	time.Sleep(time.Until(arrived.Add(delay)))
	fields := bytes.Fields(request)
	if len(fields) < 2 {
		return fmt.Errorf("no request: %q", request)
	}
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nall is well\n")
	since := func() time.Duration { return time.Duration(time.Now().UnixNano() - arrived.UnixNano()) }
	took := span{least: since()}
	if _, err := conn.Write(answer); err != nil {
		return err
	}
	took.most = since()
	s.mu.Lock()
	defer s.mu.Unlock()
	path := string(fields[1])
	s.taken[path] = append(s.taken[path], took)
	return nil
}

// stampedRead reads once, and returns when the data had arrived.
func stampedRead(conn *net.TCPConn) (data []byte, arrived time.Time, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, arrived, err
	}
	buf, control := make([]byte, 4096), make([]byte, 64)
	var n, controls int
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, controls, _, _, failed = unix.Recvmsg(int(fd), buf, control, 0)
		return failed != unix.EAGAIN
	})
	if err != nil || failed != nil {
		return nil, arrived, fmt.Errorf("%w, %w", err, failed)
	}
	if n == 0 || controls == 0 {
		return nil, arrived, errNothing
	}
	_, stamp, _, err := unix.ParseOneSocketControlMessage(control[:controls])
	if err != nil {
		return nil, arrived, err
	}
	return buf[:n], time.Unix(int64(binary.NativeEndian.Uint64(stamp)), int64(binary.NativeEndian.Uint64(stamp[8:]))), nil
}

// errNothing is the error for a connection that was closed, or for data from before the
// kernel began to stamp.
var errNothing = errors.New("nothing with a stamp was received")

// stamped makes the kernel stamp what a listener's connections receive.
func stamped(l net.Listener) net.Listener {
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		panic(err)
	}
	if err := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	}); err != nil {
		panic(err)
	}
	return l
}

// ServeHTTP returns how long each path took, and forgets it.
func (s *sleepy) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, all := range s.taken {
		for _, took := range all {
			_, _ = fmt.Fprintln(w, path, int64(took.least), int64(took.most))
		}
	}
	clear(s.taken)
}
