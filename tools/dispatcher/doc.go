// Package dispatcher holds internal/routing to Alertmanager's own dispatcher. It is a
// module of its own, because that one brings the clients of every receiver.
package dispatcher
