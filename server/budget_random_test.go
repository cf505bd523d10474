package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
	"github.com/convoke-dev/convoke/internal/uid"
)

// fillAccount fills the account of a new owner: as many roles, groups and divisions as
// there may be, thousands of members, a hundred of whom are in every group, and
// hundreds of invitations.
func fillAccount(t *testing.T, w *testkit.World, owner *testkit.Person) {
	t.Helper()
	fillInBulk(t, w, owner.TeamID, 3000)
	account, now := owner.AccountID(), w.Clock.Now()
	ctx := access.System(t.Context(), "fill an account")
	var roles, groups, divisions []string
	long := strings.Repeat("ж", 500)
	err := w.Server.Store.InAccount(ctx, account, func(tx *store.Tx) error {
		var newRoles []*ent.RoleCreate
		for n := range 190 {
			roles = append(roles, uid.New(uid.Role))
			newRoles = append(newRoles, tx.Role.Create().SetID(roles[n]).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(account).
				SetKey("r"+itoa(n)).SetName("Role "+itoa(n)).SetDescription(long).SetPermissions([]string{"team.read", "orders.read", "members.read"}))
		}
		if err := tx.Role.CreateBulk(newRoles...).Exec(ctx); err != nil {
			return err
		}
		for n := range 500 {
			groups = append(groups, uid.New(uid.Group))
			err := tx.Group.Create().SetID(groups[n]).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(account).
				SetName("Group " + itoa(n)).SetDescription(long).AddRoleIDs(roles[n%170 : n%170+20]...).Exec(ctx)
			if err != nil {
				return err
			}
		}
		for n := range 1000 {
			divisions = append(divisions, uid.New(uid.Division))
			d := tx.Division.Create().SetID(divisions[n]).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(account).SetName("Division " + itoa(n))
			if n > 0 {
				d.SetParentID(divisions[(n-1)/30])
			}
			if err := d.Exec(ctx); err != nil {
				return err
			}
		}
		first, err := tx.Member.Query().Where(member.TeamID(owner.TeamID)).Order(member.ByCreatedAt()).Limit(100).IDs(ctx)
		if err != nil {
			return err
		}
		for _, id := range first {
			if err := tx.Member.UpdateOneID(id).AddGroupIDs(groups...).AddDivisionIDs(divisions[:50]...).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		inviteAll(owner, addresses("p"+itoa(n)+"x", 100), "roleIds", roles[:50], "groupIds", groups[:100], "divisionIds", divisions[:100]).OK()
	}
}

// randomDocuments makes valid queries out of the schema.
type randomDocuments struct {
	*rand.Rand
	schema  *ast.Schema
	ids     map[string][]string // by type
	left    int                 // fields that may still be selected
	wide    int                 // how many fields a selection has at the most
	aliases int
}

func (r *randomDocuments) document() string {
	r.left, r.wide = 1+r.IntN(1+r.IntN(200)), 1+r.IntN(5)
	depth := 3 + r.IntN(12)
	return "{ " + r.selection(r.schema.Query, depth, true) + " }"
}

// selection selects random fields of the type, and some that have fields themselves.
func (r *randomDocuments) selection(def *ast.Definition, depth int, top bool) string {
	if def.IsAbstractType() {
		var b strings.Builder
		b.WriteString("__typename ")
		possible := r.schema.PossibleTypes[def.Name]
		for range 1 + r.IntN(2) {
			p := possible[r.IntN(len(possible))]
			fmt.Fprintf(&b, "... on %s { %s } ", p.Name, r.selection(p, depth-1, false))
		}
		return b.String()
	}
	var fields, objects ast.FieldList
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		fields = append(fields, f)
		if r.schema.Types[f.Type.Name()].IsCompositeType() {
			objects = append(objects, f)
		}
	}
	var b strings.Builder
	b.WriteString("__typename ")
	for n := range 1 + r.IntN(r.wide) {
		from := fields
		if len(objects) > 0 && (top || n == 0 || r.IntN(2) == 0) {
			from = objects
		}
		f := from[r.IntN(len(from))]
		of := r.schema.Types[f.Type.Name()]
		if r.left <= 0 || of.IsCompositeType() && depth <= 1 {
			continue
		}
		r.left--
		r.aliases++
		fmt.Fprintf(&b, "a%d: %s%s ", r.aliases, f.Name, r.arguments(f))
		if of.IsCompositeType() {
			fmt.Fprintf(&b, "{ %s } ", r.selection(of, depth-1, false))
		}
	}
	return b.String()
}

func (r *randomDocuments) arguments(f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		if a.Name == "after" || a.Name == "before" || !a.Type.NonNull && r.IntN(2) == 0 ||
			a.Name == "last" && slices.ContainsFunc(args, func(s string) bool { return strings.HasPrefix(s, "first:") }) {
			continue
		}
		args = append(args, a.Name+": "+r.value(a.Name, a.Type))
	}
	if len(args) == 0 {
		return ""
	}
	return "(" + strings.Join(args, ", ") + ")"
}

func (r *randomDocuments) value(name string, typ *ast.Type) string {
	if typ.Elem != nil {
		elements := make([]string, 1+r.IntN(1+r.IntN(100)))
		for i := range elements {
			elements[i] = r.value(name, typ.Elem)
		}
		return "[" + strings.Join(elements, " ") + "]"
	}
	def := r.schema.Types[typ.NamedType]
	switch {
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || r.IntN(4) == 0 {
				fields = append(fields, f.Name+": "+r.value(f.Name, f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case def.Kind == ast.Enum:
		return def.EnumValues[r.IntN(len(def.EnumValues))].Name
	case def.Name == "Int":
		return itoa([]int{1, 2, 10, 50, 100}[r.IntN(5)])
	case def.Name == "Boolean":
		return "true"
	case def.Name == "ID":
		return fmt.Sprintf("%q", r.id(name))
	case def.Name == "DateTime":
		return `"2030-01-31T12:00:00Z"`
	case def.Name == "PermissionKey":
		return `"orders.read"`
	case def.Name == "EmailAddress":
		return `"m1@example.org"`
	default:
		return []string{`"m"`, `"person 1"`, `"nobody"`, `"a b c d e f"`}[r.IntN(4)]
	}
}

// id returns a random id of the type that the argument is for.
func (r *randomDocuments) id(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(name, "s"), "Id"))
	for _, of := range slices.Sorted(maps.Keys(r.ids)) {
		if strings.HasSuffix(name, strings.ToLower(of)) {
			return r.ids[of][r.IntN(len(r.ids[of]))]
		}
	}
	all := slices.Sorted(maps.Keys(r.ids))
	of := r.ids[all[r.IntN(len(all))]]
	return of[r.IntN(len(of))]
}

// Whatever a document selects, over an account that is as full as can be, the response is
// bounded, and so is the memory that it takes while it is made. What counts is the heap that
// is in use at one moment, and not what is allocated in all: garbage is collected. The
// test runs alone, because it measures the heap, and on SQLite, where the database is part
// of the process.
func TestRandomDocumentsAreBounded(t *testing.T) { //nolint:paralleltest // see above
	const (
		maxValues, maxData = 10_000, 2 << 20
		// The live heap is sampled with garbage of at most a tenth beside it.
		maxHeap     = 64 << 20
		gcPercent   = 10
		sampleEvery = 500 * time.Microsecond
	)
	n := rounds.Of(t, 500)
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner := w.SignUp("olivia@acme.test")
	fillAccount(t, w, owner)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := &randomDocuments{Rand: rand.New(rand.NewPCG(20261126, seed)), schema: graph.Schema(), ids: map[string][]string{}}
	a := owner.Ask(`id account { id roles(first: 100) { nodes { id } } groups(first: 100) { nodes { id } } divisions(first: 30) { nodes { id } } auditLog(first: 20) { nodes { id } } }
		members(first: 100) { nodes { id user { id } } } invitations(first: 100) { nodes { id } }`).OK()
	for of, at := range map[string][2]string{
		"Role": {"team.account.roles.nodes", "id"}, "Group": {"team.account.groups.nodes", "id"}, "Division": {"team.account.divisions.nodes", "id"},
		"Event": {"team.account.auditLog.nodes", "id"}, "Member": {"team.members.nodes", "id"}, "User": {"team.members.nodes", "user.id"},
		"Invitation": {"team.invitations.nodes", "id"},
	} {
		r.ids[of] = a.List(at[0], at[1])
	}
	r.ids["Team"], r.ids["Account"] = []string{a.Text("team.id")}, []string{a.Text("team.account.id")}

	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	codes := map[string]int{}
	var most struct {
		data, values int
		heap         uint64
		took         time.Duration
	}
	for range n {
		document := r.document()
		body, err := json.Marshal(map[string]any{"query": document, "extensions": map[string]any{"cost": true}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, written := context.WithCancel(t.Context())
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(string(body)))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+owner.Session)
		answer := deadlined{httptest.NewRecorder()}
		start := time.Now()
		heap := heapPeak(sampleEvery, func() { w.Server.Handler().ServeHTTP(answer, req) })
		written()
		took := time.Since(start)
		var got struct {
			Data       json.RawMessage
			Errors     []struct{ Extensions struct{ Code string } }
			Extensions struct {
				Cost struct{ Requested graph.Cost }
			}
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatalf("%v: %.500s", err, answer.Body.String())
		}
		values := got.Extensions.Cost.Requested.Values
		code := ""
		if len(got.Errors) > 0 {
			code = got.Errors[0].Extensions.Code
		}
		codes[code]++
		bad := ""
		switch {
		case strings.Contains(answer.Body.String(), "exceeded token limit of 2000"): // it is refused, too
		case answer.Code != http.StatusOK, code == "INTERNAL", code == "TIMEOUT", code == "GRAPHQL_VALIDATION_FAILED", code == "GRAPHQL_PARSE_FAILED":
			bad = fmt.Sprintf("status %d, code %s: %.500s", answer.Code, code, answer.Body.String())
		case len(got.Data) > maxData, answer.Body.Len() > maxData+maxData/4:
			bad = fmt.Sprintf("%d bytes of data, %d in all", len(got.Data), answer.Body.Len())
		case values > maxValues && code != "QUERY_TOO_COMPLEX":
			bad = fmt.Sprintf("%d values", values)
		case heap > maxHeap:
			bad = fmt.Sprintf("%d MiB of heap", heap>>20)
		}
		if bad != "" {
			t.Errorf("HARD-4 %s, for %s", bad, document)
		}
		if code == "" {
			most.values = max(most.values, values)
		}
		most.data, most.heap, most.took = max(most.data, len(got.Data)), max(most.heap, heap), max(most.took, took)
	}
	t.Logf("%d documents: %v; at most %d bytes, %d values, %d MiB of heap, %v", n, codes, most.data, most.values, most.heap>>20, most.took)
	if codes[""] < n/10 || codes["QUERY_TOO_COMPLEX"] == 0 && n >= 100 {
		t.Errorf("the documents are all alike: %v", codes)
	}
}

// deadlined is a recorder that takes the deadlines of the server.
type deadlined struct{ *httptest.ResponseRecorder }

// SetReadDeadline does nothing.
func (deadlined) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (deadlined) SetWriteDeadline(time.Time) error { return nil }

// heapPeak returns by how much the heap grew at the most while f ran.
func heapPeak(every time.Duration, f func()) (peak uint64) {
	read := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	before, done, sampled := read(), make(chan struct{}), make(chan uint64)
	go func() { // ends with done
		tick := time.NewTicker(every)
		defer tick.Stop()
		most := before
		for {
			select {
			case <-tick.C:
				most = max(most, read())
			case <-done:
				sampled <- most
				return
			}
		}
	}()
	f()
	close(done)
	return <-sampled - before
}
