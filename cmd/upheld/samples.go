package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/weburl"
)

// sampleFlags say where raw samples come from.
type sampleFlags struct {
	server  serverFlags
	remote  bool // read
	samples []string
}

func (o *sampleFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.samples, "samples", nil, "read this `file` of samples with timestamps, instead of a server; may be repeated")
	o.server.flags(f, "read samples from this server", 2*time.Minute)
	f.BoolVar(&o.remote, "prometheus.remote-read", true, "read from --prometheus.url by remote read, if it has that; else by queries")
}

// given returns whether any source was named.
func (o sampleFlags) given() bool { return len(o.samples) > 0 || o.server.url != "" }

// check checks these flags.
func (o sampleFlags) check() error {
	switch {
	case len(o.samples) > 0 && o.server.url != "":
		return fmt.Errorf("--samples and --prometheus.url: samples come from one of them")
	case len(o.samples) == 0 && o.server.url == "":
		return fmt.Errorf("name where samples come from: a server with --prometheus.url, or files with --samples")
	}
	return o.server.check()
}

func (o sampleFlags) source() (samples.Source, error) {
	if len(o.samples) > 0 {
		return samples.ReadFiles(o.samples...)
	}
	base, err := weburl.Parse(o.server.url, "")
	if err != nil {
		return nil, err
	}
	transport, err := o.server.transport()
	if err != nil {
		return nil, err
	}
	return samples.NewServer(base, samples.ServerOptions{Transport: transport, Timeout: o.server.timeout, Queries: !o.remote}), nil
}
