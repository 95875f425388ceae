package emit

import (
	"regexp"
	"strings"

	"github.com/upheld-sla/upheld/rulegen"
)

var fromAgreements = regexp.MustCompile(regexp.QuoteMeta(rulegen.Marker) + ` from (?:the )?agreements? ([^\s,.]+(?:, [^\s,.]+)*)\.`)

// AgreementsOf are the agreements that a generated file, of which this is the
// beginning, says it is from. A file of the rules of several names them elsewhere and has none.
func AgreementsOf(beginning []byte) []string {
	m := fromAgreements.FindSubmatch(beginning)
	if m == nil {
		return nil
	}
	return strings.Split(string(m[1]), ", ")
}
