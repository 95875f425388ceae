package sla

// chanceOfAtLeast is the chance that k or more of independent events happen. It counts
// event by event: so many, or so few, that the rest does not matter are not told
// apart, since the exact fractions grow with each.
func chanceOfAtLeast[N number[N]](chances []N, k int, one N) N {
	failures := len(chances) - k + 1
	seldom := failures < k // fewer than so many failures, or else not fewer than k successes
	counted := make([]N, min(k, failures))
	if len(counted) == 0 {
		return one
	}
	counted[0] = one
	for i, chance := range chances {
		rest := one.Sub(chance)
		if seldom {
			chance, rest = rest, chance
		}
		for j := min(i+1, len(counted)-1); j > 0; j-- {
			counted[j] = counted[j].Mul(rest).Add(counted[j-1].Mul(chance))
		}
		counted[0] = counted[0].Mul(rest)
	}
	var sum N
	for _, c := range counted {
		sum = sum.Add(c)
	}
	if seldom {
		return sum
	}
	return one.Sub(sum)
}
