package graphqlws

import (
	"github.com/99designs/gqlgen/graphql"
)

const (
	// MaxID is the greatest length of an operation's id, in bytes. It is repeated in
	// each message.
	MaxID = 200
	// maxHeld is how many bytes the running operations of one connection may hold
	// together. A subscription holds its document, its variables and its headers for as
	// long as it waits.
	maxHeld = 512 << 10
	// valueWeight is what a value takes beside its text, in bytes.
	valueWeight = 64
)

// heldBy estimates how many bytes an operation holds.
func heldBy(params *graphql.RawParams) int {
	w := len(params.Query) + len(params.OperationName) + weigh(params.Variables) + weigh(params.Extensions)
	for name, values := range params.Headers {
		w += len(name)
		for _, v := range values {
			w += len(v)
		}
	}
	return w
}

// weigh estimates the size of a value that was decoded from JSON. Numbers are texts.
func weigh(value any) int {
	w := valueWeight
	switch v := value.(type) {
	case string:
		w += len(v)
	case []any:
		for _, element := range v {
			w += weigh(element)
		}
	case map[string]any:
		for name, field := range v {
			w += len(name) + weigh(field)
		}
	}
	return w
}
