// Package demo holds the agreement that upheld demo serves.
package demo

import (
	_ "embed"
	"strings"
)

// Spec is shop.yaml.
//
//go:embed shop.yaml
var Spec string

// addresses are those in Spec, by service.
var addresses = []struct{ service, address string }{
	{"storefront", "127.0.0.1:18080"},
	{"orders", "127.0.0.1:18082"},
	{"psp-a", "127.0.0.1:18083"},
	{"psp-b", "127.0.0.1:18084"},
}

// SpecAt is Spec with the addresses of running services, host:port by service,
// in the place of its own.
func SpecAt(running map[string]string) string {
	text := Spec
	for _, own := range addresses {
		if address, ok := running[own.service]; ok {
			text = strings.ReplaceAll(text, own.address, address)
		}
	}
	return text
}
