package exporter

import (
	"net/netip"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/upheld-sla/upheld/sla"
)

// declared are targets with every way to hold something.
func declared() []sla.ProbeTarget {
	request := sla.HTTPCheck{
		URL: "https://user:secret@shop.example/", Method: "POST", Headers: map[string]string{"X-Token": "secret"}, Status: []sla.StatusRange{{From: 200, To: 299}},
		Options: &sla.HTTPOptions{Versions: []sla.HTTPVersion{sla.HTTP2}, Files: &sla.TLSFiles{CA: sla.Secret{File: "ca.pem"}}},
	}
	id := sla.ID{SLA: "shop", Service: "storefront", SLO: "availability"}
	return []sla.ProbeTarget{
		{},
		{ID: id, Probe: &sla.Probe{Check: &request, Interval: time.Minute}, Thresholds: []time.Duration{time.Second, time.Minute}},
		{ID: id, Probe: &sla.Probe{Check: &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "login", Request: request, Captures: []sla.Capture{{Name: "token", Header: "X"}}}}}}},
		{ID: id, Probe: &sla.Probe{
			Check: &sla.TCPCheck{Address: "shop.example:443"}, Discovery: &sla.Discovery{Static: []string{"a:1", "b:2"}, Labels: []string{"zone"}},
			Network: &sla.Network{Source: netip.MustParseAddr("192.0.2.1"), Resolver: netip.MustParseAddrPort("[2001:db8::1]:53")},
		}},
	}
}

func TestCompactTargetsAreEqualAndApart(t *testing.T) {
	given := declared()
	got := compact(given)
	if !reflect.DeepEqual(got, declared()) || !reflect.DeepEqual(given, declared()) {
		t.Fatalf("%+v", got)
	}
	own := got[1].Probe.Check.(*sla.HTTPCheck)
	check := given[1].Probe.Check.(*sla.HTTPCheck)
	check.Headers["X-Token"], check.Status[0].From, check.Options.Files.CA.File, check.Options.Versions[0] = "", 0, "", ""
	given[1].Thresholds[0], given[3].Probe.Discovery.Static[0] = 0, ""
	given[2].Probe.Check.(*sla.JourneyCheck).Steps[0].Captures[0].Name = ""
	if !reflect.DeepEqual(got, declared()) {
		t.Errorf("a copy shares what it holds with what it was made of:\n%+v", got)
	}
	if unsafe.StringData(own.URL) == unsafe.StringData(check.URL) || unsafe.StringData(got[1].ID.SLA) != unsafe.StringData(got[2].ID.SLA) {
		t.Error("a text is shared with what was given, or is there twice")
	}
	if compact(nil) != nil {
		t.Error("targets were made of none")
	}
}
