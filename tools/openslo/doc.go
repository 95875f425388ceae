// Package openslo compares our reader of OpenSLO, and our export, with OpenSLO's own
// library. It is a module of its own, so that the library is no dependency of ours.
package openslo
