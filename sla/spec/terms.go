package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// Limits of what an agreement says about itself. No paper has more.
const (
	maxRevision    = 100_000
	maxSignatories = 50
	maxCustomers   = 1_000
	maxScopes      = 20
	maxNotIncluded = 200
	maxCostOptions = 20
)

const (
	fullDatePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	parentPattern   = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(@[1-9][0-9]{0,5})?$`
	editionPattern  = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?@[1-9][0-9]{0,5}$`
)

var (
	fullDateType  = valueType{name: "date", sample: `"2026-10-01"`, scalars: []schema{{"type": "string", "pattern": fullDatePattern}}}
	editionType   = valueType{name: "name@revision", sample: "shop@2", scalars: []schema{{"type": "string", "pattern": editionPattern}}}
	parentType    = valueType{name: "name or name@revision", sample: "corporate", scalars: []schema{{"type": "string", "pattern": parentPattern}}}
	partyType     = oneOf(namesOf(sla.Parties)...)
	parentRegexp  = regexp.MustCompile(parentPattern)
	editionRegexp = regexp.MustCompile(editionPattern)
)

// textList is the type of a list of texts that are not empty.
func textList(sample string) valueType {
	return valueType{name: "list of texts", sample: sample, scalars: textType.scalars, shape: listOf}
}

var approvalSection = &section{
	name: "approval",
	doc:  "Who agreed on a revision, and when: its minutes are the terms.",
	fields: []field{
		{key: "meeting", typ: mapping(meetingSection), required: true, example: `{held: "2026-09-16"}`, doc: "The service level meeting."},
		{key: "signatories", typ: valueType{name: "list of mappings", sample: "[{party: provider, name: A. Provider}]", sections: []*section{signatorySection}, shape: listOf}, doc: "Who signed. A revision that nobody signed for one of the parties is a draft."},
	},
}

var meetingSection = &section{
	name: "a service level meeting",
	doc:  "Where the parties agreed.",
	fields: []field{
		{key: "held", typ: fullDateType, required: true, example: `"2026-09-16"`, doc: "The day."},
		{key: "chair", typ: textType, example: "account.manager@host.example", doc: "Who led it."},
		{key: "minutes", typ: textType, example: "minutes/2026-09-16.md", doc: "Where its minutes are: a file or a URL. It is not read."},
	},
}

var signatorySection = &section{
	name: "a signatory",
	doc:  "Who signed for a party.",
	fields: []field{
		{key: "party", typ: partyType, required: true, doc: "For which party."},
		{key: "name", typ: textType, required: true, example: "A. Provider", doc: "Who."},
		{key: "role", typ: textType, example: "Head of Hosting", doc: "As what."},
		{key: "on", typ: fullDateType, example: `"2026-09-18"`, doc: "On which day."},
	},
}

var partiesSection = &section{
	name: "parties",
	doc:  "The sides of the agreement.",
	fields: []field{
		{key: "provider", typ: mapping(providerSection), required: true, example: "{name: Example Hosting}", doc: "Who provides the services."},
		{key: "customers", typ: textList(`["*"]`), def: `["*"]`, example: "[Acme]", doc: "Who they are provided to. `\"*\"` is every customer, each measured by itself."},
	},
}

var providerSection = &section{
	name: "the provider",
	doc:  "Who provides the services.",
	fields: []field{
		{key: "name", typ: textType, required: true, example: "Example Hosting", doc: "The name of the company or team."},
		{key: "serviceOwner", typ: textType, example: "storage-team", doc: "Who answers for the services."},
		{key: "contact", typ: textType, example: "sla@host.example", doc: "How to reach them."},
	},
}

var scopeSection = &section{
	name: "scope",
	doc:  "What the agreement's figures are about.",
	fields: []field{
		{key: "per", typ: textList("[account, region]"), required: true, doc: "Each of these has figures of its own. For people: `groupBy` of a level makes the figures."},
	},
}

var costOptionSection = &section{
	name: "a cost option",
	doc:  "A grade of service and its price. `explain` says what its target share allows.",
	fields: []field{
		{key: "name", typ: textType, required: true, example: "gold", doc: "Its name, such as bronze, silver or gold."},
		{key: "description", typ: textType, doc: "A sentence for people."},
		{key: "target", typ: percentType, required: true, example: `"99.95"`, doc: "The target share, in per cent."},
		{key: "price", typ: decimalType, example: `"4000"`, doc: "What it costs."},
		{key: "currency", typ: currencyType, example: "EUR", doc: "The currency of the price. It goes with `price`."},
		{key: "per", typ: oneOf(unitNames...), def: "month", doc: "For how long the price is."},
		{key: "chosen", typ: booleanType, def: "false", doc: "`true`: the option that was agreed. At most one is."},
	},
}

// decodeRevision reads what metadata says about the revision.
func decodeRevision(o *object, a *sla.Agreement) {
	t := &a.Terms
	t.Revision, _, _ = read(o, "revision", whole(1, maxRevision))
	t.EffectiveFrom, _, _ = read(o, "effectiveFrom", parseFullDate)
	supersedes, at, ok := read(o, "supersedes", parseEdition)
	if t.Supersedes = supersedes; ok {
		name, revision, _ := strings.Cut(supersedes, "@")
		if n, _ := strconv.Atoi(revision); name == a.Name && t.Revision > 0 && n >= t.Revision {
			at.error("bad-revision", fmt.Sprintf("%s is not before this revision, which is %d", at.quoted(), t.Revision), "name an earlier revision")
		}
	}
	review, at, ok := read(o, "reviewOn", parseFullDate)
	if t.ReviewOn = review; ok && !t.EffectiveFrom.IsZero() && review.DaysSince(t.EffectiveFrom) <= 0 {
		at.error("bad-date", at.quoted()+" is not after effectiveFrom "+quote(t.EffectiveFrom.String()), "write a later day")
	}
	if v, given := o.get("approval"); given {
		t.Approval = decodeApproval(v)
	}
}

func decodeApproval(v value) *sla.Approval {
	o := v.object(approvalSection)
	if o == nil {
		return nil
	}
	a := &sla.Approval{}
	if at, given := o.get("meeting"); given {
		if m := at.object(meetingSection); m != nil {
			a.Held, _, _ = read(m, "held", parseFullDate)
			a.Chair, _, _ = read(m, "chair", value.text)
			a.Minutes, _, _ = read(m, "minutes", value.text)
		}
	}
	items, _, _ := read(o, "signatories", limitedList(maxSignatories))
	for _, item := range items {
		item.name = "a signatory"
		if s := item.object(signatorySection); s != nil {
			var by sla.Signatory
			by.Party, _, _ = read(s, "party", word(sla.Parties...))
			by.Name, _, _ = read(s, "name", value.text)
			by.Role, _, _ = read(s, "role", value.text)
			by.On, _, _ = read(s, "on", parseFullDate)
			a.Signatories = append(a.Signatories, by)
		}
	}
	return a
}

// decodeTerms reads what spec says besides levels and what they share.
func decodeTerms(o *object, t *sla.Terms) {
	t.SplitPeriods, _, _ = read(o, "splitPeriods", value.boolean)
	t.Structure, _, _ = read(o, "structure", word(sla.Structures()...))
	if at, given := o.get("parties"); given {
		decodeParties(at, t)
	}
	if at, given := o.get("scope"); given {
		if s := at.object(scopeSection); s != nil {
			t.ScopePer, _, _ = read(s, "per", limitedTexts(maxScopes))
		}
	}
	t.NotIncluded, _, _ = read(o, "notIncluded", limitedTexts(maxNotIncluded))
	t.CostOptions, _, _ = read(o, "costOptions", parseCostOptions)
}

func decodeParties(v value, t *sla.Terms) {
	o := v.object(partiesSection)
	if o == nil {
		return
	}
	t.Customers = []string{sla.AllCustomers}
	if customers, at, ok := read(o, "customers", limitedTexts(maxCustomers)); ok {
		t.Customers = customers
		for _, c := range customers {
			if c == sla.AllCustomers && len(customers) > 1 {
				at.error("bad-value", `"*" is every customer, and others are named beside it`, `write ["*"], or the names alone`)
			}
		}
	}
	if at, given := o.get("provider"); given {
		if p := at.object(providerSection); p != nil {
			t.Provider.Name, _, _ = read(p, "name", value.text)
			t.Provider.ServiceOwner, _, _ = read(p, "serviceOwner", value.text)
			t.Provider.Contact, _, _ = read(p, "contact", value.text)
		}
	}
}

func parseCostOptions(v value) ([]sla.CostOption, bool) {
	items, ok := limitedList(maxCostOptions)(v)
	var options []sla.CostOption
	chosen := false
	for _, item := range items {
		item.name = "a cost option"
		o := item.object(costOptionSection)
		if o == nil {
			continue
		}
		c := sla.CostOption{Per: sla.Month}
		c.Name, _, _ = read(o, "name", value.text)
		c.Description, _, _ = read(o, "description", value.text)
		c.Target, _, _ = read(o, "target", value.percent)
		price, at, priced := read(o, "price", value.decimal)
		if c.Price = price; priced && price.Sign() < 0 {
			at.error("bad-value", at.quoted()+" is below 0", "write what it costs")
		}
		currency, _, _ := read(o, "currency", parseCurrency)
		c.Currency = currency.Code
		if given := o.given("price", "currency"); len(given) == 1 {
			o.missing("a price needs a currency, and a currency a price", "write price and currency, or neither")
		}
		setIfGiven(&c.Per, optional(o, "per", word(sla.Units...)))
		yes, at, _ := read(o, "chosen", value.boolean)
		if c.Chosen = yes; yes && chosen {
			at.error("bad-value", "two options are chosen", "choose one of them")
		}
		chosen = chosen || yes
		options = append(options, c)
	}
	return options, ok
}

// parseFullDate parses a date with its year.
func parseFullDate(v value) (sla.Date, bool) {
	const remedy = `write it like "2026-12-24"`
	d, ok := parseDateOf(v, remedy)
	if ok && d.Year == 0 {
		v.error("bad-date", v.quoted()+" has no year", remedy)
		return sla.Date{}, false
	}
	return d, ok
}

// parseEdition parses the name of a revision: "shop@2".
func parseEdition(v value) (string, bool) {
	text, ok := v.text()
	if ok && !editionRegexp.MatchString(text) {
		v.error("bad-revision", v.quoted()+" names no revision", "write the agreement's name, @ and the number of the revision: shop@2")
		return "", false
	}
	return text, ok
}

func parseParent(v value) (string, bool) {
	text, ok := v.text()
	if ok && !parentRegexp.MatchString(text) {
		v.error("no-such-parent", v.quoted()+" names no agreement", "write the other agreement's name, or its name, @ and the number of its revision: corporate@2")
		return "", false
	}
	return text, ok
}

// limitedList parses a list of at most so many items.
func limitedList(most int) func(value) ([]value, bool) {
	return func(v value) ([]value, bool) {
		items, ok := v.list()
		if !v.within(len(items), most) {
			return nil, false
		}
		return items, ok
	}
}

// limitedTexts parses a list of at most so many texts, none of them twice.
func limitedTexts(most int) func(value) ([]string, bool) {
	return func(v value) ([]string, bool) {
		items, ok := v.uniqueTexts()
		return textsOf(items), v.within(len(items), most) && ok
	}
}

// within reports a list that is too long.
func (v value) within(items, most int) bool {
	if items > most {
		v.error("too-many", fmt.Sprintf("%s has %d items, more than %d", v.name, items, most), "leave some out")
	}
	return items <= most
}
