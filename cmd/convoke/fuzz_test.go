package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// parsers are the functions that read texts of clients and operators, and their fuzz
// targets in the same package. Others that take texts apart have the reason why they need
// none.
var parsers = []struct{ dir, target, functions string }{
	{"cmd/convoke", "FuzzDays", "UnmarshalText"},
	{"cmd/convoke", "FuzzNetworks", "networks"},
	{"cmd/convoke", "a call of the standard library for each flag", "Decode config"},
	{"graph", "FuzzCheckVariables", "CheckVariables scalarProblem"},
	{"graph", "a message of gqlparser", "PresentErrors"},
	{"graph/model", "FuzzUnmarshalDateTime", "UnmarshalDateTime"},
	{"graph/relay", "FuzzParse", "parse"},
	{"graph/stream", "our own responses and tables", "allNull NewFields"},
	{"internal/access", "FuzzParse", "parse match"},
	{"internal/address", "FuzzDomain", "Domain normalDomain"},
	{"internal/address", "FuzzParse", "Parse Mailbox Mask"},
	{"internal/auth", "FuzzBearer", "Bearer"},
	{"internal/auth", "FuzzFlowOf", "FlowOf"},
	{"internal/auth", "an address that has been parsed, and claims that the provider has signed", "nameOf UnmarshalJSON"},
	{"internal/event", "FuzzParseCursor", "ParseCursor"},
	{"internal/event", "FuzzParsePositions", "ParsePositions"},
	{"internal/event", "notifications of our own database", "listen"},
	{"internal/idempotency", "our own rows", "Once"},
	{"internal/mail", "FuzzClean", "clean cleanNote headerText unlinked"},
	{"internal/mail", "FuzzParseServer", "parseServer check"},
	{"internal/mail", "FuzzParseTo", "parseTo parseFrom"},
	{"internal/mail", "our own mails", "headers links load"},
	{"internal/outbox", "FuzzParseMessageID", "ParseMessageID"},
	{"internal/store", "one call of the standard library", "oneAtATime"},
	{"internal/limit", "server.FuzzClientIP", "Network"},
	{"internal/text", "FuzzClean", "Clean Line Note"},
	{"internal/text", "FuzzFold", "Fold Words"},
	{"internal/token", "FuzzClean", "Clean Hash"},
	{"internal/uid", "FuzzOf", "Of"},
	{"server", "FuzzBearerOf", "bearerOf initSocket"},
	{"server", "FuzzClientIP", "clientIP hopAddr isTrusted"},
	{"server", "FuzzHashIn", "hashIn bare"},
	{"server", "FuzzParseReplyTo", "ParseReplyTo"},
	{"server", "FuzzParseRule", "parseRule With"},
	{"server", "FuzzReadAccept", "readAccept qualityIn of"},
	{"server", "FuzzReadManifest", "readManifest"},
	{"server", "FuzzReadReport", "readReport"},
	{"server", "FuzzReadURL", "readURL"},
	{"server", "FuzzUserAgent", "userAgent"},
	{"server", "FuzzWelcome", "welcome isOrigin publicURL refuseOrigin cut"},
	{"server", "one call of the standard library", "check foreign mailHook readBody"},
	{"server", "our own responses", "withoutEmptyData"},
	{"server/graphqlws", "FuzzParse", "parse params ReadParams Params object text"},
}

// apart are the functions of the standard library by which texts are taken apart.
var apart = map[string][]string{
	"json":    {"Unmarshal", "NewDecoder"},
	"strings": {"Cut", "Split", "SplitN", "SplitSeq"},
	"strconv": {"Atoi", "ParseBool", "ParseFloat", "ParseInt", "ParseUint", "Unquote"},
	"netip":   {"ParseAddr", "ParseAddrPort", "ParsePrefix"},
	"url":     {"Parse", "ParseQuery", "PathUnescape"},
	"time":    {"Parse", "ParseDuration"},
	"mime":    {"ParseMediaType"},
	"mail":    {"ParseAddress"},
	"netmail": {"ParseAddress"},
}

func TestEveryParserHasAFuzzTarget(t *testing.T) {
	t.Parallel()
	functions, targets := map[string]*ast.FuncDecl{}, map[string]bool{} // by package and name
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(notServed, name):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "gen.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../../"+name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			switch {
			case !is:
			case !strings.HasSuffix(name, "_test.go"):
				if id := path.Dir(name) + "." + f.Name.Name; functions[id] == nil || takesApart(f) { // of several methods, one that does
					functions[id] = f
				}
			case strings.HasPrefix(f.Name.Name, "Fuzz"):
				targets[path.Dir(name)+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, p := range parsers {
		for f := range strings.FieldsSeq(p.functions) {
			listed[p.dir+"."+f] = true
		}
		t.Run("HARD-13 "+p.dir+": "+p.functions, func(t *testing.T) {
			t.Parallel()
			if target := p.dir + "." + p.target; strings.HasPrefix(p.target, "Fuzz") && !targets[target] {
				t.Errorf("there is no %s", target)
			}
			for f := range strings.FieldsSeq(p.functions) {
				if functions[p.dir+"."+f] == nil {
					t.Errorf("there is no %s, remove it from the table", f)
				}
			}
		})
	}
	t.Run("HARD-13 no parser is forgotten", func(t *testing.T) {
		t.Parallel()
		for id, f := range functions {
			if takesApart(f) && !listed[id] {
				t.Errorf("%s takes texts apart: add it to the table with its fuzz target, or with the reason why it needs none", id)
			}
		}
	})
}

// notServed are the directories whose code reads nothing of clients or operators.
var notServed = []string{
	"clients", "ent", "examples", "graph/generated", "graph/guard", "internal/archtest", "internal/demo", "internal/testdb", "internal/testkit", "web/node_modules", ".git",
}

// takesApart reports whether a function calls one of apart, or decodes base 64.
func takesApart(f *ast.FuncDecl) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, is := n.(*ast.SelectorExpr); is {
			pkg, _ := sel.X.(*ast.Ident)
			found = found || sel.Sel.Name == "DecodeString" || pkg != nil && slices.Contains(apart[pkg.Name], sel.Sel.Name)
		}
		return true
	})
	return found
}
