// Package act is the one door for writes: every change that a viewer makes in an
// account passes through Door.Do. A verb gives it a Rule, which decides who may
// act, and gets an Act: the transaction, the account's row, and the actor.
//
//	a verb ──► Door.Do(ctx, rule, f)
//	             │
//	             │ before the transaction
//	             1  the rule, by the viewer of the request
//	             2  the input, where the rule has a Checking
//	             │
//	             │ in the transaction of the account
//	             3  the rule again, by what the transaction sees
//	             4  the account: suspended?
//	             5  f, in a context of the system
//	             │
//	             ▼ commit
//
// The order is part of the contract, because the first refusal is the answer:
//
//	rule         1                                    3
//	InTeam       UNAUTHENTICATED NOT_FOUND FORBIDDEN  NOT_FOUND FORBIDDEN
//	AccountWide  UNAUTHENTICATED NOT_FOUND FORBIDDEN  NOT_FOUND FORBIDDEN
//	AsMember     UNAUTHENTICATED                      NOT_FOUND
//	AsOwner      UNAUTHENTICATED                      FORBIDDEN
//	AsAddressee                                       the error of its proof
//
// Step 1 keeps people who may not act from taking the account's lock. Step 3 is
// the check that counts, because a right may be taken away between the two.
// Step 4 fails with ACCOUNT_SUSPENDED. A rule with EvenSuspended leaves step 4
// out; its verb may call Act.InUse where its order of refusals needs it later. On
// PostgreSQL the transaction fails with NOT_FOUND when the account is gone.
//
// From step 5 on the guard of package access no longer narrows what is read and
// written. So f names the account or the team in every query.
//
// Some writes do not pass through the door: those without an actor, such as the
// sweep, and those that change the user's own rows alone, such as signing in.
// internal/archtest has the list, with a reason for each.
package act
