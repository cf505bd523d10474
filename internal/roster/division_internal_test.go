package roster

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/fault"
)

func TestCheckParent(t *testing.T) {
	t.Parallel()
	// a - b - c, and a chain of ten: 0 - 1 - … - 9.
	parents := map[string]string{"a": "", "b": "a", "c": "b", "0": ""}
	for i := '1'; i <= '9'; i++ {
		parents[string(i)] = string(i - 1)
	}
	for _, tt := range []struct {
		rule, id, parent string
		want             fault.Code
	}{
		{"a new one below another", "", "c", ""},
		{"a new one as deep as can be", "", "8", ""},
		{"a new one too deep", "", "9", fault.InvalidValue},
		{"one moved below another", "c", "a", ""},
		{"one moved below itself", "b", "b", fault.InvalidValue},
		{"one moved below its child", "a", "c", fault.InvalidValue},
		{"one moved with all below it, as deep as can be", "a", "6", ""},
		{"one moved with all below it, too deep", "a", "7", fault.InvalidValue},
		{"a parent that is none", "a", "x", fault.NotFound},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			err := checkParent(parents, tt.id, tt.parent)
			if tt.want == "" && err != nil || tt.want != "" && !fault.Is(err, tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
