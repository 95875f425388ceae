package promql

import "github.com/upheld-sla/upheld/internal/querysize"

// readable limits a query in a specification. Rules repeat it several times; typical
// queries are a hundredth of this.
var readable = querysize.Limits{Bytes: 10_000, Operators: 200, Nesting: 50}
