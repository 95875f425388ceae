// Package report renders verdicts as documents.
package report
