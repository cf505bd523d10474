// Package outbox sends mail that was decided on in a transaction: the job is a
// row of that transaction, and workers with leases see to it that it goes out
// at least once, also when the process dies in between.
package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

// Draft is a job about to be written. It names what to mail about and holds
// no secret: the worker derives the token anew.
type Draft struct {
	Kind       string // who composes the mail
	AccountID  string // the account whose order the result is written in; empty = none
	SubjectID  string
	Generation int // of the subject's token; a mail of an older one is not sent
}

// Queue writes jobs and wakes the workers of this process.
type Queue struct {
	now  func() time.Time
	news chan struct{}
}

// NewQueue returns an empty queue.
func NewQueue(now func() time.Time) *Queue {
	return &Queue{now: now, news: make(chan struct{}, 1)}
}

// Enqueue writes the jobs in the transaction. After the commit a worker is
// woken.
func (q *Queue) Enqueue(ctx context.Context, tx *store.Tx, drafts ...Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	now := q.now()
	creates := make([]*ent.JobCreate, len(drafts))
	for n, d := range drafts {
		creates[n] = tx.Job.Create().
			SetID(uid.New(uid.Job)).SetCreatedAt(now).SetRunAt(now).
			SetKind(d.Kind).SetAccountID(d.AccountID).SetSubjectID(d.SubjectID).SetGeneration(d.Generation)
	}
	if err := tx.Job.CreateBulk(creates...).Exec(access.System(ctx, "write jobs")); err != nil {
		return fmt.Errorf("enqueue %s of %s: %w", drafts[0].Kind, drafts[0].SubjectID, err)
	}
	tx.AfterCommit(q.Wake)
	return nil
}

// Wake has the workers look for jobs now. It never blocks.
func (q *Queue) Wake() {
	select {
	case q.news <- struct{}{}:
	default:
	}
}
