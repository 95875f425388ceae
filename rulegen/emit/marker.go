package emit

import (
	"regexp"
	"strings"

	"github.com/upheld-sla/upheld/rulegen"
)

var fromAgreements = regexp.MustCompile(regexp.QuoteMeta(rulegen.Marker) + ` from (?:the )?agreements? ([^\s,.]+(?:, [^\s,.]+)*)\.`)

// AgreementsOf are the agreements that a generated file says it is from, given its beginning. A
// file with the rules of several agreements names them elsewhere, and has none here.
func AgreementsOf(beginning []byte) []string {
	m := fromAgreements.FindSubmatch(beginning)
	if m == nil {
		return nil
	}
	return strings.Split(string(m[1]), ", ")
}
