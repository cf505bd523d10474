package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
	"github.com/convoke-dev/convoke/web"
)

const (
	askVersion = `query Version { serverInfo { version } }`
	askViewer  = `query Viewer { viewer { user { email } } }`
)

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// manifest writes a manifest, which is any JSON, and returns the path of its file.
func manifest(t *testing.T, content any) string {
	t.Helper()
	text, ok := content.(string)
	if !ok {
		encoded, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	path := filepath.Join(t.TempDir(), "documents.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// body is the JSON of a request, of fields in pairs.
func body(t *testing.T, pairs ...any) string {
	t.Helper()
	fields := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i].(string)] = pairs[i+1]
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// hashed is the extensions of a request with the hash of a document.
func hashed(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
}

// apolloManifest is a manifest as Apollo's tool writes it.
func apolloManifest(id, text string) map[string]any {
	return map[string]any{
		"format": "apollo-persisted-query-manifest", "version": 1,
		"operations": []any{map[string]any{"id": id, "name": "Viewer", "type": "query", "body": text}},
	}
}

// overSocket sends one operation over a WebSocket and returns the first message about it.
func overSocket(t *testing.T, w *testkit.World, bearer, payload string) string {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = res.Body.Close(), conn.Close() }()
	init := `{"type":"connection_init"}`
	if bearer != "" {
		init = `{"type":"connection_init","payload":{"authorization":"Bearer ` + bearer + `"}}`
	}
	for _, m := range []string{init, `{"type":"subscribe","id":"1","payload":` + payload + `}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	for {
		_, m, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m), `"id":"1"`) {
			return string(m)
		}
	}
}

const md5 = "5d41402abc4b2a76b9719d911017c592" // relay-compiler's hash

func TestDocumentsOfManifests(t *testing.T) {
	t.Parallel()
	files := []string{
		manifest(t, map[string]string{md5: askVersion, "sha256:" + sha256Of(watch): watch}),
		manifest(t, apolloManifest("3c1f", askViewer)),
	}
	only := false
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.Documents, c.DocumentsOnly = files, only })
	owner := w.SignUp("olivia@acme.test")
	from := eventCursor(owner)
	owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
	t.Run("FE-3 other documents are executed", func(*testing.T) {
		owner.Do(whoAmI, nil).OK()
	})
	only = true
	w = w.Restart()

	for name, request := range map[string][]any{
		"documentId":                    {"documentId", md5},
		"id":                            {"id", md5, "query", nil},
		"doc_id":                        {"doc_id", md5},
		"extensions":                    {"extensions", hashed(md5)},
		"extensions and an empty query": {"query", "", "extensions", hashed(md5)},
		"text":                          {"query", askVersion},
		"text and hash":                 {"query", askVersion, "extensions", hashed(sha256Of(askVersion))},
		"text and id":                   {"query", askVersion, "extensions", hashed(md5)},
	} {
		t.Run("FE-3 named by "+name, func(t *testing.T) {
			t.Parallel()
			got := post(t, w, body(t, request...))
			if got.status != http.StatusOK || !strings.Contains(got.body, `{"data":{"serverInfo":`) {
				t.Errorf("got %d %s, want the version", got.status, got.body)
			}
			if m := overSocket(t, w, "", body(t, request...)); !strings.Contains(m, `"payload":{"data":{"serverInfo":`) {
				t.Errorf("got %s, want the version", m)
			}
		})
	}
	t.Run("FE-3 named in a URL", func(t *testing.T) {
		t.Parallel()
		for _, parameters := range [][]string{{"documentId", md5}, {"extensions", `{"persistedQuery":{"version":1,"sha256Hash":"` + md5 + `"}}`}} {
			if got := get(t, w, parameters); !strings.Contains(got.body, `{"data":{"serverInfo":`) {
				t.Errorf("got %d %s, want the version", got.status, got.body)
			}
		}
	})
	t.Run("FE-3 of Apollo's manifest", func(t *testing.T) {
		t.Parallel()
		got := post(t, w, body(t, "extensions", hashed("3c1f")), "Authorization", "Bearer "+owner.Session)
		if !strings.Contains(got.body, owner.Email) {
			t.Errorf("got %s, want the viewer", got.body)
		}
	})
	for name, named := range map[string][]any{
		"documentId": {"documentId", "sha256:" + sha256Of(watch)}, "a bare hash": {"documentId", sha256Of(watch)},
		"extensions": {"extensions", hashed(sha256Of(watch))}, "a prefix in extensions": {"extensions", hashed("sha256:" + sha256Of(watch))},
	} {
		t.Run("FE-3 a subscription named by "+name, func(t *testing.T) {
			t.Parallel()
			request := body(t, append(named, "variables", map[string]any{"team": owner.TeamID, "after": from})...)
			if m := overSocket(t, w, owner.Session, request); !strings.Contains(m, "ann@x.org") {
				t.Errorf("got %s, want the change", m)
			}
		})
	}
	for name, request := range map[string][]any{
		"another text": {"query", whoAmI}, "almost the text": {"query", askVersion + " "}, "another text with its hash": {"query", whoAmI, "extensions", hashed(sha256Of(whoAmI))},
		"another text with a listed id": {"query", whoAmI, "extensions", hashed(md5)}, "an unknown id": {"documentId", "nothing"}, "an unknown hash": {"extensions", hashed(sha256Of(whoAmI))},
	} {
		t.Run("FE-3 nothing else: "+name, func(t *testing.T) {
			t.Parallel()
			const code = `"code":"PERSISTED_QUERY_NOT_IN_LIST"`
			for accept, status := range map[string]int{"": 200, ofURQL: 400, asEvents: 200} {
				if got := post(t, w, body(t, request...), "Accept", accept); got.status != status || !strings.Contains(got.body, code) || strings.Contains(got.body, `"data"`) {
					t.Errorf("%s: got %d %s, want %d %s", accept, got.status, got.body, status, code)
				}
			}
			if m := overSocket(t, w, owner.Session, body(t, request...)); !strings.Contains(m, `"type":"error"`) || !strings.Contains(m, code) {
				t.Errorf("got %s, want %s", m, code)
			}
		})
	}
	t.Run("FE-3 the documents of our own pages are executed", func(t *testing.T) {
		t.Parallel()
		pages, err := web.Files()
		if err != nil {
			t.Fatal(err)
		}
		text, err := fs.ReadFile(pages, "documents.json")
		if err != nil {
			t.Fatal(err)
		}
		var documents map[string]string
		if err := json.Unmarshal(text, &documents); err != nil {
			t.Fatal(err)
		}
		scripts := ""
		names, err := fs.Glob(pages, "assets/*.js")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			script, err := fs.ReadFile(pages, name)
			if err != nil {
				t.Fatal(err)
			}
			scripts += string(script)
		}
		for id, document := range documents {
			if !strings.Contains(scripts, document) {
				t.Errorf("no page sends %s", id)
			}
			if got := post(t, w, body(t, "query", document)); strings.Contains(got.body, "PERSISTED_QUERY") {
				t.Errorf("%s: got %s", id, got.body)
			}
		}
		if len(documents) < 11 {
			t.Errorf("%d documents, want those of all pages", len(documents))
		}
	})
}

func TestDocumentsThatAreSentWithTheirHash(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	byHash := func(document string) string { return body(t, "extensions", hashed(sha256Of(document))) }
	both := func(document, hash string) string { return body(t, "query", document, "extensions", hashed(hash)) }
	t.Run("FE-3 a hash alone is asked for its document, and known from then on", func(t *testing.T) {
		t.Parallel()
		for accept, status := range map[string]int{"": 200, ofURQL: 400} {
			got := post(t, w, byHash(askVersion), "Accept", accept)
			// Clients compare the whole message.
			if got.status != status || got.body != `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}` {
				t.Errorf("got %d %s", got.status, got.body)
			}
		}
		if m := overSocket(t, w, "", byHash(askVersion)); !strings.Contains(m, `"type":"error"`) || !strings.Contains(m, "PERSISTED_QUERY_NOT_FOUND") {
			t.Errorf("got %s, want the code", m)
		}
		for _, request := range []string{both(askVersion, sha256Of(askVersion)), byHash(askVersion), body(t, "documentId", "sha256:"+sha256Of(askVersion))} {
			if got := post(t, w, request); !strings.Contains(got.body, `{"data":{"serverInfo":`) {
				t.Errorf("got %d %s, want the version", got.status, got.body)
			}
		}
		if m := overSocket(t, w, "", byHash(askVersion)); !strings.Contains(m, `"payload":{"data":{"serverInfo":`) {
			t.Errorf("got %s, want the version", m)
		}
	})
	t.Run("FE-3 a hash of something else is refused", func(t *testing.T) {
		t.Parallel()
		got := post(t, w, both(askViewer, sha256Of(whoAmI)))
		if !strings.Contains(got.body, "BAD_USER_INPUT") || !strings.Contains(got.body, "is not the SHA-256 of the query") {
			t.Errorf("got %s, want a refusal", got.body)
		}
		for _, document := range []string{whoAmI, askViewer} {
			if got := post(t, w, byHash(document)); !strings.Contains(got.body, "PERSISTED_QUERY_NOT_FOUND") {
				t.Errorf("got %s, want nothing to be kept", got.body)
			}
		}
	})
	t.Run("FE-3 a document that is not valid is not kept", func(t *testing.T) {
		t.Parallel()
		for _, document := range []string{`{ veiwer { id } }`, `{ veiwer`} {
			if got := post(t, w, both(document, sha256Of(document))); !strings.Contains(got.body, "GRAPHQL_") {
				t.Errorf("got %s, want what is wrong", got.body)
			}
			if got := post(t, w, byHash(document)); !strings.Contains(got.body, "PERSISTED_QUERY_NOT_FOUND") {
				t.Errorf("got %s, want nothing to be kept", got.body)
			}
		}
	})
	for name, extension := range map[string]any{"a text": "hunter2", "no hash": map[string]any{"version": 1}, "a number": map[string]any{"sha256Hash": 1}, "a list": []any{}, "HARD-13 a prefix": map[string]any{"sha256Hash": "sha256:"}} {
		t.Run("FE-3 malformed: "+name, func(t *testing.T) {
			t.Parallel()
			got := post(t, w, body(t, "query", askVersion, "extensions", map[string]any{"persistedQuery": extension}))
			if !strings.Contains(got.body, "extensions.persistedQuery must be an object with a sha256Hash") || strings.Contains(got.body, "hunter2") {
				t.Errorf("got %s, want a refusal", got.body)
			}
		})
	}
	t.Run("FE-3 an id cannot put another document under a hash", func(t *testing.T) {
		t.Parallel()
		const evil, victim = `query Evil { serverInfo { graphiql } }`, `query Victim { serverInfo { version } }`
		if got := post(t, w, both(evil, sha256Of(evil))); !strings.Contains(got.body, `"graphiql"`) {
			t.Fatalf("got %s, want the document to be kept", got.body)
		}
		mixed := body(t, "documentId", sha256Of(evil), "extensions", hashed(sha256Of(victim)))
		if got := post(t, w, mixed); !strings.Contains(got.body, "BAD_USER_INPUT") || !strings.Contains(got.body, "name different documents") {
			t.Errorf("got %s, want a refusal", got.body)
		}
		if m := overSocket(t, w, "", mixed); !strings.Contains(m, "BAD_USER_INPUT") {
			t.Errorf("on a socket: got %s, want a refusal", m)
		}
		if got := post(t, w, byHash(victim)); !strings.Contains(got.body, "PERSISTED_QUERY_NOT_FOUND") {
			t.Errorf("got %s, want nothing to be kept", got.body)
		}
	})
	t.Run("FE-3 an id that is no string", func(t *testing.T) {
		t.Parallel()
		got := post(t, w, body(t, "documentId", 7))
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, "documentId must be a string") {
			t.Errorf("got %d %s, want a refusal", got.status, got.body)
		}
	})
}

func TestManifestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content any
		want    []string
	}{
		"no JSON":             {"{", []string{"it must be a JSON object of ids and texts"}},
		"a list":              {[]string{askVersion}, []string{"it must be a JSON object of ids and texts"}},
		"another manifest":    {map[string]any{"format": "other", "version": 1}, []string{"it must be a JSON object of ids and texts"}},
		"no id":               {map[string]string{"": askVersion}, []string{"a document has no id"}},
		"Apollo's without id": {apolloManifest("", askVersion), []string{"a document has no id"}},
		"no operation":        {map[string]string{"a1": "fragment f on User { id }"}, []string{"document a1: it has no operation"}},
		"not valid": {
			map[string]string{"a1": "query A { veiwer { id } }", "b2": "{ viewer", "c3": askVersion},
			[]string{`document a1: Cannot query field "veiwer" on type "Query"`, "(line 1, column 11)", "document b2: Expected Name, found <EOF> (line 1, column 9)"},
		},
		"too deep":      {map[string]string{"a1": "{ viewer { activeTeam " + strings.Repeat("{ account { teams { nodes ", 5) + "{ id }" + strings.Repeat(" } } }", 5) + " } }"}, []string{"document a1: The operation is 18 levels deep, at most 15"}},
		"introspection": {map[string]string{"a1": "{ __schema { types { name } } }"}, []string{"document a1: Introspection is off here"}},
		"two of one id": {map[string]string{"taken": askViewer}, []string{"document taken: there is another document with this id"}},
		// HARD-13
		"nothing but a prefix": {map[string]string{"sha256:": askVersion}, []string{"a document has no id"}},
		"two of one id, one with a prefix": {
			map[string]string{"a1": askVersion, "sha256:a1": askViewer}, []string{"document a1: there is another document with this id"},
		},
		"two of one id in Apollo's": {
			map[string]any{"format": "apollo-persisted-query-manifest", "operations": []any{map[string]any{"id": "a1", "body": askVersion}, map[string]any{"id": "a1", "body": askViewer}}},
			[]string{"document a1: there is another document with this id"},
		},
	} {
		t.Run("FE-3 "+name, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Settings(t, t.TempDir()+"/convoke.db")
			file := manifest(t, c.content)
			cfg.Documents = []string{manifest(t, map[string]string{"taken": askVersion}), file}
			s, err := server.New(t.Context(), cfg)
			if err == nil {
				t.Fatal("the server was built", s.Close())
			}
			for _, want := range append(c.want, "documents of "+file) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
	for name, change := range map[string]func(*server.Config){
		"no such file":              func(c *server.Config) { c.Documents = []string{"/nowhere.json"} },
		"only documents, but which": func(c *server.Config) { c.DocumentsOnly = true },
	} {
		t.Run("FE-3 "+name, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Settings(t, t.TempDir()+"/convoke.db")
			change(&cfg)
			s, err := server.New(t.Context(), cfg)
			if err == nil {
				t.Fatal("the server was built", s.Close())
			}
			if !strings.Contains(err.Error(), "documents") {
				t.Errorf("got %q, want what is wrong", err)
			}
		})
	}
}
