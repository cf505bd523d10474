package outbox

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/mail"
)

// turnWithin is how long a mail waits for its turn. A mail server that takes longer to accept
// the mails before it is slow, and is then given several at once.
const turnWithin = 10 * time.Second

// settleEvery is the wait before a result that could not be stored is stored again.
const settleEvery = time.Second

// errUnsettled says that a mail was not sent, because the result of an earlier one cannot be
// stored.
var errUnsettled = errors.New("outbox: the result of another mail is not stored yet")

// turns lets one mail at a time be accepted by the mail server: from the step by which the
// server accepts it until its result is committed. A kill in between is what has a mail sent
// twice, so a kill does so to one mail. Connecting, signing in and sending the text of other
// mails go on meanwhile.
type turns struct {
	made  sync.Once
	taken chan struct{} // of capacity 1, made by free
	// stuck is true while the result of a sent mail cannot be stored.
	stuck atomic.Bool
}

// free returns the channel that has room while no mail has the turn.
func (t *turns) free() chan struct{} {
	t.made.Do(func() { t.taken = make(chan struct{}, 1) })
	return t.taken
}

// take waits for the turn, and returns a function that ends it. After turnWithin the mail is
// sent out of turn, unless the result of another one cannot be stored.
func (t *turns) take(ctx context.Context) (end func(), err error) {
	late := time.NewTimer(turnWithin)
	defer late.Stop()
	free := t.free()
	select {
	case free <- struct{}{}:
		return func() { <-free }, nil
	case <-late.C:
		if t.stuck.Load() {
			return nil, errUnsettled
		}
		return func() {}, nil
	case <-ctx.Done():
		return nil, &mail.Error{Temporary: true, Reason: "sending was cancelled", Err: ctx.Err()}
	}
}

// send sends the mail in its turn. end ends the turn; it is never nil.
func (w *Worker) send(ctx context.Context, m mail.Message) (end func(), err error) {
	end = func() {}
	turn := func(ctx context.Context) error {
		ends, err := w.turns.take(ctx)
		if err == nil {
			end = ends
		}
		return err
	}
	if staged, can := w.Sender.(mail.Stager); can {
		err = staged.SendWhen(ctx, m, turn)
		return end, err
	}
	if err := turn(ctx); err != nil {
		return end, err
	}
	return end, w.Sender.Send(ctx, m)
}

// settle records the result of a mail that was sent. While the database is away it tries
// again, until stop is closed, because a result that is lost has the mail sent twice.
func (w *Worker) settle(stop <-chan struct{}, record func() error) error {
	for {
		err := record()
		if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Timeout) {
			return err
		}
		w.turns.stuck.Store(true)
		select {
		case <-stop:
			return err
		case <-time.After(settleEvery):
		}
	}
}
