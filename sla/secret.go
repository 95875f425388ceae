package sla

// Secret is a text that nothing may show: that of a file, which is read when it
// is needed, or a text that was given. As text and as JSON it is a placeholder.
type Secret struct {
	File string
	// Within are folders that the file has to be in, with the separator of lists of
	// paths between them; "": it may be anywhere.
	Within string
	text   string
}

// hidden is what a Secret is shown as.
const hidden = "<secret>"

// SecretText is a secret that was given.
func SecretText(text string) Secret { return Secret{text: text} }

// Text is the secret if it was given rather than in a file.
func (s Secret) Text() string { return s.text }

// String is a placeholder.
func (Secret) String() string { return hidden }

// GoString is a placeholder.
func (Secret) GoString() string { return hidden }

// MarshalText is a placeholder.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
