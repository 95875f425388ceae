// Package descriptors says how many files this process may have open, and how
// many probes may run at once within that.
package descriptors

// perProbe is how many descriptors we count for a probe of a specification: usually it
// needs one for its connection, and two while it asks a resolver for both families of
// addresses or tries a second address.
const perProbe = 2

// Limit is how many files this process may have open; 0 if unknown.
func Limit() int { return limit() }

// Probes is how many of the wanted probes may run at once, at least one, if spare
// descriptors are kept for everything else. A limit of 0 is no limit.
func Probes(wanted, limit, spare int) int {
	if limit == 0 {
		return wanted
	}
	return min(wanted, max(1, (limit-spare)/perProbe))
}
