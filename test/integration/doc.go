// Package integration tests the whole: the two programs as they are
// shipped, between real servers. It builds them, generates everything for a
// specification whose truth the test's own fixtures decide, and runs Prometheus
// (an old and a current one) and Alertmanager with what was generated.
//
// It needs the build tag integration and the programs that `make integration`
// gets ready; every address is on the loopback, every process ends with the test.
package integration
