package playlist

import "strings"

const (
	variableOpen  = "{$"
	variableClose = '}'
)

// variables are the values that a playlist's EXT-X-DEFINE tags give to names
// (rfc8216bis §4.4.2.3). Those of IMPORT and QUERYPARAM come from outside the
// playlist: they are not known here, and what refers to them stays unresolved.
type variables struct {
	values map[string]string
	budget int // bytes that resolved text may still take, over the whole playlist
}

func newVariables() *variables {
	return &variables{values: make(map[string]string), budget: MaxBytes}
}

// define reads the attribute list of an EXT-X-DEFINE. The first definition of
// a name counts (a second one is an error that players refuse). VALUE, being a quoted
// string, may itself refer to names defined above (rfc8216bis §4.3).
func (v *variables) define(list string) {
	name, _ := attributeValue(list, "NAME")
	value, ok := attributeValue(list, "VALUE")
	if !ok || !isVariableName(name) {
		return
	}
	if _, known := v.values[name]; known {
		return
	}
	if value, unresolved := v.resolve(value); !unresolved {
		v.values[name] = value
	}
}

// resolve replaces the variable references in text, once: values are not
// searched again. Text that refers to a name without a value, or that would
// exceed the budget, is unresolved and comes back as it was.
func (v *variables) resolve(text string) (resolved string, unresolved bool) {
	var b []byte
	done := 0
	for at := 0; ; {
		i := strings.Index(text[at:], variableOpen)
		if i < 0 {
			break
		}
		open := at + i
		name := variableName(text[open+len(variableOpen):])
		at = open + len(variableOpen) + len(name)
		if name == "" || at == len(text) || text[at] != variableClose {
			continue // no reference: these characters themselves
		}
		at++
		value, ok := v.values[name]
		if v.budget -= open - done + len(value); !ok || v.budget < 0 {
			return text, true
		}
		b = append(append(b, text[done:open]...), value...)
		done = at
	}
	if done == 0 {
		return text, false
	}
	if v.budget -= len(text) - done; v.budget < 0 {
		return text, true
	}
	return string(append(b, text[done:]...)), false
}

// variableName is the longest start of text that may be a variable's name.
func variableName(text string) string {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return text[:i]
		}
	}
	return text
}

func isVariableName(text string) bool { return text != "" && variableName(text) == text }
