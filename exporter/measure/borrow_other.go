//go:build !unix

package measure

// borrow is memory of the heap: elsewhere the system's is not asked for.
func borrow(size int) (memory []byte, free func()) { return make([]byte, size), func() {} }
