package probe_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

const namespaceVariable = "UPHELD_ICMP_NAMESPACE"

// TestICMPWithoutAnswers runs in a network of its own, whose loopback does as
// each case wants.
func TestICMPWithoutAnswers(t *testing.T) {
	t.Parallel()
	if mode := os.Getenv(namespaceVariable); mode != "" {
		inNamespace(t, mode)
		return
	}
	for _, mode := range []string{"silent", "down", "unprivileged", "forbidden"} {
		t.Run(mode, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run", "^TestICMPWithoutAnswers$", "-test.v")
			child.Env = append(os.Environ(), namespaceVariable+"="+mode)
			child.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			}
			out, err := child.CombinedOutput()
			if err != nil && len(out) == 0 {
				t.Skipf("no network namespaces here: %v", err)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if strings.Contains(string(out), "--- SKIP") {
				t.Skip(string(out))
			}
		})
	}
}

func inNamespace(t *testing.T, mode string) {
	if mode != "down" {
		raiseLoopback(t)
	}
	set := func(name, value string) {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0); err != nil {
			t.Skipf("cannot set %s: %v", name, err)
		}
	}
	switch mode {
	case "silent":
		set("icmp_echo_ignore_all", "1")
		r := once(t, probe.Env{}, pings("127.0.0.1", 3), patience)
		if r.Reason != probe.Timeout || r.Outcome != probe.Bad || r.Packets == nil || r.Packets.Sent != 3 || r.Packets.Received != 0 {
			t.Errorf("%+v %+v", r, r.Packets)
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: pings("127.0.0.1", 100), Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.Probe(ctx, time.Time{}); r.Reason != probe.Cancelled || r.Duration > 5*time.Second {
			t.Errorf("%+v", r)
		}
	case "down":
		r := once(t, probe.Env{}, ping("192.0.2.1"), patience)
		if r.Reason != probe.LocalNetwork || r.Outcome != probe.Inconclusive {
			t.Errorf("without a route: %+v", r)
		}
	case "unprivileged":
		set("ping_group_range", "0 0")
		dropCapabilities(t)
		if r := once(t, probe.Env{}, pings("127.0.0.1", 3), time.Second); r.Outcome != probe.Good || r.Packets.Received != 3 {
			t.Errorf("%+v", r)
		}
	case "forbidden": // which it is in a new namespace
		dropCapabilities(t)
		if r := once(t, probe.Env{}, ping("127.0.0.1"), time.Second); r.Reason != probe.Privilege || r.Outcome != probe.Inconclusive {
			t.Errorf("%+v", r)
		}
	}
}

func raiseLoopback(t *testing.T) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		t.Skipf("cannot raise lo: %v", errno)
	}
}

// dropCapabilities makes raw sockets impossible for this goroutine.
func dropCapabilities(t *testing.T) {
	t.Helper()
	header := struct{ version, pid uint32 }{version: 0x20080522}
	var none [2]struct{ effective, permitted, inheritable uint32 }
	runtime.LockOSThread()
	if _, _, errno := syscall.Syscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0); errno != 0 {
		t.Skipf("cannot drop capabilities: %v", errno)
	}
}
