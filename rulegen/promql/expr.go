// Package promql makes PromQL expressions as typed nodes and proves what they
// print. It is the only importer of the PromQL parser in the project.
package promql

import "github.com/prometheus/prometheus/promql/parser"

// Expr is a PromQL expression. Only this package makes one.
type Expr struct{ node parser.Expr }
