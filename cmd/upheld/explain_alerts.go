package main

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// explainMinima says how many events alerts wait for.
func explainMinima(b *strings.Builder, a sla.Alerting) {
	var least []string
	if a.MinimumEvents > 0 {
		least = append(least, plural(a.MinimumEvents, "event"))
	}
	if a.MinimumBadEvents > 0 {
		least = append(least, plural(a.MinimumBadEvents, "bad event"))
	}
	if len(least) > 0 {
		fmt.Fprintf(b, "    ... and only with at least %s in the long window, so later where there is little traffic\n", strings.Join(least, " and "))
	}
}
