package graphqlws

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	for _, frame := range []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer a"}}`, `{"type":"ping"}`, `{"type":"pong","payload":null}`, `{"type":"subscribe","id":"1","payload":{"query":"{a}"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":null,"variables":{"a":1e400},"extensions":{}}}`, `{"type":"complete","id":"1"}`, `{"type":"complete","id":""}`,
		`{"type":"hunter2"}`, `{"Type":"ping"}`, `{"type":7}`, `null`, `[]`, `{} {}`, `{"type":"ping","payload":[]}`, `{"type":"subscribe","id":"1","payload":{"doc_id":"a","extensions":null}}`,
		`{"type":"subscribe","id":"1","payload":{"query":7,"variables":[],"operationName":{}}}`, "{\"type\":\"\xff\"}", `{"type":"𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀"}`,
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := parse(frame)
		if err == nil && m.kind == typeSubscribe {
			p, bad := m.params()
			if err = bad; bad == nil && p.Query != "" {
				written, err := json.Marshal(map[string]any{"query": p.Query, "operationName": p.OperationName, "variables": p.Variables, "extensions": p.Extensions})
				if err != nil {
					t.Fatal(err)
				}
				if again, err := ReadParams(written); err != nil || !reflect.DeepEqual(again, p) {
					t.Errorf("%q: got %+v, and of %s %+v, %v", frame, p, written, again, err)
				}
			}
		}
		var refused CloseError
		switch {
		case err != nil && (!errors.As(err, &refused) || refused.Code != BadRequest):
			t.Errorf("%q: got %v, want a close error %d", frame, err, BadRequest)
		case err != nil:
			if reason := refused.frame()[2:]; len(reason) > maxReason || !utf8.Valid(reason) {
				t.Errorf("%q: got the reason %q", frame, reason)
			}
		case !json.Valid(frame), m.kind != typeInit && m.kind != typePing && m.kind != typePong && (m.id == "" || len(m.id) > MaxID):
			t.Errorf("%q: got %+v, want it refused", frame, m)
		}
	})
}
