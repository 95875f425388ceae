package descriptors_test

import (
	"testing"

	"github.com/upheld-sla/upheld/internal/descriptors"
)

func TestProbes(t *testing.T) {
	for _, c := range []struct{ wanted, limit, spare, want int }{
		{1024, 0, 64, 1024},
		{1024, 1 << 20, 64, 1024},
		{1024, 1024, 64, 480},
		{10, 1024, 64, 10},
		{1024, 96, 64, 16},
		{1024, 64, 64, 1},
		{1024, 10, 64, 1},
	} {
		if got := descriptors.Probes(c.wanted, c.limit, c.spare); got != c.want {
			t.Errorf("%d probes of %d descriptors less %d: %d, want %d", c.wanted, c.limit, c.spare, got, c.want)
		}
	}
	if descriptors.Limit() < 0 {
		t.Error("the limit is negative")
	}
}
