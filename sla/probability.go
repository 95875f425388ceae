package sla

// chanceOfAtLeast is the probability that k or more of independent events happen. It
// adds one event at a time. Counts that already decide the result are merged, because
// exact fractions grow with every event.
func chanceOfAtLeast[N number[N]](chances []N, k int, one N) N {
	failures := len(chances) - k + 1
	countFailures := failures < k // count failures and not successes, if fewer of them decide
	counted := make([]N, min(k, failures))
	if len(counted) == 0 {
		return one
	}
	counted[0] = one
	for i, chance := range chances {
		rest := one.Sub(chance)
		if countFailures {
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
	if countFailures {
		return sum
	}
	return one.Sub(sum)
}
