package act

import (
	"fmt"
	"strconv"

	"github.com/convoke-dev/convoke/internal/fault"
)

// MaxItems is how many objects a call may name that changes several.
const MaxItems = 100

// Outcome is what a call about several objects did with one of them: a value of the
// public schema's BulkOutcome.
type Outcome string

// The outcomes of the contract.
const (
	Done      Outcome = "DONE"
	Unchanged Outcome = "UNCHANGED"
	Duplicate Outcome = "DUPLICATE"
	Failed    Outcome = "FAILED"
)

// Result is what a call about several objects did with one of them.
type Result struct {
	ID      string
	Outcome Outcome
	Errors  fault.Errors
}

// CheckItems fails with BLANK for no object and with INVALID_VALUE for more than
// MaxItems. The field is the one that names them.
func CheckItems(n int, field string) *fault.Error {
	switch {
	case n == 0:
		return fault.Input(fault.Blank, "Name at least one.", field)
	case n > MaxItems:
		return fault.Input(fault.InvalidValue, fmt.Sprintf("At most %d are allowed at once.", MaxItems), field)
	}
	return nil
}

// Each calls f for each of the ids, in their order, and returns what came of each. A user
// error of f, or NOT_FOUND, refuses that object alone, so f must return such an error
// before it writes. Any other error of f fails the call as a whole. An id that occurs
// again gets DUPLICATE. The paths of the errors begin with the place of the object.
func Each(ids []string, p Places, f func(n int) (Outcome, error)) ([]Result, error) {
	results := make([]Result, len(ids))
	before := map[string]bool{}
	for n, id := range ids {
		results[n] = Result{ID: id, Outcome: Duplicate}
		if before[id] {
			results[n].Errors.Add(fault.Input(fault.Duplicate, "This one occurs earlier in the list.", p.of(n, nil)...))
			continue
		}
		before[id] = true
		outcome, err := f(n)
		refused, ok := refusals(err)
		if err != nil && !ok {
			return nil, err
		}
		results[n].Outcome = outcome
		for _, r := range refused {
			results[n].Outcome = Failed
			results[n].Errors.Add(fault.Input(r.Code, r.Message, p.of(n, r.Field)...))
		}
	}
	return results, nil
}

// refusals returns the errors that refuse one object: user errors and NOT_FOUND.
func refusals(err error) (list []*fault.Error, ok bool) {
	if list, ok := fault.UserErrors(err); ok {
		return list, true
	}
	if fault.Is(err, fault.NotFound) {
		return []*fault.Error{fault.Input(fault.NotFound, "There is no such object that you may use.")}, true
	}
	return nil, false
}

// Places says where the objects of a call are in its input.
type Places struct {
	list   string
	inputs bool
}

// IDsIn are the places of objects that a list of ids names.
func IDsIn(list string) Places { return Places{list: list} }

// InputsIn are the places of objects that a list of inputs names: each has the fields
// that the input of the call about one object has.
func InputsIn(list string) Places { return Places{list: list, inputs: true} }

// of returns the path to the field of the nth object.
func (p Places) of(n int, field []string) []string {
	path := []string{p.list, strconv.Itoa(n)}
	if p.inputs {
		path = append(path, field...)
	}
	return path
}
