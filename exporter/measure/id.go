package measure

import (
	"fmt"
	"strconv"
)

// ID identifies one probe in exemplars and in the history; 0 is none.
type ID uint64

// String is the ID as exemplars and the history page show it.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// ParseID reads an ID as String writes it.
func ParseID(text string) (ID, bool) {
	id, err := strconv.ParseUint(text, 16, 64)
	return ID(id), err == nil && len(text) == 16 && id != 0
}
