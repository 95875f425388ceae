package emit

import _ "embed"

// TemplateFile is the name of the file of AlertmanagerTemplate, which the complete
// configuration reads from its own folder.
const TemplateFile = "upheld.tmpl"

//go:embed upheld.tmpl
var messages string

// AlertmanagerTemplate defines upheld.title and upheld.text, what receivers say about
// alerts. Annotations cannot say that an alert is over: Alertmanager keeps the ones
// that it was sent last.
func AlertmanagerTemplate() []byte { return []byte(messages) }
