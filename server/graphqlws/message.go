package graphqlws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The types of messages. doc.go says who sends which.
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

// message is a message of a client.
type message struct {
	kind    string
	id      string
	payload json.RawMessage
}

// parse reads a client's message. It returns a CloseError with 4400 that says what is
// wrong. The error does not repeat values of the message, because they may be secret.
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
		if len(m.id) > MaxID {
			return m, invalid(fmt.Sprintf("id has at most %d bytes", MaxID))
		}
		return m, nil
	default:
		return m, CloseError{Code: BadRequest, Reason: fmt.Sprintf("Unexpected message of type %.40q", m.kind)}
	}
}

// params reads the payload of a subscribe message. It fails like parse.
func (m message) params() (*graphql.RawParams, error) {
	fields, ok := object(m.payload)
	if !ok {
		return nil, invalid("payload must be an object")
	}
	p, err := Params(fields)
	if err != nil {
		return nil, invalid(err.Error())
	}
	return p, nil
}

// ReadParams reads an operation from a JSON object, which is the body of a POST. Its
// error says what is wrong and does not repeat values, because they may be secret.
func ReadParams(body []byte) (*graphql.RawParams, error) {
	fields, ok := object(body)
	if !ok {
		return nil, errors.New("it must be a JSON object")
	}
	return Params(fields)
}

// DocumentID is the extension in which Params returns the id of a document that the
// client names instead of sending it. gqlgen has no other place for it.
const DocumentID = "documentId"

// Params reads an operation from the fields of a JSON object. It fails like ReadParams.
// Without a query, documentId (or id or doc_id, as Relay's examples have it) names the
// document, or extensions.persistedQuery does.
func Params(fields map[string]json.RawMessage) (*graphql.RawParams, error) {
	p := &graphql.RawParams{}
	if !absent(fields["query"]) && !text(fields["query"], &p.Query) {
		return nil, errors.New("query must be a string")
	}
	if name := fields["operationName"]; !absent(name) && !text(name, &p.OperationName) {
		return nil, errors.New("operationName must be a string")
	}
	for name, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if absent(fields[name]) {
			continue
		}
		numbers := json.NewDecoder(bytes.NewReader(fields[name]))
		numbers.UseNumber()
		if err := numbers.Decode(into); err != nil || numbers.InputOffset() != int64(len(bytes.TrimRight(fields[name], " \t\r\n"))) {
			return nil, errors.New(name + " must be an object")
		}
	}
	if p.Query != "" {
		return p, nil
	}
	var id string
	for _, name := range []string{DocumentID, "id", "doc_id"} {
		if id == "" && !absent(fields[name]) && !text(fields[name], &id) {
			return nil, errors.New(name + " must be a string")
		}
	}
	switch {
	case id != "":
		if p.Extensions == nil {
			p.Extensions = map[string]any{}
		}
		p.Extensions[DocumentID] = id
	case absent(fields["query"]) && p.Extensions["persistedQuery"] == nil:
		return nil, errors.New("it has neither a query nor the id of a document")
	}
	return p, nil
}

func invalid(why string) error {
	return CloseError{Code: BadRequest, Reason: "Invalid message: " + why}
}

// object returns the fields of a JSON object. Their names keep their case; decoding
// into a struct would ignore it.
func object(text []byte) (fields map[string]json.RawMessage, ok bool) {
	err := json.Unmarshal(text, &fields)
	return fields, err == nil && fields != nil
}

func isObject(value json.RawMessage) bool {
	trimmed := bytes.TrimLeft(value, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

func absent(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// text reads a string into s. It returns false for anything but a string.
func text(value json.RawMessage, s *string) bool {
	return !absent(value) && json.Unmarshal(value, s) == nil
}

// frames are buffers for messages to write. Buffers above keepFrames are not kept.
var frames = sync.Pool{New: func() any { return new([]byte) }}

const keepFrames = 64 << 10

// withFrame lets fill append a message to an empty buffer, and passes it to write.
func withFrame(fill func([]byte) []byte, write func([]byte)) {
	b := frames.Get().(*[]byte)
	*b = fill((*b)[:0])
	write(*b)
	if cap(*b) <= keepFrames {
		frames.Put(b)
	}
}

// appendMessage appends a message to b. The id is JSON already; payload appends the
// payload as JSON.
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

// AppendResponse appends a response to b as JSON. It copies Data, which is JSON already
// and may be shared by many subscribers.
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
	if len(r.Extensions) > 0 {
		field("extensions")
		b = appendJSON(b, r.Extensions)
	}
	return append(b, '}')
}

func appendErrors(b []byte, errs gqlerror.List) []byte { return appendJSON(b, errs) }

// appendJSON appends a value as JSON, or null when it cannot be encoded, which can
// happen only for an extension.
func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}
