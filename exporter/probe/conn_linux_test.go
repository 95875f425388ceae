package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/upheld-sla/upheld/sla"
)

// dialTo opens a connection as probes do.
func dialTo(ctx context.Context, t *testing.T, address string) (net.Conn, error) {
	t.Helper()
	conn, err := newDialer(Env{}).dialAddress(ctx, "tcp", netip.MustParseAddrPort(address))
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// connected is a connection and its peer.
func connected(t *testing.T) (net.Conn, *net.TCPConn) {
	t.Helper()
	l := listenOn(t, "127.0.0.1:0")
	conn, err := dialTo(within(t, 10*time.Second), t, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn, peer.(*net.TCPConn)
}

func listenOn(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serveEach answers every connection, and closes it then.
func serveEach(t *testing.T, answer func(net.Conn)) netip.AddrPort {
	l := listenOn(t, "127.0.0.1:0")
	go func() {
		for {
			peer, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer peer.Close()
				answer(peer)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// TestConnectionsCarryData sends more than the kernel's buffers hold, both ways at
// once.
func TestConnectionsCarryData(t *testing.T) {
	conn, peer := connected(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	var all sync.WaitGroup
	for _, way := range []struct {
		from interface {
			io.Writer
			Close() error
		}
		to io.Reader
	}{{conn, peer}, {peer, conn}} {
		all.Go(func() {
			if n, err := way.from.Write(sent); n != len(sent) || err != nil {
				t.Errorf("%d bytes written, %v", n, err)
			}
		})
		all.Go(func() {
			time.Sleep(50 * time.Millisecond) // until the writer has to wait
			got := make([]byte, len(sent))
			if n, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes read, %v", n, err)
			}
		})
	}
	all.Wait()
	peer.Close()
	if n, err := conn.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the end: %d bytes, %v", n, err)
	}
}

func TestConnectionsHaveDeadlines(t *testing.T) {
	conn, _ := connected(t)
	expired := func(what string, err error) {
		t.Helper()
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: %v", what, err)
		}
	}
	began := time.Now()
	_ = conn.SetReadDeadline(began.Add(30 * time.Millisecond))
	_, err := conn.Read(make([]byte, 8))
	expired("reading", err)
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("the deadline came after %s", took)
	}
	_, err = conn.Read(make([]byte, 8))
	expired("reading again", err)
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Errorf("a deadline of reading ends writing: %v", err)
	}
	much := make([]byte, 64<<20)
	_ = conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := conn.Write(much)
	if expired("writing what nobody reads", err); n == 0 {
		t.Error("nothing was written")
	}
	_, err = conn.Write([]byte("x"))
	expired("writing again", err)
}

// TestConnectionsAreInterrupted ends reads that wait from another goroutine.
func TestConnectionsAreInterrupted(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"by a deadline": func(c net.Conn) { _ = c.SetDeadline(time.Unix(1, 0)) },
		"by closing":    func(c net.Conn) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			conn, peer := connected(t)
			time.AfterFunc(30*time.Millisecond, func() { end(conn) })
			_, err := conn.Read(make([]byte, 8))
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			if conn.Close(); !errors.Is(conn.Close(), net.ErrClosed) {
				t.Error("closed twice")
			}
			if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("writing after closing: %v", err)
			}
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("reading after closing: %v", err)
			}
			if n, err := peer.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("the peer reads %d bytes, %v", n, err)
			}
		})
	}
}

// TestConnectionsAreNotMixedUp closes connections under readers, while others
// get their descriptors.
func TestConnectionsAreNotMixedUp(t *testing.T) {
	address := serveEach(t, func(peer net.Conn) { _, _ = io.Copy(peer, peer) })
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 100 {
				conn, err := newDialer(Env{}).dialAddress(t.Context(), "tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				said := []byte{byte(i), byte(n), 1, 2, 3}
				if n%3 == 0 {
					time.AfterFunc(time.Duration(n)*10*time.Microsecond, func() { conn.Close() })
				}
				if _, err = conn.Write(said); err == nil {
					heard := make([]byte, len(said))
					if _, err = io.ReadFull(conn, heard); err == nil && !bytes.Equal(heard, said) {
						t.Errorf("heard %v, said %v", heard, said)
					}
				}
				if err != nil && (n%3 != 0 || !errors.Is(err, net.ErrClosed)) {
					t.Error(err)
				}
				conn.Close()
			}
		})
	}
	all.Wait()
}

// TestConnectingWaitsForThePeer connects to one that takes no more connections:
// until the deadline, until it is cancelled, or until the peer does.
func TestConnectingWaitsForThePeer(t *testing.T) {
	fd, address := fullListener(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := dialTo(ctx, t, address); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := dialTo(within(t, 50*time.Millisecond), t, address); !isTimeout(err) {
		t.Errorf("without an answer: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		for range 8 {
			if peer, _, err := unix.Accept(fd); err == nil {
				unix.Close(peer)
			}
		}
	})
	began := time.Now()
	conn, err := dialTo(within(t, 20*time.Second), t, address) // which the kernel tries again after a second
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("connected after %s, before there was room", took)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
}

// fullListener is one whose queue is full.
func fullListener(t *testing.T) (fd int, address string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address = fmt.Sprint("127.0.0.1:", bound.(*unix.SockaddrInet4).Port)
	for range 8 {
		if _, err := dialTo(within(t, 100*time.Millisecond), t, address); err != nil {
			return fd, address
		}
	}
	t.Skip("this kernel's queue is never full")
	return
}

// TestAWaitingProbeTakesOneDescriptor counts file descriptors while many probes wait
// for a slow target, and afterwards.
func TestAWaitingProbeTakesOneDescriptor(t *testing.T) {
	const probes = 200
	var arrived sync.WaitGroup
	arrived.Add(probes)
	answer := make(chan struct{})
	address := serveEach(t, func(peer net.Conn) {
		arrived.Done()
		<-answer
		_, _ = io.WriteString(peer, "hello\n")
	})
	check := &sla.TCPCheck{Address: address.String(), Dialogue: []sla.Step{{Expect: "hello"}}}
	p, err := NewFactory(Env{}).New(&sla.Probe{Check: check, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	before := openFiles(t)
	var all sync.WaitGroup
	for range probes {
		all.Go(func() {
			if r := p.Probe(t.Context(), time.Time{}); r.Outcome != Good {
				t.Errorf("%+v", r)
			}
		})
	}
	arrived.Wait()
	const ends, spare = 2, 20 // the server is in this process, and so is what else the runtime opens
	if now := openFiles(t); now > before+ends*probes+spare {
		t.Errorf("%d files are open for %d probes and their server, %d before", now, probes, before)
	}
	close(answer)
	all.Wait()
	after := 0
	for range 500 { // the server closes its half a moment later
		if after = openFiles(t); after <= before+spare {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d files are open, %d before", after, before)
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(files)
}

// TestLateByTwoClocks holds a process up between its two readings of the time,
// and sets the clock.
func TestLateByTwoClocks(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name         string
		wall, passed time.Duration
		want         time.Duration
	}{
		{"as it should be", 50 * ms, 50 * ms, 0},
		{"held up at the end, after the time of day was read", 50 * ms, 53 * ms, 3 * ms},
		{"held up at the beginning, after the time of day was read", 53 * ms, 50 * ms, 0},
		{"the clock was set back", -1000 * ms, 50 * ms, 1050 * ms},
	} {
		from := time.Now().UnixNano()
		if got := clockDifference(from, from+int64(c.wall), c.passed); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	began := time.Now()
	if got := late(began.UnixNano(), began, began.Add(3*ms)); got != 3*ms {
		t.Errorf("late by %s, want 3 ms", got)
	}
}
