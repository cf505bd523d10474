package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// textPlace is a place in the schema that takes a text: the argument of a field, or a field
// in its input.
type textPlace struct {
	parent *ast.Definition
	field  *ast.FieldDefinition
	arg    *ast.ArgumentDefinition
	path   []string // in the argument
	scalar string
}

func (p textPlace) String() string {
	return p.parent.Name + "." + p.field.Name + "(" + strings.Join(append([]string{p.arg.Name}, p.path...), ".") + ")"
}

// textPlaces returns every place that takes a text.
func textPlaces() (places []textPlace) {
	schema := graph.Schema()
	var walk func(p textPlace, typ *ast.Type, within []string)
	walk = func(p textPlace, typ *ast.Type, within []string) {
		def := schema.Types[typ.Name()]
		switch {
		case def.Kind == ast.Scalar && def.Name != "Int" && def.Name != "Float" && def.Name != "Boolean":
			p.scalar = def.Name
			places = append(places, p)
		case def.Kind == ast.InputObject && !slices.Contains(within, def.Name):
			for _, f := range def.Fields {
				below := p
				below.path = append(slices.Clone(p.path), f.Name)
				walk(below, f.Type, append(within, def.Name))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		def := schema.Types[name]
		if def.Kind != ast.Object || def.BuiltIn {
			continue
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			for _, arg := range f.Arguments {
				walk(textPlace{parent: def, field: f, arg: arg}, arg.Type, nil)
			}
		}
	}
	return places
}

// textStage knows a good value for each place.
type textStage struct {
	*matrixStage
	nodes map[string]string
}

// plausible returns a good text for a field of the schema.
func (s *textStage) plausible(name, scalar string) string {
	things := map[string]string{
		"accountId": "account", "teamId": "team", "userId": "clerkUser", "actorId": "user", "subjectId": "role", "resourceOwnerId": "clerkUser",
		"memberId": "colleague", "memberIds": "colleague", "roleId": "role", "roleIds": "role", "reassignTo": "role", "groupId": "group",
		"groupIds": "group", "divisionId": "division", "divisionIds": "division", "parentId": "division", "invitationId": "pending",
		"invitationIds": "pending", "transferId": "transfer", "sessionId": "session", "id": "team", "ids": "team",
	}
	switch {
	case things[name] != "":
		return s.things[things[name]]
	case scalar == "DateTime":
		return "2030-01-31T12:00:00Z"
	case scalar == "EmailAddress":
		return "ann@x.org"
	case scalar == "PermissionKey":
		return "team.read"
	case scalar == "EventCursor":
		return s.things["start"]
	case name == "after" || name == "before":
		return s.owner.Ask(`account { divisions(first: 1) { pageInfo { endCursor } } }`).OK().Text("team.account.divisions.pageInfo.endCursor")
	case strings.HasSuffix(strings.ToLower(name), "password"):
		return testkit.Password
	default:
		return "text"
	}
}

// value returns a good value of the type, with the text at the path.
func (s *textStage) value(name string, typ *ast.Type, path []string, text string) any {
	if typ.Elem != nil {
		return []any{s.value(name, typ.Elem, path, text)}
	}
	def := graph.Schema().Types[typ.NamedType]
	switch {
	case def.Name == "InvitationGrantInput" && len(path) == 0:
		return map[string]any{"chosen": map[string]any{"permissions": []any{"team.read"}}}
	case def.Name == "InvitationReference" && text != "" && path[0] == "id":
		return map[string]any{"id": strings.Replace(text, s.things["team"], s.things["received"], 1)}
	case def.Kind == ast.InputObject:
		fields := map[string]any{}
		oneOf := def.Directives.ForName("oneOf") != nil
		for i, f := range def.Fields {
			onPath := len(path) > 0 && path[0] == f.Name
			var below []string
			if onPath {
				below = path[1:]
			}
			if onPath || f.Type.NonNull && f.DefaultValue == nil || oneOf && len(path) == 0 && i == 0 {
				fields[f.Name] = s.value(f.Name, f.Type, below, map[bool]string{true: text}[onPath])
			}
		}
		return fields
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Name == "Int":
		return 1
	case def.Name == "Boolean":
		return true
	case text != "":
		return text
	default:
		return s.plausible(name, def.Name)
	}
}

// document returns an operation that gives the text at the place, with variables or
// without.
func (s *textStage) document(p textPlace, text string, literals bool) (document string, variables map[string]any) {
	schema := graph.Schema()
	variables = map[string]any{}
	var declared, args []string
	for _, arg := range p.field.Arguments {
		if arg.Name != p.arg.Name && (!arg.Type.NonNull || arg.DefaultValue != nil) {
			continue
		}
		var value any
		if arg.Name == p.arg.Name {
			value = s.value(arg.Name, arg.Type, p.path, text)
		} else {
			value = s.value(arg.Name, arg.Type, nil, "")
		}
		if literals {
			args = append(args, arg.Name+": "+literalOf(schema, arg.Type, value))
			continue
		}
		variables[arg.Name] = value
		declared = append(declared, "$"+arg.Name+": "+arg.Type.String())
		args = append(args, arg.Name+": $"+arg.Name)
	}
	asks := p.field.Name + "(" + strings.Join(args, ", ") + ")"
	if kind := schema.Types[p.field.Type.Name()].Kind; kind != ast.Scalar && kind != ast.Enum {
		asks += " { __typename }"
	}
	kind := "query"
	switch {
	case p.parent == schema.Mutation:
		kind = "mutation"
	case p.parent == schema.Subscription:
		kind = "subscription"
	case p.parent == schema.Query:
	case p.parent.Name == "Viewer":
		asks = "viewer { " + asks + " }"
	default:
		asks = fmt.Sprintf("node(id: %q) { ... on %s { %s } }", s.nodes[p.parent.Name], p.parent.Name, asks)
	}
	if len(declared) > 0 {
		kind += "(" + strings.Join(declared, ", ") + ")"
	}
	return kind + " { " + asks + " }", variables
}

// literalOf writes a value as a literal.
func literalOf(schema *ast.Schema, typ *ast.Type, value any) string {
	switch v := value.(type) {
	case []any:
		return "[" + literalOf(schema, typ.Elem, v[0]) + "]"
	case map[string]any:
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fields = append(fields, name+": "+literalOf(schema, schema.Types[typ.Name()].Fields.ForName(name).Type, v[name]))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case string:
		if schema.Types[typ.Name()].Kind == ast.Enum {
			return v
		}
		quoted, _ := json.Marshal(v) // texts can always be encoded
		return string(quoted)
	default:
		return fmt.Sprint(v)
	}
}

// HARD-7: no text, of whatever length and characters, makes the server fail: in no
// argument, as a variable or a literal.
func TestNoTextIsTooMuchForTheDatabase(t *testing.T) {
	t.Parallel()
	places := textPlaces()
	if len(places) < 150 {
		t.Errorf("%d places take a text, want more: are they found?", len(places))
	}
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		s := &textStage{matrixStage: isolationStage(w, owner)}
		s.nodes = isolationNodes(s.matrixStage)
		for _, p := range places {
			t.Run("HARD-7 "+p.String(), func(t *testing.T) {
				name := append([]string{p.arg.Name}, p.path...)[len(p.path)]
				good := s.plausible(name, p.scalar)
				half := len(good) / 2
				for what, text := range map[string]string{
					"200 kB":                   strings.Repeat("x", 200_000),
					"15 kB":                    strings.Repeat("x", 15_000),
					"15 kB of words":           strings.Repeat("x ", 7_500),
					"15 kB after what is good": good + strings.Repeat("x", 15_000),
					"a NUL":                    good[:half] + "\x00" + good[half:],
					"a NUL at the end":         good + "\x00",
					"other controls":           good[:half] + "\x01\u0085\u2028\uFFFF\U0010FFFF" + good[half:],
				} {
					for _, literals := range []bool{false, true} {
						document, variables := s.document(p, text, literals)
						a := ask(owner.Client, p.parent == graph.Schema().Subscription, document, variables)
						if a.Status >= 500 || strings.Contains(a.Raw, `"INTERNAL"`) {
							t.Errorf("%s: got status %d: %.300s", what, a.Status, a.Raw)
						}
						if what == "200 kB" && p.scalar != "DateTime" && (a.Code() != "GRAPHQL_VALIDATION_FAILED" || len(a.Raw) > 2000) {
							t.Errorf("%s: got %.300s, want GRAPHQL_VALIDATION_FAILED", what, a.Raw)
						}
					}
				}
			})
		}
		if log := w.Log.String(); strings.Contains(log, `"request failed"`) || strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("the log has errors")
		}
	})
}

// ask sends the operation, and returns its first answer.
func ask(c *testkit.Client, streams bool, document string, variables map[string]any) *testkit.Answer {
	if !streams {
		return c.Do(document, variables)
	}
	s := c.SubscribeSSE(document, variables)
	defer s.Close()
	return s.Next()
}

// An ID token is the longest text that is of use.
func TestATextHasSixteenKilobytes(t *testing.T) {
	t.Parallel()
	w := surface(t)
	for name, c := range map[string]struct {
		size int
		want string
	}{"HARD-7 at the limit": {16 << 10, ""}, "HARD-7 above it": {16<<10 + 1, "GRAPHQL_VALIDATION_FAILED"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Repeat("x", c.size)
			a := w.Anonymous().Do(`mutation($input: SignInWithIdTokenInput!) { signInWithIdToken(input: $input) { userErrors { code } } }`, testkit.Input("idToken", text))
			equal(t, "as a variable", a.Code(), c.want)
			if c.want != "" {
				equal(t, "variable", fmt.Sprint(a.Errors[0].Extensions["variable"]), "$input")
				equal(t, "path", fmt.Sprint(a.Errors[0].Extensions["inputPath"]), "[idToken]")
			}
			for _, quote := range []string{`"`, `"""`} {
				a = w.Anonymous().Do(`mutation { signInWithIdToken(input: {idToken: `+quote+text+quote+`}) { userErrors { code } } }`, nil)
				equal(t, "as a literal in "+quote, a.Code(), c.want)
			}
			a = w.Anonymous().Do(`mutation($t: String! = "`+text+`") { signInWithIdToken(input: {idToken: $t}) { userErrors { code } } }`, nil)
			equal(t, "as a default", a.Code(), c.want)
		})
	}
}

// Texts outside of GraphQL are bounded and clean, too.
func TestTextsOfRequestsAreBounded(t *testing.T) {
	t.Parallel()
	const secret = "a secret of the mail provider's hook"
	eachWith(t, func(c *server.Config) { c.MailHookSecret = secret }, func(t *testing.T, w *testkit.World) {
		long := strings.Repeat("x", 20_000)
		const bad = "caf\xe9 \xff\xfe\xed\xa0\x80"
		invite := func(body string) page {
			return send(t, http.MethodPost, w.URL+"/hooks/mail", body, "Content-Type", "application/json", "Authorization", "Bearer "+secret)
		}
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("ann@x.org", "billing").OK()
		for name, text := range map[string]string{"long": long, "NUL": `a\u0000b`, "surrogate": `a\ud800b`, "invalid": bad} {
			for _, field := range []string{"messageId", "email", "reason", "type", "secret"} {
				t.Run("HARD-7 the mail hook: "+field+", "+name, func(t *testing.T) {
					for _, rest := range []string{`"type":"bounced","email":"ann@x.org"`, `"type":"bounced","messageId":"<m@x.org>"`} {
						if got := invite(`{` + rest + `,"` + field + `":"` + text + `"}`); got.status >= 500 {
							t.Errorf("got %d: %s", got.status, got.body)
						}
					}
				})
			}
		}
		const signIn = `{"query":"mutation($i: SignInInput!) { signIn(input: $i) { viewer { sessions(first: 100) { nodes { userAgent clientIp } } } userErrors { code } } }",` +
			`"variables":{"i":{"email":"olivia@acme.test","password":"` + testkit.Password + `","transport":"BEARER"}}}`
		for name, text := range map[string]string{"long": long, "not UTF-8": bad} {
			for _, header := range []string{"User-Agent", "X-Request-Id", "X-Forwarded-For", "Last-Event-ID", "X-GraphQL-Event-Stream-Token", "Cookie", "Authorization", "Accept-Language", "Referer"} {
				t.Run("HARD-7 the header "+header+", "+name, func(t *testing.T) {
					value := text
					switch header {
					case "Cookie":
						value = "convoke_session=" + text + "; convoke_sso=" + text
					case "Authorization":
						value = "Bearer " + text
					}
					got := send(t, http.MethodPost, w.URL+"/graphql", signIn, "Content-Type", "application/json", header, value)
					if got.status >= 500 || strings.Contains(got.body, "INTERNAL") || strings.Contains(got.body, strings.Repeat("x", 300)) {
						t.Errorf("got %d: %.500s", got.status, got.body)
					}
				})
			}
		}
		for name, text := range map[string]string{"long": long, "NUL": "a%00b", "surrogate": "%ed%a0%80", "invalid": "%ff%fe"} {
			for _, path := range []string{
				"/sso/callback?state=%s&code=%s", "/sso/callback?error=%s&state=%s", "/graphql?query=%s&operationName=%s", "/graphql?token=%s",
				"/graphql?query={viewer{user{id}}}&variables=%s", "/graphql?documentId=%s", "/%s", "/mailbox.json?x=%s", "/schema.graphql?%s",
			} {
				t.Run("HARD-7 the URL "+path+", "+name, func(t *testing.T) {
					if got := fetch(t, http.MethodGet, w.URL+strings.ReplaceAll(path, "%s", text)); got.status >= 500 || strings.Contains(got.body, "INTERNAL") {
						t.Errorf("got %d: %.500s", got.status, got.body)
					}
				})
			}
		}
		t.Run("HARD-7 a document and variables that are not UTF-8", func(t *testing.T) {
			for _, text := range []string{bad, `\ud800`, `\udc00\ud800`, `a\u0000`} {
				for _, body := range []string{
					`{"query":"{ account(id: \"` + text + `\") { name } }"}`, `{"query":"{ node(id: \"` + strings.ReplaceAll(text, `\`, `\\`) + `\") { id } }"}`,
					`{"query":"query($i: InviteUserInput!) { viewer { user { id } } }","variables":{"` + text + `":1}}`,
					`{"query":"query($t: ID!) { team(id: $t) { members(filter: {search: \"` + strings.ReplaceAll(text, `\`, `\\`) + `\"}) { nodes { id } } } }","variables":{"t":"` + owner.TeamID + `"}}`,
					`{"query":"mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { user { firstName } userErrors { code } } }","variables":{"i":{"firstName":"` + text + `"}}}`,
					`{"query":"{ viewer { user { id } } }","operationName":"` + text + `"}`, `{"documentId":"` + text + `"}`,
					`{"query":"{ viewer { user { id } } }","extensions":{"operationId":"` + text + `","persistedQuery":{"sha256Hash":"` + text + `"}}}`,
				} {
					got := send(t, http.MethodPost, w.URL+"/graphql", body, "Content-Type", "application/json", "Authorization", "Bearer "+owner.Session)
					if got.status >= 500 || strings.Contains(got.body, "INTERNAL") {
						t.Errorf("%s: got %d: %.500s", body, got.status, got.body)
					}
				}
			}
		})
	})
}

// HARD-7: the URL and the headers of a request have at most 32 KiB.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	w := testkit.Idle(t, t.TempDir()+"/convoke.db")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- w.Server.Run(ctx, l) }() // ends with stop
	url := "http://" + l.Addr().String() + "/graphql?query={__typename}"
	for size, want := range map[int]int{27 << 10: http.StatusOK, 33 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		equal(t, "a header of "+itoa(size), send(t, http.MethodGet, url, "", "X-Long", strings.Repeat("x", size)).status, want)
		equal(t, "a URL of "+itoa(size), fetch(t, http.MethodGet, url+"&x="+strings.Repeat("x", size)).status, want)
	}
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
