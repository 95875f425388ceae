// Package credit calculates what a missed promise costs, in exact decimals: from each
// level's result in a period to the money owed, the date by which it must be claimed,
// and an explanation in words.
package credit
