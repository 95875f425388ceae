// Package operators holds objects of Kubernetes to the types that the Prometheus operator
// publishes. It is a module of its own, because these bring much that the product does not need.
package operators
