package sla

import "slices"

// ApprovalRule says which parties must approve.
type ApprovalRule string

// The rules.
const (
	BothApprove     ApprovalRule = "both"
	ProviderAlone   ApprovalRule = "provider"
	CustomerAlone   ApprovalRule = "customer"
	DefaultApproval              = BothApprove // of everything that the agreement says nothing about
)

// approvalRules is the table of all rules and the parties that they name.
var approvalRules = []struct {
	name    ApprovalRule
	parties []Party
	words   string
}{
	{BothApprove, []Party{ByProvider, ByCustomer}, "both parties must approve"},
	{ProviderAlone, []Party{ByProvider}, "the provider decides"},
	{CustomerAlone, []Party{ByCustomer}, "the customer decides"},
}

// ApprovalRules are all rules.
func ApprovalRules() []ApprovalRule {
	all := make([]ApprovalRule, len(approvalRules))
	for i, r := range approvalRules {
		all[i] = r.name
	}
	return all
}

// Doc says who must approve, for the reference.
func (r ApprovalRule) Doc() string {
	for _, of := range approvalRules {
		if of.name == r {
			return of.words
		}
	}
	return ""
}

// Lacking returns the parties that must approve and did not.
func (r ApprovalRule) Lacking(approvals []PartyApproval) []Party {
	var lacking []Party
	for _, of := range approvalRules {
		for _, p := range of.parties {
			if of.name == r && !slices.ContainsFunc(approvals, func(a PartyApproval) bool { return a.Party == p }) {
				lacking = append(lacking, p)
			}
		}
	}
	return lacking
}

// Claim says how an exclusion is claimed that has neither windows nor a condition:
// adjustments name its time.
type Claim struct {
	Approval  ApprovalRule
	Evidence  bool // each claim must have some
	DisputeBy int  // how many days after it was filed a claim can be disputed; 0: always
}
