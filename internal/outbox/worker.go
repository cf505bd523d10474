package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/job"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

const (
	// leaseFor is how long a worker holds a job. It limits how long the job of a dead
	// worker waits: with the poll less than a minute. It is longer than any send takes.
	leaseFor = 55 * time.Second
	// sendWithin limits the time of one attempt. A sender may have shorter limits.
	sendWithin = 45 * time.Second
	// pollEvery is the longest delay until a due job is noticed.
	pollEvery = time.Second
	// atOnce is how many mails one process sends at the same time.
	atOnce = 8

	firstRetry = 15 * time.Second
	lastRetry  = time.Hour
	// giveUpAfter is the age at which a mail that cannot be sent is given up.
	giveUpAfter = 24 * time.Hour
)

// ErrObsolete is returned by a Composer for a mail that is not needed any more.
var ErrObsolete = errors.New("outbox: the mail is obsolete")

// Outcome is the outcome of an attempt to send a mail.
type Outcome int

// The outcomes of an attempt.
const (
	Sent     Outcome = iota
	Retried          // a temporary failure; it will be tried again
	Failed           // refused for good, or given up
	Bounced          // refused for good because of its recipient
	Obsolete         // not tried, because it is not needed any more
)

// Result is the result of an attempt to send a mail.
type Result struct {
	Outcome  Outcome
	Attempts int    // made so far, including this one
	Reason   string // why it was not sent; safe to show to an admin
	Detail   string // of the failure, for the operator's log only
	At       time.Time
}

// Composer composes one kind of mail, and records the results of its attempts.
type Composer interface {
	// Compose returns the mail of the job, or ErrObsolete. The worker sets the
	// message's ID, and its ReplyTo where it is empty.
	Compose(ctx context.Context, j *ent.Job) (mail.Message, error)
	// Record writes the result, in the transaction that ends the attempt.
	Record(ctx context.Context, tx *store.Tx, j *ent.Job, r Result) error
}

// Worker leases jobs and sends their mails.
type Worker struct {
	Store     *store.Store
	Queue     *Queue
	Sender    mail.Sender
	Composers map[string]Composer // by kind
	MailHost  string              // the right-hand side of Message-IDs
	ReplyTo   string              // the address for replies to mails that have none of their own; may be empty
	Now       func() time.Time
	Log       *slog.Logger

	health health
	turns  turns
}

// Run sends mails until ctx ends. It returns when the attempts that it began have ended or
// have given their leases back.
func (w *Worker) Run(ctx context.Context) {
	ctx = access.System(ctx, "work on the outbox")
	if !w.Store.Postgres() {
		// On SQLite this is the only process, so all leases are of a dead one.
		if err := w.release(ctx); err != nil && !fault.Is(err, fault.Unavailable) {
			w.Log.Error("outbox: release leases", "error", err)
		}
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if err := errors.Join(w.Drain(ctx), w.probe(ctx)); err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) { // which the store logs
			w.Log.Error("outbox", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-w.Queue.news:
		case <-poll.C:
		}
	}
}

// Drain sends mails until no job is due. The context is the system's.
func (w *Worker) Drain(ctx context.Context) error {
	for ctx.Err() == nil {
		jobs, err := w.claim(ctx)
		if err != nil || len(jobs) == 0 {
			return err
		}
		var g errgroup.Group
		for _, j := range jobs {
			g.Go(func() error { return w.attempt(ctx, j) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// claim leases jobs that are due. A job whose lease ran out is due again.
func (w *Worker) claim(ctx context.Context) ([]*ent.Job, error) {
	now := w.Now()
	due := dueAt(now)
	// Read first, so that an idle worker does not occupy the writer.
	if some, err := w.Store.Read().Job.Query().Where(due).Exist(ctx); err != nil || !some {
		return nil, err
	}
	var jobs []*ent.Job
	err := w.Store.InTx(ctx, func(tx *store.Tx) error {
		q := tx.Job.Query().Where(due).Order(job.ByRunAt(), job.ByID()).Limit(atOnce)
		q.Modify(w.Store.SkipLocked())
		var err error
		if jobs, err = q.All(ctx); err != nil {
			return err
		}
		ids := make([]string, len(jobs))
		for i, j := range jobs {
			ids[i] = j.ID
			j.Attempts++
		}
		return tx.Job.Update().Where(job.IDIn(ids...)).SetLeasedUntil(now.Add(leaseFor)).AddAttempts(1).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	return jobs, nil
}

// maxSkew is how far the clocks of servers on one database may differ.
const maxSkew = time.Minute

// dueAt is the condition for jobs to be sent now. Times that nobody can have set are from
// before the clock was set back: a new mail is due at once whatever its time, no wait is
// longer than lastRetry, and no lease longer than leaseFor.
func dueAt(now time.Time) predicate.Job {
	return job.And(
		job.DeadAtIsNil(),
		job.Or(job.RunAtLTE(now), job.Attempts(0), job.RunAtGT(now.Add(lastRetry+maxSkew))),
		job.Or(job.LeasedUntilIsNil(), job.LeasedUntilLTE(now), job.LeasedUntilGT(now.Add(leaseFor+maxSkew))),
	)
}

// attempt sends the mail of one job and records the result. The result of a sent mail is
// recorded even when ctx ends in the meantime.
func (w *Worker) attempt(ctx context.Context, j *ent.Job) error {
	c, known := w.Composers[j.Kind]
	if !known {
		reason := fmt.Sprintf("nobody composes %q", j.Kind)
		return w.keep(ctx, j, nothing, func(u *ent.JobUpdate) { u.SetDeadAt(w.Now()) }, reason)
	}
	m, err := w.compose(ctx, c, j)
	if errors.Is(err, ErrObsolete) {
		r := Result{Outcome: Obsolete, Attempts: j.Attempts - 1, At: w.Now()}
		return w.finish(ctx, j, func(tx *store.Tx) error { return c.Record(ctx, tx, j, r) })
	}
	if fault.Is(err, fault.Unavailable) {
		return err // nothing was tried, and nothing can be stored: the lease ends by itself
	}
	endTurn := func() {}
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, sendWithin)
		endTurn, err = w.send(bounded, m)
		cancel()
	}
	defer func() { endTurn() }()
	if errors.Is(err, errUnsettled) {
		return nil // as above
	}
	stop := ctx.Done()
	ctx = context.WithoutCancel(ctx)
	r := w.judge(j, err)
	record := func(tx *store.Tx) error { return c.Record(ctx, tx, j, r) }
	switch r.Outcome {
	case Sent:
		err := w.settle(stop, func() error { return w.finish(ctx, j, record) })
		w.turns.stuck.Store(err != nil)
		return errors.Join(err, w.recover(ctx))
	case Failed, Bounced:
		w.Log.Warn("mail given up", "job", j.ID, "kind", j.Kind, "attempts", r.Attempts, "reason", r.Reason, "detail", r.Detail)
		return w.keep(ctx, j, record, func(u *ent.JobUpdate) { u.SetDeadAt(r.At) }, r.Reason)
	default:
		w.health.ill(j.ID, err, r.At)
		wait := backoff(j.Attempts)
		w.Log.Info("mail to be tried again", "job", j.ID, "kind", j.Kind, "attempts", r.Attempts, "in", wait.String(), "reason", r.Reason, "detail", r.Detail)
		return w.keep(ctx, j, record, func(u *ent.JobUpdate) { u.SetRunAt(r.At.Add(wait)) }, r.Reason)
	}
}

// compose returns the mail of the job, with what all mails have.
func (w *Worker) compose(ctx context.Context, c Composer, j *ent.Job) (mail.Message, error) {
	m, err := c.Compose(ctx, j)
	m.ID, m.ReplyTo = MessageID(j, w.MailHost), cmp.Or(m.ReplyTo, w.ReplyTo)
	return m, err
}

func nothing(*store.Tx) error { return nil }

// judge returns the result for the error of an attempt.
func (w *Worker) judge(j *ent.Job, err error) Result {
	r := Result{Outcome: Sent, Attempts: j.Attempts, At: w.Now()}
	if err == nil {
		return r
	}
	r.Outcome = Retried
	r.Reason = "The mail could not be prepared."
	var refused *mail.Error
	if errors.As(err, &refused) {
		r.Reason, r.Detail = refused.Reason, refused.Detail
		switch {
		case refused.Recipient:
			r.Outcome = Bounced
		case !refused.Temporary:
			r.Outcome = Failed
		}
	} else {
		w.Log.Error("compose mail", "job", j.ID, "kind", j.Kind, "error", err)
	}
	if r.Outcome == Retried && r.At.Sub(j.CreatedAt) >= giveUpAfter {
		r.Outcome = Failed
	}
	return r
}

// finish records the result and deletes the job in one transaction.
func (w *Worker) finish(ctx context.Context, j *ent.Job, record func(*store.Tx) error) error {
	return w.inOrder(ctx, j, func(tx *store.Tx) error {
		if err := record(tx); err != nil {
			return err
		}
		n, err := tx.Job.Delete().Where(job.ID(j.ID), job.Attempts(j.Attempts)).Exec(ctx)
		return stillLeased(n, err)
	})
}

// keep records the result and changes the job in one transaction. The lease ends.
func (w *Worker) keep(ctx context.Context, j *ent.Job, record func(*store.Tx) error, change func(*ent.JobUpdate), reason string) error {
	return w.inOrder(ctx, j, func(tx *store.Tx) error {
		if err := record(tx); err != nil {
			return err
		}
		u := tx.Job.Update().Where(job.ID(j.ID), job.Attempts(j.Attempts)).ClearLeasedUntil().SetLastError(reason)
		change(u)
		n, err := u.Save(ctx)
		return stillLeased(n, err)
	})
}

// errLeaseLost says that the attempt took longer than its lease, and another
// worker has the job.
var errLeaseLost = errors.New("outbox: the lease was lost")

// stillLeased is the compare-and-set condition for the end of an attempt. Each claim
// increases attempts, so another claim makes it false.
func stillLeased(rows int, err error) error {
	if err == nil && rows == 0 {
		return errLeaseLost
	}
	return err
}

// inOrder runs f in a transaction of the account whose event log gets the result. A lost
// lease is no error, because the worker that holds the job now records its end.
func (w *Worker) inOrder(ctx context.Context, j *ent.Job, f func(tx *store.Tx) error) error {
	run := w.Store.InTx
	if j.AccountID != "" {
		run = func(ctx context.Context, f func(tx *store.Tx) error) error {
			return w.Store.InAccount(ctx, j.AccountID, f)
		}
	}
	if err := run(ctx, f); err != nil && !errors.Is(err, errLeaseLost) {
		return fmt.Errorf("end job %s: %w", j.ID, err)
	}
	return nil
}

// waiting is the condition for jobs that were tried and wait for their next attempt.
func waiting(now time.Time) predicate.Job {
	return job.And(job.DeadAtIsNil(), job.AttemptsGT(0), job.RunAtGT(now), job.LeasedUntilIsNil())
}

// recover makes all waiting mails due now, when the mail server was ill and has just
// accepted one.
func (w *Worker) recover(ctx context.Context) error {
	if !w.health.well() {
		return nil
	}
	ctx, now := context.WithoutCancel(ctx), w.Now()
	err := w.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Job.Update().Where(waiting(now)).SetRunAt(now).Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("release waiting mails: %w", err)
	}
	w.Log.Info("the mail server takes mail again")
	return nil
}

// probe asks an ill mail server from time to time whether it would accept the mail that
// has waited longest. If so, it makes that mail due; its result decides about the others.
func (w *Worker) probe(ctx context.Context) error {
	prober, can := w.Sender.(mail.Prober)
	if now := w.Now(); !can || !w.health.probe(now) {
		return nil
	}
	j, err := w.Store.Read().Job.Query().Where(waiting(w.Now())).Order(job.ByCreatedAt(), job.ByID()).First(ctx)
	if ent.IsNotFound(err) {
		w.health.idle()
		return nil
	}
	if err != nil {
		return fmt.Errorf("find a mail to probe with: %w", err)
	}
	if c, known := w.Composers[j.Kind]; known {
		m, err := w.compose(ctx, c, j)
		if err == nil {
			err = prober.Probe(ctx, m)
		}
		var refused *mail.Error
		if errors.As(err, &refused) && refused.Temporary {
			return nil // still ill
		}
	}
	// After any other error the attempt itself finds out the reason.
	w.health.trust()
	return w.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Job.Update().Where(job.ID(j.ID), waiting(w.Now())).SetRunAt(w.Now()).Exec(ctx)
	})
}

// MessageID returns the Message-ID of a job's mail, which is the same for every attempt.
// It contains the subject of the mail, so that ParseMessageID finds it in a bounce.
func MessageID(j *ent.Job, host string) string {
	return fmt.Sprintf("%s.%s.%d@%s", j.ID, j.SubjectID, j.Generation, host)
}

// ParseMessageID returns the subject and generation of the mail with the Message-ID, which
// may be in angle brackets. ok is false for an id that MessageID has not made.
func ParseMessageID(id string) (subjectID string, generation int, ok bool) {
	local, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(id), "<"), "@")
	parts := strings.Split(local, ".")
	if len(parts) != 3 {
		return "", 0, false
	}
	_, ofJob := uid.Of(parts[0])
	_, ofSubject := uid.Of(parts[1])
	generation, err := strconv.Atoi(parts[2])
	if errors.Join(ofJob, ofSubject, err) != nil || strconv.Itoa(generation) != parts[2] {
		return "", 0, false
	}
	return parts[1], generation, true
}

// release gives up all leases.
func (w *Worker) release(ctx context.Context) error {
	return w.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Job.Update().Where(job.LeasedUntilNotNil()).ClearLeasedUntil().Exec(ctx)
	})
}

// backoff returns the wait before the next attempt. It doubles from firstRetry to
// lastRetry, with a jitter of a fifth, so that many mails are not tried at the same
// moment.
func backoff(attempts int) time.Duration {
	wait := lastRetry
	if shift := attempts - 1; shift < 8 {
		wait = min(firstRetry<<shift, lastRetry)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5)) //nolint:gosec // jitter is no secret
}
