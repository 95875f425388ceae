package sla

import (
	"strconv"
	"time"
)

// Terms is what an agreement says besides its levels: which revision it is, who agreed
// on it, and what each party owes.
type Terms struct {
	Revision      int    // 1 and up; 0 if none is given
	EffectiveFrom Date   // the first day, in the agreement's zone; the zero Date is always
	Supersedes    string // the revision before: "shop@2"
	ReviewOn      Date   // when it is to be reviewed; the zero Date is never
	Approval      *Approval
	SplitPeriods  bool // a period in which the revision changes is judged in parts
	Structure     Structure
	Provider      Provider
	Customers     []string // AllCustomers, or names
	ScopePer      []string // for what each customer has separate figures: account, region
	NotIncluded   []string // in words
	CostOptions   []CostOption
	Obligations   []*Obligation // the customer's first
}

// AllCustomers stands for every customer, each measured by itself.
const AllCustomers = "*"

// Party is a side of an agreement.
type Party string

// The parties.
const (
	ByProvider Party = "provider"
	ByCustomer Party = "customer"
)

// Parties are both sides.
var Parties = []Party{ByProvider, ByCustomer}

// Structure says how agreements are divided among customers and services.
type Structure string

// The structures, as ITIL names them.
const (
	CustomerBased Structure = "customer-based"
	ServiceBased  Structure = "service-based"
	MultiLevel    Structure = "multi-level"
)

// structures is the table of all structures and what they mean.
var structures = []struct {
	name  Structure
	words string
}{
	{CustomerBased, "one customer and all of its services"},
	{ServiceBased, "one service for all of its customers"},
	{MultiLevel, "agreements of their own for what holds for everybody, for one customer and for one service"},
}

// Structures are all structures.
func Structures() []Structure {
	all := make([]Structure, len(structures))
	for i, s := range structures {
		all[i] = s.name
	}
	return all
}

// Doc says what the structure means, for the reference.
func (s Structure) Doc() string {
	for _, of := range structures {
		if of.name == s {
			return of.words
		}
	}
	return ""
}

// Approval is the service level meeting that agreed on a revision, and who signed it.
type Approval struct {
	Held        Date
	Chair       string
	Minutes     string // where they are: a file or URL
	Signatories []Signatory
}

// Signatory is who signed, for which party.
type Signatory struct {
	Party Party
	Name  string
	Role  string
	On    Date // the zero Date: not said
}

// Signed returns whether somebody signed for each party.
func (a *Approval) Signed() bool {
	if a == nil {
		return false
	}
	signed := map[Party]bool{}
	for _, s := range a.Signatories {
		signed[s.Party] = true
	}
	return signed[ByProvider] && signed[ByCustomer]
}

// Provider is who provides the services.
type Provider struct {
	Name         string
	ServiceOwner string
	Contact      string
}

// CostOption is a grade of service with its price.
type CostOption struct {
	Name        string
	Description string
	Target      Decimal // percent
	Price       Decimal
	Currency    string // ISO 4217: "EUR"
	Per         Unit   // what the price is for
	Chosen      bool   // the one that was agreed
}

// Budget is the time that the option's target allows to be bad in a period.
func (o CostOption) Budget(period time.Duration) time.Duration {
	return budgetOf(o.Target).Mul(Seconds(period)).Duration()
}

// Edition names an agreement's revision: "shop@3"; without a revision "shop".
func (a *Agreement) Edition() string {
	if a.Terms.Revision == 0 {
		return a.Name
	}
	return a.Name + "@" + strconv.Itoa(a.Terms.Revision)
}

// IsZero returns whether no date is given.
func (d Date) IsZero() bool { return d == Date{} }

// Start is the first instant of a day of one year in a zone.
func (d Date) Start(zone string) time.Time { return firstInstant(d.midnight(), location(zone)) }

// End is the first instant after a day of one year in a zone.
func (d Date) End(zone string) time.Time { return d.add(1).Start(zone) }

// DaysSince is the number of days from a day to this one, both of one year.
func (d Date) DaysSince(from Date) int {
	return int(d.midnight().Sub(from.midnight()) / day)
}
