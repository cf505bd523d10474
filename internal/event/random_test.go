package event_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// following is a reader of an account's log, as a client is: it keeps its last
// cursor, and may be connected or not.
type following struct {
	account string
	last    int64
	sub     *listener
}

// A reader that comes back with its cursor gets every event of its account exactly
// once, in order, whatever was done before and in whatever order.
func TestEachCursorSeesItsAccountOnceInOrder(t *testing.T) {
	t.Parallel()
	rounds.OfRapid(t, 100)
	eachNode(t, func(t *testing.T, n node) {
		heads := map[string]int64{"acc_A": 0, "acc_B": 0}
		rapid.Check(t, func(r *rapid.T) {
			var readers []*following
			account := rapid.SampledFrom([]string{"acc_A", "acc_B"})
			connect := func(r *rapid.T, f *following) {
				var err error
				if f.sub, err = n.listen(t.Context(), f.account, &event.Cursor{AccountID: f.account, Seq: f.last}); err != nil {
					r.Fatalf("subscribe after %d: %v", f.last, err)
				}
			}
			some := func(r *rapid.T) *following {
				if len(readers) == 0 {
					r.Skip("nobody reads yet")
				}
				return readers[rapid.IntRange(0, len(readers)-1).Draw(r, "reader")]
			}
			// read reads on until the reader has seen the event with this number.
			read := func(r *rapid.T, f *following, until int64) {
				for f.last < until {
					if f.sub == nil {
						connect(r, f)
					}
					batch, err := f.sub.Next(t.Context())
					if errors.Is(err, event.ErrStopping) {
						f.sub.Close()
						f.sub = nil
						continue
					}
					if err != nil {
						r.Fatal(err)
					}
					for _, e := range batch {
						if e.AccountID != f.account || e.Seq != f.last+1 {
							r.Fatalf("got event %d of %s after %d of %s", e.Seq, e.AccountID, f.last, f.account)
						}
						f.last = e.Seq
					}
				}
			}
			r.Repeat(map[string]func(*rapid.T){
				"write": func(r *rapid.T) {
					id, amount := account.Draw(r, "account"), rapid.IntRange(1, 40).Draw(r, "events")
					n.write(t, id, amount)
					heads[id] += int64(amount)
				},
				"begin": func(r *rapid.T) {
					id := account.Draw(r, "account")
					f := &following{account: id, last: rapid.Int64Range(max(0, heads[id]-100), heads[id]).Draw(r, "after")}
					connect(r, f)
					readers = append(readers, f)
				},
				"read": func(r *rapid.T) {
					f := some(r)
					read(r, f, rapid.Int64Range(f.last, heads[f.account]).Draw(r, "until"))
				},
				"leave": func(r *rapid.T) {
					if f := some(r); f.sub != nil {
						f.sub.Close()
						f.sub = nil
					}
				},
				"restart": func(*rapid.T) {
					n.stop()
					n = start(t, n.Store)
				},
			})
			for _, f := range readers {
				read(r, f, heads[f.account])
				if f.sub != nil {
					f.sub.Close()
				}
			}
		})
	})
}
