package promql

import "github.com/upheld-sla/upheld/internal/querysize"

// readable is what a query in a specification may have. Rules repeat it several
// times; queries that people write have a hundredth of this.
var readable = querysize.Limits{Bytes: 10_000, Operators: 200, Nesting: 50}
