// Package credit calculates what a missed promise costs, in exact decimals.
package credit
