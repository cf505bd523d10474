package graphqlws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Types of messages.
const (
	typeInit      = "connection_init"
	typeAck       = "connection_ack"
	typePing      = "ping"
	typePong      = "pong"
	typeSubscribe = "subscribe"
	typeNext      = "next"
	typeError     = "error"
	typeComplete  = "complete"
)

// message is what a client sent.
type message struct {
	kind    string
	id      string
	payload json.RawMessage
}

// parse reads a client's message by the protocol's rules. What is wrong with it
// is said in the error, without repeating its values.
func parse(frame []byte) (message, error) {
	var m message
	fields, ok := object(frame)
	if !ok {
		return m, invalid("it must be a JSON object")
	}
	if !text(fields["type"], &m.kind) {
		return m, invalid("type must be a string")
	}
	m.payload = fields["payload"]
	switch m.kind {
	case typeInit, typePing, typePong:
		if !absent(m.payload) && !isObject(m.payload) {
			return m, invalid("payload must be an object")
		}
		return m, nil
	case typeSubscribe, typeComplete:
		if !text(fields["id"], &m.id) || m.id == "" {
			return m, invalid("id must be a string that is not empty")
		}
		return m, nil
	default:
		return m, CloseError{Code: BadRequest, Reason: fmt.Sprintf("Unexpected message of type %.40q", m.kind)}
	}
}

// params reads the payload of a subscribe message.
func (m message) params() (*graphql.RawParams, error) {
	fields, ok := object(m.payload)
	if !ok {
		return nil, invalid("payload must be an object")
	}
	p := &graphql.RawParams{}
	if !text(fields["query"], &p.Query) {
		return nil, invalid("query must be a string")
	}
	if name := fields["operationName"]; !absent(name) && !text(name, &p.OperationName) {
		return nil, invalid("operationName must be a string")
	}
	for name, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if absent(fields[name]) {
			continue
		}
		numbers := json.NewDecoder(bytes.NewReader(fields[name]))
		numbers.UseNumber()
		if numbers.Decode(into) != nil {
			return nil, invalid(name + " must be an object")
		}
	}
	return p, nil
}

func invalid(why string) error {
	return CloseError{Code: BadRequest, Reason: "Invalid message: " + why}
}

// object takes an object apart. Its names are compared exactly, which Go's
// decoding into structs does not.
func object(text []byte) (fields map[string]json.RawMessage, ok bool) {
	err := json.Unmarshal(text, &fields)
	return fields, err == nil && fields != nil
}

func isObject(value json.RawMessage) bool {
	trimmed := bytes.TrimLeft(value, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

func absent(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// text reads a string into s; false for anything else.
func text(value json.RawMessage, s *string) bool {
	return !absent(value) && json.Unmarshal(value, s) == nil
}

// frames are buffers for messages that go out. The large ones are not kept.
var frames = sync.Pool{New: func() any { return new([]byte) }}

const keepFrames = 64 << 10

// withFrame hands write the message that fill appends to an empty buffer.
func withFrame(fill func([]byte) []byte, write func([]byte)) {
	b := frames.Get().(*[]byte)
	*b = fill((*b)[:0])
	write(*b)
	if cap(*b) <= keepFrames {
		frames.Put(b)
	}
}

// appendMessage appends a message to b; the id is JSON already, the payload
// appends itself.
func appendMessage(b []byte, kind string, id []byte, payload func([]byte) []byte) []byte {
	b = append(b, '{')
	if id != nil {
		b = append(append(append(b, `"id":`...), id...), ',')
	}
	b = append(append(append(b, `"type":"`...), kind...), '"')
	if payload != nil {
		b = payload(append(b, `,"payload":`...))
	}
	return append(b, '}')
}

// AppendResponse appends a response as JSON to b. Its data, which is JSON
// already, is copied as it is: it may be shared by many subscribers.
func AppendResponse(b []byte, r *graphql.Response) []byte {
	start := len(b)
	b = append(b, '{')
	field := func(name string) {
		if len(b) > start+1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
	}
	if len(r.Errors) > 0 {
		field("errors")
		b = appendErrors(b, r.Errors)
	}
	if r.Data != nil {
		field("data")
		b = append(b, r.Data...)
	}
	for _, f := range []struct {
		name  string
		value any
		set   bool
	}{
		{"label", r.Label, r.Label != ""},
		{"path", r.Path, len(r.Path) > 0},
		{"hasNext", r.HasNext, r.HasNext != nil},
		{"extensions", r.Extensions, len(r.Extensions) > 0},
	} {
		if f.set {
			field(f.name)
			b = appendJSON(b, f.value)
		}
	}
	return append(b, '}')
}

func appendErrors(b []byte, errs gqlerror.List) []byte { return appendJSON(b, errs) }

// appendJSON appends a value; null in the place of one that has no JSON, which
// only an extension could be.
func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}
