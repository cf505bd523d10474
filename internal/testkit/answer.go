package testkit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/graph"
)

// Answer is an answer to a GraphQL operation.
type Answer struct {
	t      testing.TB
	Status int
	Raw    string
	Data   map[string]any
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	}
}

func newAnswer(t testing.TB, status int, body []byte) *Answer {
	t.Helper()
	a := &Answer{t: t, Status: status, Raw: string(body)}
	if err := json.Unmarshal(body, a); err != nil {
		t.Fatalf("answer is no JSON: %v: %s", err, body)
	}
	for mutation, payload := range a.Data {
		a.checkCodes(mutation, payload)
	}
	return a
}

// checkCodes fails the test when the payload, or one of its results, has a user error that
// the description of the mutation does not name.
func (a *Answer) checkCodes(mutation string, payload any) {
	a.t.Helper()
	fields, _ := payload.(map[string]any)
	def := graph.Schema().Mutation.Fields.ForName(mutation)
	if def == nil {
		return
	}
	_, named, _ := strings.Cut(def.Description, "User errors: ")
	list, _ := fields["userErrors"].([]any)
	for _, e := range list {
		e, _ := e.(map[string]any)
		if code, ok := e["code"].(string); ok && !slices.Contains(strings.FieldsFunc(named, func(r rune) bool { return strings.ContainsRune(", .", r) }), code) {
			a.t.Errorf("the description of %s does not name the user error %s", mutation, code)
		}
	}
	results, _ := fields["results"].([]any)
	for _, r := range results {
		a.checkCodes(mutation, r)
	}
}

// At returns what stands at the path, such as "team.members.nodes.0.id"; nil
// when there is nothing.
func (a *Answer) At(path string) any {
	var at any = a.Data
	for _, step := range strings.Split(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}

// Text returns what stands at the path, as text.
func (a *Answer) Text(path string) string {
	if v := a.At(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// List returns the list at the path, each element by what stands at the path
// below it; by itself when that is empty.
func (a *Answer) List(path, below string) []string {
	list, _ := a.At(path).([]any)
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = a.Text(strings.TrimSuffix(fmt.Sprintf("%s.%d.%s", path, i, below), "."))
	}
	return texts
}

// Code returns the code of the first top-level error, empty when there is none.
func (a *Answer) Code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// UserErrors returns the payload's user errors, each as "CODE field.path".
func (a *Answer) UserErrors() []string {
	var found []string
	for _, payload := range a.Data {
		fields, _ := payload.(map[string]any)
		list, _ := fields["userErrors"].([]any)
		for _, e := range list {
			e, _ := e.(map[string]any)
			path, _ := e["field"].([]any)
			steps := make([]string, len(path))
			for i, s := range path {
				steps[i] = fmt.Sprint(s)
			}
			found = append(found, strings.TrimSpace(fmt.Sprint(e["code"])+" "+strings.Join(steps, ".")))
		}
	}
	return found
}

// OK fails the test when the answer has any error.
func (a *Answer) OK() *Answer {
	a.t.Helper()
	if a.Status != 200 || len(a.Errors) > 0 || len(a.UserErrors()) > 0 {
		a.t.Fatalf("got status %d: %s, want no error", a.Status, a.Raw)
	}
	return a
}

// Refused fails the test unless the answer has exactly this error: a top-level
// code, or a user error as "CODE field.path".
func (a *Answer) Refused(want string) *Answer {
	a.t.Helper()
	got := a.UserErrors()
	if code := a.Code(); code != "" {
		got = append(got, code)
	}
	if len(got) != 1 || got[0] != want {
		a.t.Fatalf("refused with %q: %s, want %q", got, a.Raw, want)
	}
	return a
}
