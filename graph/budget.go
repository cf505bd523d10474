package graph

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

const (
	// maxResponse is the greatest size of the data of a response, in bytes.
	maxResponse = 2 << 20
	// longText is the length from which a text is charged while the response is made. The
	// number of values bounds the size of all shorter ones.
	longText = 200
	// rowsPerValue is how many rows a search reads for the price of one value, and
	// maxScan the greatest price of a search, so that a large team can be searched, too.
	rowsPerValue = 50
	maxScan      = 2000
	// maxCount is the greatest price of the number of a group's members, so that a page
	// of groups, or of members with their groups, can be read in a large account.
	maxCount = 20
	// maxRows is how many rows an operation may read, where each statement counts as
	// store.StatementRows more. Pages below pages take a statement each, and what a field
	// is computed from is read but not returned, so the number of values bounds neither.
	maxRows = 15_000
)

// budget is what one execution of an operation may still return. What the static cost
// of the operation cannot know is charged while it runs: the elements of lists without
// pages, long texts, and the rows that a search reads.
type budget struct {
	limit    Cost
	values   atomic.Int64
	bytes    atomic.Int64
	exceeded atomic.Bool
	reads    *store.Allowance

	measure measure
	mu      sync.Mutex
	below   map[*ast.Field]int // the values of one element of a list
}

type budgetKey struct{}

// errSpent refuses a field when the budget is spent. The whole response says more.
var errSpent = fault.Refuse(fault.QueryTooComplex, "The response is too large.")

// Bounded returns a context in which the current operation may be executed once, and a
// function that returns its response: QUERY_TOO_COMPLEX instead of one that is
// larger than the limits.
func Bounded(ctx context.Context, limit Cost) (context.Context, func(*graphql.Response) *graphql.Response) {
	op := graphql.GetOperationContext(ctx)
	b := &budget{
		limit: limit, below: map[*ast.Field]int{}, reads: store.NewAllowance(maxRows),
		measure: measure{variables: op.Variables, fragments: map[*ast.FragmentDefinition]extent{}},
	}
	b.values.Store(int64(limit.Values - b.measure.set(op.Operation.SelectionSet).Values))
	b.bytes.Store(maxResponse)
	return store.WithAllowance(context.WithValue(ctx, budgetKey{}, b), b.reads), func(response *graphql.Response) *graphql.Response {
		if response == nil || !b.isSpent() && len(response.Data) <= maxResponse {
			return response
		}
		err := gqlerror.Errorf("%s", b.refusal(op.Operation.Operation == ast.Mutation))
		err.Extensions = fault.Extensions(fault.QueryTooComplex)
		return &graphql.Response{Errors: gqlerror.List{err}}
	}
}

// isSpent reports whether something of the operation was refused.
func (b *budget) isSpent() bool { return b.exceeded.Load() || b.reads.Spent() }

// reading returns the context in which a field and what is below it are resolved. The verb of
// a mutation reads without a limit, because it must not break off in the middle, and has
// limits of its own. What is selected of its payload is limited again.
func (b *budget) reading(ctx context.Context) context.Context {
	fc := graphql.GetFieldContext(ctx)
	switch {
	case b == nil:
		return ctx
	case fc.Object == "Mutation":
		return store.WithAllowance(ctx, nil)
	case fc.Parent != nil && fc.Parent.Object == "Mutation":
		return store.WithAllowance(ctx, b.reads)
	default:
		return ctx
	}
}

func (b *budget) refusal(changed bool) string {
	if b.reads.Spent() && !b.exceeded.Load() {
		limits := fmt.Sprintf("at most %d rows may be read, and each page or search counts as %d more", maxRows, store.StatementRows)
		if changed {
			return "The change was made, but the response to it reads too much: " + limits + ". Read the objects in smaller parts."
		}
		return "The operation reads too much: " + limits + ". Ask for smaller pages, fewer fields, or fewer pages below other pages."
	}
	limits := fmt.Sprintf("at most %d values and %d MiB are allowed", b.limit.Values, maxResponse>>20)
	if changed {
		return "The change was made, but the response to it is too large: " + limits + ". Read the objects in smaller parts."
	}
	return "The response is too large: " + limits + ". Ask for smaller pages, fewer fields or fewer searches."
}

func budgetOf(ctx context.Context) *budget {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	return b
}

// charge takes values and bytes from the budget. It fails with QUERY_TOO_COMPLEX when
// less is left.
func (b *budget) charge(values, bytes int) error {
	if b.values.Add(-int64(values)) >= 0 && b.bytes.Add(-int64(bytes)) >= 0 && !b.exceeded.Load() {
		return nil
	}
	b.exceeded.Store(true)
	b.reads.Stop() // the reads of fields that are being resolved at the same time
	return errSpent
}

// chargeScan charges a search for the rows that it reads. QUERY_TOO_COMPLEX.
func chargeScan(ctx context.Context, rows int) error {
	if b := budgetOf(ctx); b != nil {
		return b.charge(min(rows/rowsPerValue, maxScan), 0)
	}
	return nil
}

// chargeCount charges the number of a group's members for the rows that were counted.
// QUERY_TOO_COMPLEX.
func chargeCount(ctx context.Context, rows int) error {
	if b := budgetOf(ctx); b != nil {
		return b.charge(min(rows/rowsPerValue, maxCount), 0)
	}
	return nil
}

// Charged returns the cost of the operation with what its execution was charged until now.
func Charged(ctx context.Context) Cost {
	cost := CostOf(graphql.GetOperationContext(ctx))
	if b := budgetOf(ctx); b != nil {
		cost.Values = b.limit.Values - int(b.values.Load())
	}
	return cost
}

// InterceptField charges the result of a resolver before anything below it is resolved.
// QUERY_TOO_COMPLEX.
func (Limits) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	b := budgetOf(ctx)
	if b != nil && b.isSpent() {
		return nil, errSpent // the response is replaced as a whole
	}
	result, err := next(b.reading(ctx))
	if err != nil {
		return result, err
	}
	bytes := 0
	switch v := result.(type) {
	case string:
		bytes = len(v)
	case *string:
		if v != nil {
			bytes = len(*v)
		}
	default:
		fc := graphql.GetFieldContext(ctx)
		if fc.Field.Definition == nil || fc.Field.Definition.Type.Elem == nil {
			return result, nil
		}
		return chargeList(ctx, fc, result)
	}
	if bytes <= longText {
		return result, nil
	}
	if b != nil {
		err = b.charge(0, bytes)
	}
	return result, err
}

// chargeList charges a list that is not part of a page: the static cost has the elements of
// pages, and as many elements as a list argument names. A list of texts is charged for its
// size alone.
func chargeList(ctx context.Context, fc *graphql.FieldContext, result any) (any, error) {
	b, list := budgetOf(ctx), reflect.ValueOf(result)
	if b == nil || list.Kind() != reflect.Slice || strings.HasSuffix(fc.Object, "Connection") || strings.HasPrefix(fc.Object, "__") {
		return result, nil
	}
	if len(fc.Field.Selections) > 0 {
		more := list.Len() - b.measure.elements(fc.Field.Field)
		if more <= 0 {
			return result, nil
		}
		return result, b.charge(times(more, max(b.ofElement(fc.Field), 1)), 0)
	}
	bytes := 0
	for i := range list.Len() {
		if text := list.Index(i); text.Kind() == reflect.String {
			bytes += text.Len()
		}
	}
	return result, b.charge(0, bytes)
}

// ofElement returns the static cost of one element of a list.
func (b *budget) ofElement(f graphql.CollectedField) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	values, known := b.below[f.Field]
	if !known {
		values = b.measure.set(f.Selections).Values
		b.below[f.Field] = values
	}
	return values
}
