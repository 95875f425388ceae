package demo

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The outside sees exactly the faults of the schedule, and their end.
func TestServicesBreakAndMend(t *testing.T) {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		name   string
		fault  Fault
		broken func(shop *Shop) bool
	}{
		{"storefront down", Fault{Service: Storefront, Effect: Down}, func(s *Shop) bool {
			return status(t, client, "http://"+s.Addresses[Storefront]+"/health") == http.StatusServiceUnavailable
		}},
		{"second provider down", Fault{Service: ProviderB, Effect: Down}, func(s *Shop) bool {
			return status(t, client, "http://"+s.Addresses[ProviderB]+"/health") == http.StatusServiceUnavailable
		}},
		{"storefront slow", Fault{Service: Storefront, Effect: Slow}, func(s *Shop) bool {
			start := time.Now()
			status(t, client, "http://"+s.Addresses[Storefront]+"/health")
			return time.Since(start) > 400*time.Millisecond
		}},
		{"orders closed", Fault{Service: Orders, Effect: Closed}, func(s *Shop) bool {
			conn, err := net.Dial("tcp", s.Addresses[Orders])
			if err == nil {
				_ = conn.Close()
			}
			return err != nil
		}},
		{"payments failing", Fault{Service: Payments, Effect: Failing}, func(s *Shop) bool {
			before := errorsCounted(t, client, s)
			time.Sleep(400 * time.Millisecond)
			return errorsCounted(t, client, s) != before
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.fault.From, c.fault.To, c.fault.Words = time.Second, 3*time.Second, "broken"
			told := make(chan string, 8)
			shop, err := Start(Schedule{Cycle: time.Hour, Faults: []Fault{c.fault}}, func(_ time.Duration, words string) { told <- words })
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := shop.Close(); err != nil {
					t.Error(err)
				}
			}()
			if c.broken(shop) {
				t.Error("it is broken before the fault begins")
			}
			if words := <-told; words != "broken" {
				t.Errorf("told %q when the fault began", words)
			}
			if !c.broken(shop) {
				t.Error("it is well during the fault")
			}
			if words := <-told; !strings.Contains(words, "well again") {
				t.Errorf("told %q when the fault ended", words)
			}
			time.Sleep(100 * time.Millisecond) // what was on its way when the fault ended
			if c.broken(shop) {
				t.Error("it is still broken after the fault")
			}
		})
	}
}

func status(t *testing.T, client *http.Client, url string) int {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// errorsCounted is the line of /metrics that counts failed payments.
func errorsCounted(t *testing.T, client *http.Client, s *Shop) string {
	t.Helper()
	answer, err := client.Get("http://" + s.Addresses[Payments] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, `http_requests_total{code="500"}`) {
			return line
		}
	}
	t.Error("payments do not count errors from the start")
	return ""
}

func TestScheduleRefusesWhatItCannotHold(t *testing.T) {
	for name, s := range map[string]Schedule{
		"no cycle":     {},
		"overlap":      {time.Minute, []Fault{{Orders, Closed, 1, 20, ""}, {Orders, Closed, 10, 30, ""}}},
		"backwards":    {time.Minute, []Fault{{Orders, Closed, 20, 10, ""}}},
		"nobody":       {time.Minute, []Fault{{"warehouse", Down, 1, 20, ""}}},
		"beyond cycle": {time.Minute, []Fault{{Orders, Closed, 20, 2 * time.Minute, ""}}},
	} {
		if s.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := Start(s, nil); err == nil {
			t.Errorf("%s: started", name)
		}
	}
	if err := Default.Validate(); err != nil {
		t.Error(err)
	}
}

// Walking from edge to edge misses no change: between two edges nothing changes.
func TestScheduleEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Duration(rapid.Int64Range(0, int64(3*Default.Cycle)).Draw(t, "at"))
		next := Default.Next(at)
		if next <= 0 {
			t.Fatalf("Next(%s) = %s: time stands still", at, next)
		}
		between := at + time.Duration(rapid.Int64Range(0, int64(next)-1).Draw(t, "between"))
		before, after := Default.At(at), Default.At(between)
		for _, service := range services {
			if before[service] != after[service] {
				t.Fatalf("%s changes between %s and %s, before the next edge in %s", service, at, between, next)
			}
		}
	})
}

// The terminal says of each fault what it is, also where a service fails alike
// for two reasons; of a provider that fails alone, that the other takes over.
func TestScheduleTellsFaultsApart(t *testing.T) {
	alone, both := Default.At(400*time.Second), Default.At(500*time.Second)
	if _, ok := alone[ProviderB]; ok || alone[ProviderA].Effect != Down || both[ProviderA].Effect != Down || both[ProviderB].Effect != Down {
		t.Errorf("alone %v, both %v", alone, both)
	}
	if alone[ProviderA].Words == both[ProviderA].Words {
		t.Errorf("both times %q is told", alone[ProviderA].Words)
	}
}
