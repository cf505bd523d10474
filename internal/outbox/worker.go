package outbox

import (
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
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/store"
)

const (
	// leaseFor bounds how long a dead worker's job waits for another one: less
	// than a minute, with the poll. It is longer than any sender takes.
	leaseFor = 55 * time.Second
	// sendWithin bounds one attempt; a sender has bounds of its own.
	sendWithin = 45 * time.Second
	// pollEvery is how late a job that becomes due is noticed.
	pollEvery = time.Second
	// atOnce is how many mails one process sends at the same time.
	atOnce = 8

	firstRetry = 15 * time.Second
	lastRetry  = time.Hour
	// giveUpAfter is the age at which a mail that cannot be sent is dead.
	giveUpAfter = 24 * time.Hour
)

// ErrObsolete is returned by a Composer for a mail nobody needs any more.
var ErrObsolete = errors.New("outbox: the mail is obsolete")

// Outcome is how far a mail got.
type Outcome int

// The outcomes of an attempt.
const (
	Sent     Outcome = iota
	Retried          // a temporary failure; it will be tried again
	Failed           // refused for good, or given up
	Bounced          // refused for good because of its recipient
	Obsolete         // not tried: nobody needs it any more
)

// Result is what an attempt to send came to.
type Result struct {
	Outcome  Outcome
	Attempts int    // made so far, this one included
	Reason   string // why it did not go out; safe to show to an admin
	Detail   string // of the failure, for the operator alone
	At       time.Time
}

// Composer writes one kind of mail, and hears what became of it.
type Composer interface {
	// Compose writes the mail of the job, or returns ErrObsolete. The worker
	// sets the message's ID.
	Compose(ctx context.Context, j *ent.Job) (mail.Message, error)
	// Record writes the result, in the transaction that ends the attempt.
	Record(ctx context.Context, tx *store.Tx, j *ent.Job, r Result) error
}

// Worker takes jobs and sends their mails.
type Worker struct {
	Store     *store.Store
	Queue     *Queue
	Sender    mail.Sender
	Composers map[string]Composer // by kind
	MailHost  string              // the right-hand side of Message-IDs
	Now       func() time.Time
	Log       *slog.Logger

	health health
}

// Run sends mails until ctx ends, and returns when those it had begun are done
// or their leases given back.
func (w *Worker) Run(ctx context.Context) {
	ctx = access.System(ctx, "work on the outbox")
	if !w.Store.Postgres() {
		// The one process on this file has just started: leases are of a dead one.
		if err := w.release(ctx); err != nil {
			w.Log.Error("outbox: release leases", "error", err)
		}
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if err := errors.Join(w.Drain(ctx), w.probe(ctx)); err != nil && ctx.Err() == nil {
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

// Drain works until no job is due. The context is the system's.
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
	due := job.And(
		job.DeadAtIsNil(), job.RunAtLTE(now),
		job.Or(job.LeasedUntilIsNil(), job.LeasedUntilLTE(now)),
	)
	// A look first: with nothing to do the writer is left alone.
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

// attempt sends the mail of one job and writes down what came of it. What is
// sent is written down even when the server is told to stop meanwhile.
func (w *Worker) attempt(ctx context.Context, j *ent.Job) error {
	c, known := w.Composers[j.Kind]
	if !known {
		reason := fmt.Sprintf("nobody composes %q", j.Kind)
		return w.keep(ctx, j, nothing, func(u *ent.JobUpdate) { u.SetDeadAt(w.Now()) }, reason)
	}
	m, err := c.Compose(ctx, j)
	if errors.Is(err, ErrObsolete) {
		r := Result{Outcome: Obsolete, Attempts: j.Attempts - 1, At: w.Now()}
		return w.finish(ctx, j, func(tx *store.Tx) error { return c.Record(ctx, tx, j, r) })
	}
	if err == nil {
		m.ID = MessageID(j, w.MailHost)
		bounded, cancel := context.WithTimeout(ctx, sendWithin)
		err = w.Sender.Send(bounded, m)
		cancel()
	}
	ctx = context.WithoutCancel(ctx)
	r := w.judge(j, err)
	record := func(tx *store.Tx) error { return c.Record(ctx, tx, j, r) }
	switch r.Outcome {
	case Sent:
		return errors.Join(w.finish(ctx, j, record), w.recover(ctx))
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

func nothing(*store.Tx) error { return nil }

// judge turns the error of an attempt into its result.
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

// finish writes the result and removes the job, together.
func (w *Worker) finish(ctx context.Context, j *ent.Job, record func(*store.Tx) error) error {
	return w.inOrder(ctx, j, func(tx *store.Tx) error {
		if err := record(tx); err != nil {
			return err
		}
		n, err := tx.Job.Delete().Where(job.ID(j.ID), job.Attempts(j.Attempts)).Exec(ctx)
		return stillLeased(n, err)
	})
}

// keep writes the result and changes the job, together; its lease is given up.
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

// stillLeased is the compare-and-set of an attempt's end: each claim counts the
// attempts up.
func stillLeased(rows int, err error) error {
	if err == nil && rows == 0 {
		return errLeaseLost
	}
	return err
}

// inOrder runs f in the order of the account whose log hears of the result. A
// lost lease is no failure: who has the job now writes down its end.
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

// waiting are the jobs that were tried and wait for their next time.
func waiting(now time.Time) predicate.Job {
	return job.And(job.DeadAtIsNil(), job.AttemptsGT(0), job.RunAtGT(now), job.LeasedUntilIsNil())
}

// recover has all mails that wait for their next time go out now, when the mail
// server had been ill and has just taken one.
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

// probe asks an ill mail server, now and then, whether it would take the mail
// that waits longest, and tries that one if so: the others wait for what comes
// of it.
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
		m, err := c.Compose(ctx, j)
		if err == nil {
			m.ID = MessageID(j, w.MailHost)
			err = prober.Probe(ctx, m)
		}
		var refused *mail.Error
		if errors.As(err, &refused) && refused.Temporary {
			return nil // still ill
		}
	}
	// Whatever else it is, the attempt will say.
	w.health.trust()
	return w.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Job.Update().Where(job.ID(j.ID), waiting(w.Now())).SetRunAt(w.Now()).Exec(ctx)
	})
}

// MessageID is the Message-ID of a job's mail, the same for every attempt. It
// tells what the mail is about, so that a bounce can be told from it: see
// ParseMessageID.
func MessageID(j *ent.Job, host string) string {
	return fmt.Sprintf("%s.%s.%d@%s", j.ID, j.SubjectID, j.Generation, host)
}

// ParseMessageID returns what the mail with the Message-ID, in angle brackets or
// not, was about. ok is false for an id that is none of MessageID's.
func ParseMessageID(id string) (subjectID string, generation int, ok bool) {
	local, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(id), "<"), "@")
	parts := strings.Split(local, ".")
	if len(parts) != 3 {
		return "", 0, false
	}
	generation, err := strconv.Atoi(parts[2])
	return parts[1], generation, err == nil
}

// release gives up all leases.
func (w *Worker) release(ctx context.Context) error {
	return w.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Job.Update().Where(job.LeasedUntilNotNil()).ClearLeasedUntil().Exec(ctx)
	})
}

// backoff doubles from firstRetry to lastRetry, with a jitter of a fifth, so
// that a thousand mails do not come back at once.
func backoff(attempts int) time.Duration {
	wait := lastRetry
	if shift := attempts - 1; shift < 8 {
		wait = min(firstRetry<<shift, lastRetry)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5)) //nolint:gosec // jitter is no secret
}
