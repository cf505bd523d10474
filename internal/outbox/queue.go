// Package outbox sends mails that a transaction has requested. The job is a row that the
// transaction writes. Workers lease jobs and send their mails at least once, also when
// the process dies in between.
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

// Draft is a job about to be written. It names the subject of the mail and contains no
// secret, because the worker derives the token.
type Draft struct {
	Kind       string // selects the Composer
	AccountID  string // the account whose event log gets the result; empty = none
	SubjectID  string
	Generation int // of the subject's token; a mail with an older token is not sent
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

// Wake makes the worker look for jobs now. It never blocks.
func (q *Queue) Wake() {
	select {
	case q.news <- struct{}{}:
	default:
	}
}
