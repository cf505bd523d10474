package archtest

import (
	"go/parser"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers, the highest first. A package imports its own layer and lower ones.
var layers = []string{"cmd", "server", "graph", "internal", "ent"}

// leaves are the internal packages that everybody above ent may use.
var leaves = []string{"fault", "uid", "token", "text", "address"}

// siblings says what each internal package may import of internal. All but
// the ones in noEnt may import ent too. A new package gets a line here, and a
// changed line a decision record.
var siblings = map[string][]string{
	"fault":     {},
	"uid":       {"fault"},
	"token":     {"fault"},
	"text":      {"fault"},
	"address":   {"fault"},
	"limit":     {"fault"},
	"lifecycle": {"fault"},
	"access":    {"address", "fault", "lifecycle"},
	"store":     {"access", "fault", "limit", "text"},
	"event":     {"access", "store", "fault", "uid"},
	"act":       {"access", "store", "event", "fault"},
	"mail":      {"text"},
	"outbox":    {"access", "store", "mail", "fault", "uid"},
	"roster":    slices.Concat(leaves, []string{"lifecycle", "access", "store", "event", "act", "mail", "outbox", "idempotency"}),
	"auth":      slices.Concat(leaves, []string{"lifecycle", "access", "store", "event", "mail", "outbox", "roster", "limit"}),
	"invite":    slices.Concat(leaves, []string{"lifecycle", "access", "store", "event", "act", "mail", "outbox", "roster", "auth", "idempotency", "limit"}),

	"person": slices.Concat(leaves, []string{"access", "store", "event", "roster", "invite"}),

	"live": {"access", "auth", "event", "fault", "lifecycle"},
	"demo": slices.Concat(leaves, []string{"access", "store", "event", "roster", "auth", "invite"}),

	"idempotency": {"access", "store", "fault", "uid"},
}

// streams is what graph/stream may import of internal: it executes documents for a
// source, and knows no rules.
var streams = []string{"access", "event", "live"}

var noEnt = append([]string{"mail"}, leaves...)

// objection says what is wrong with a file in the folder importing a path, or
// nothing. Tests, internal/testkit and internal/testdb may import anything.
func objection(from, to string) string {
	inside, ours := strings.CutPrefix(to, module+"/")
	switch {
	case within(from, "internal/testkit"), within(from, "internal/testdb"), within(from, "internal/archtest"):
		return ""
	case within(from, "ent/schema"):
		if first, _, _ := strings.Cut(to, "/"); strings.Contains(first, ".") && first != "entgo.io" {
			return "ent/schema imports only entgo.io and the standard library"
		}
		return ""
	case to == module:
		return "nobody imports the root"
	case !ours:
		return ""
	case within(inside, "internal/testkit"), within(inside, "internal/testdb"):
		return "only tests import " + inside
	case within(inside, "server") && !within(from, "server") && !within(from, "cmd"):
		return "only cmd imports server"
	case within(inside, "web"):
		if within(from, "server") || within(from, "web") {
			return ""
		}
		return "only server imports web"
	case within(from, "internal"):
		return sibling(from, inside)
	case within(from, "graph/stream") && within(inside, "internal") && !slices.Contains(streams, under(inside)):
		return "graph/stream knows no rules"
	}
	return layer(from, inside)
}

func layer(from, to string) string {
	lower, higher := slices.Index(layers, top(from)), slices.Index(layers, top(to))
	if lower < 0 || higher < 0 {
		return top(from) + " or " + top(to) + " is no layer"
	}
	if higher < lower {
		return top(from) + " stands below " + top(to)
	}
	return ""
}

func sibling(from, to string) string {
	name := under(from)
	allowed, known := siblings[name]
	switch {
	case !known:
		return "internal/" + name + " has no line in the table of siblings"
	case top(to) == "ent" && slices.Contains(noEnt, name):
		return name + " imports nothing of ent"
	case top(to) != "internal":
		return layer(from, to)
	case under(to) != name && !slices.Contains(allowed, under(to)):
		return name + " does not import " + under(to)
	}
	return ""
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func top(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// under returns the second folder of a path: which package of internal it is.
func under(path string) string {
	_, rest, _ := strings.Cut(path, "/")
	return top(rest)
}

func TestArrowsPointDown(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t, parser.ImportsOnly, func(s source) bool { return !s.isTest() }) {
		for _, spec := range s.file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if o := objection(s.dir(), to); o != "" {
				t.Errorf("%s imports %s: %s", s.at(spec), to, o)
			}
		}
	}
}

func TestArrowsThatPointUpAreFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		wrong    bool
	}{
		{"cmd/convoke", "server", false},
		{"cmd/convoke", "internal/store", false},
		{"server/graphqlws", "server", false},
		{"server", "graph/generated", false},
		{"server", "web", false},
		{"graph", "internal/invite", false},
		{"graph/relay", "ent", false},
		{"internal/invite", "internal/auth", false},
		{"internal/auth", "internal/roster", false},
		{"internal/live", "internal/auth", false},
		{"graph/stream", "internal/live", false},
		{"internal/event", "ent/account", false},
		{"internal/access", "internal/lifecycle", false},
		{"internal/roster", "internal/act", false},
		{"internal/testkit", "server", false},
		{"ent", "ent/schema", false},

		{"server", "cmd/convoke", true},
		{"graph", "server", true},
		{"graph", "web", true},
		{"internal/invite", "graph/model", true},
		{"internal/invite", "server", true},
		{"ent", "internal/uid", true},
		{"ent/schema", "internal/text", true},
		{"ent/schema", "ent/member", true},
		{"internal/auth", "internal/invite", true},
		{"internal/auth", "internal/live", true},
		{"graph/stream", "internal/invite", true},
		{"internal/roster", "internal/auth", true},
		{"internal/store", "internal/event", true},
		{"internal/access", "internal/store", true},
		{"internal/lifecycle", "internal/access", true},
		{"internal/act", "internal/roster", true},
		{"internal/mail", "ent", true},
		{"internal/mail", "internal/fault", true},
		{"internal/fault", "internal/uid", true},
		{"internal/uid", "ent", true},
		{"internal/novelty", "internal/fault", true},
		{"graph", "internal/testkit", true},
		{"cmd/convoke", "internal/testkit", true},
		{"novelty", "ent", true},
	} {
		if got := objection(tt.from, module+"/"+tt.to); got != "" != tt.wrong {
			t.Errorf("%s imports %s: got %q, want an objection: %t", tt.from, tt.to, got, tt.wrong)
		}
	}
	for to, wrong := range map[string]bool{"entgo.io/ent/schema/field": false, "time": false, "github.com/gofrs/uuid/v5": true} {
		if got := objection("ent/schema", to); got != "" != wrong {
			t.Errorf("ent/schema imports %s: got %q, want an objection: %t", to, got, wrong)
		}
	}
}
