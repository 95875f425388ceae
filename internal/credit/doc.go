// Package credit calculates what a missed promise costs, in exact decimals: from what
// became of each level in a period to what is owed in money, until when it must be
// claimed, and how it came about in words.
package credit
