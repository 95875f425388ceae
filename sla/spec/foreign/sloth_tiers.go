package foreign

import (
	"math/big"
	"strconv"

	"gopkg.in/yaml.v3"
)

// slothWindows are the windows of alerts in an AlertWindows of Sloth.
type slothWindows struct {
	at     place
	period *yaml.Node
	tiers  []tier
}

func isSlothWindows(root *yaml.Node) bool {
	return isObject(root, "sloth.slok.dev/", "AlertWindows")
}

// windows reads the object. It is nil after an error.
func (c *conversion) windows(root place) *slothWindows {
	o := root.object("an AlertWindows", "apiVersion", "kind", "metadata", "spec")
	if o == nil {
		return nil
	}
	at, ok := o.must("spec")
	if !ok {
		return nil
	}
	spec := at.object("the spec of an AlertWindows", "sloPeriod", "page", "ticket")
	if spec == nil {
		return nil
	}
	text, periodAt, ok := spec.mustText("sloPeriod")
	if !ok {
		return nil
	}
	period, ok := promDuration(text)
	if !ok {
		periodAt.error("bad-duration", "sloPeriod "+strconv.Quote(shortened(text))+" is no duration", "write it like 30d")
		return nil
	}
	w := &slothWindows{at: root, period: c.text(periodAt, text)}
	for _, urgency := range []struct {
		key   string
		tiers []string
	}{{"page", pageTiers}, {"ticket", ticketTiers}} {
		of, ok := spec.must(urgency.key)
		if !ok {
			return nil
		}
		both := of.object(urgency.key, "quick", "slow")
		if both == nil {
			return nil
		}
		for i, speed := range []string{"quick", "slow"} {
			at, ok := both.must(speed)
			if !ok {
				return nil
			}
			t, ok := c.windowTier(urgency.tiers[i], at, int64(period))
			if !ok {
				return nil
			}
			w.tiers = append(w.tiers, t)
		}
	}
	return w
}

// windowTier makes a tier from a pair of windows, and from how much of the budget may be
// spent in the long one.
func (c *conversion) windowTier(name string, at place, period int64) (tier, bool) {
	o := at.object("windows", "errorBudgetPercent", "shortWindow", "longWindow")
	if o == nil {
		return tier{}, false
	}
	percent, percentAt, ok1 := o.mustText("errorBudgetPercent")
	short, shortAt, ok2 := o.mustText("shortWindow")
	long, longAt, ok3 := o.mustText("longWindow")
	if !ok1 || !ok2 || !ok3 {
		return tier{}, false
	}
	share, ok := parseDecimal(percent)
	length, isDuration := promDuration(long)
	if !ok || !isDuration || share.r.Sign() <= 0 {
		at.error("bad-number", "these windows are no percentage and durations", "write {errorBudgetPercent: 2, shortWindow: 5m, longWindow: 1h}")
		return tier{}, false
	}
	factor := share.mul(decimal{big.NewRat(period, int64(length))}).over(whole(100)).roundedUp(9)
	return tier{name, at, []setting{{"long", c.text(longAt, long)}, {"short", c.text(shortAt, short)}, {"factor", c.quoted(percentAt, factor)}}}, true
}

// setWindows gives all agreements the windows that were read beside them.
func (c *conversion) setWindows(all []*slothWindows) {
	if len(all) == 0 {
		return
	}
	for _, w := range all[1:] {
		w.at.notCarried("these AlertWindows are not carried: others are read already, and Sloth chooses by its flag for the period", "name one of the files only")
	}
	for _, a := range c.agreements {
		a.period, a.tiers = all[0].period, all[0].tiers
	}
	if len(c.agreements) == 0 {
		all[0].at.notCarried("AlertWindows are not carried by themselves", "name the specifications that they are for as well")
	}
}
