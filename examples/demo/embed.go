// Package demo holds the agreement that upheld demo serves.
package demo

import _ "embed"

// Spec is shop.yaml.
//
//go:embed shop.yaml
var Spec string

// The addresses in Spec, which the demo replaces by those of its services.
const (
	StorefrontAddress = "127.0.0.1:18080"
	OrdersAddress     = "127.0.0.1:18082"
)
