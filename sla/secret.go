package sla

// Secret is a text that must not be shown: the content of a file, which is read when it
// is needed, or a given text. Printed or marshalled it is a placeholder.
type Secret struct {
	File string
	// Within are the directories that the file must be in, as a list of paths; "": it
	// may be anywhere.
	Within string
	text   string
}

// hidden is the placeholder.
const hidden = "<secret>"

// SecretText is a secret that was given as text.
func SecretText(text string) Secret { return Secret{text: text} }

// Text is the secret if it was given as text, and "" if it is in a file.
func (s Secret) Text() string { return s.text }

// String is a placeholder.
func (Secret) String() string { return hidden }

// GoString is a placeholder.
func (Secret) GoString() string { return hidden }

// MarshalText is a placeholder.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
