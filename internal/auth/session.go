package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

const (
	// SessionFor is how long a session lasts at the most (NIST SP 800-63B, section 4.1.3).
	SessionFor = 30 * 24 * time.Hour
	// idleFor is how long a session may stay unused.
	idleFor = 14 * 24 * time.Hour
	// touchEvery is how often the last use of a session is stored.
	touchEvery = 5 * time.Minute
	// identifyWithin bounds the look-up of a session and its viewer.
	identifyWithin = 10 * time.Second
	// sessionsPerRead is how many sessions one statement names: fewer than SQLite has
	// parameters.
	sessionsPerRead = 1000

	sessionPrefix = "cvs_"
)

// SignedIn is a new session. Its token is returned once and stored nowhere.
type SignedIn struct {
	SessionID string
	Token     string
	ExpiresAt time.Time
}

// StartSession begins a session of the user in the transaction. The context is the
// system's.
func (s *Service) StartSession(ctx context.Context, tx *store.Tx, userID string) (*SignedIn, error) {
	now, from := s.Now(), event.RequestFrom(ctx)
	in := &SignedIn{SessionID: uid.New(uid.Session), Token: token.Random(sessionPrefix), ExpiresAt: now.Add(SessionFor)}
	err := tx.Session.Create().
		SetID(in.SessionID).SetCreatedAt(now).SetLastSeenAt(now).SetExpiresAt(in.ExpiresAt).
		SetUserID(userID).SetTokenHash(token.Hash(in.Token)).SetUserAgent(from.UserAgent).SetClientIP(from.ClientIP).
		Exec(ctx)
	if err == nil {
		err = seen(ctx, tx, userID, now)
	}
	if err != nil {
		return nil, fmt.Errorf("start a session of %s: %w", userID, err)
	}
	return in, nil
}

// renewToken gives the session another token in the transaction. Sockets and streams of the
// session go on: they know it by its id.
func (s *Service) renewToken(ctx context.Context, tx *store.Tx, id string) (*SignedIn, error) {
	ses, err := tx.Session.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find session %s: %w", id, err)
	}
	in := &SignedIn{SessionID: id, Token: token.Random(sessionPrefix), ExpiresAt: ses.ExpiresAt}
	if err := tx.Session.UpdateOne(ses).SetTokenHash(token.Hash(in.Token)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("give session %s another token: %w", id, err)
	}
	return in, nil
}

// seen stores when a user was last active, also on their members, by which lists sort. It
// locks the members before the user, as every transaction does.
func seen(ctx context.Context, tx *store.Tx, userID string, now time.Time) error {
	if err := tx.Member.Update().Where(member.UserID(userID)).SetSeenUnix(now.Unix()).Exec(ctx); err != nil {
		return err
	}
	return tx.User.Update().Where(user.ID(userID)).SetLastSeenAt(now).Exec(ctx)
}

// Known is a cached session or API key with its viewer.
type Known struct {
	viewer  *access.Viewer
	touchAt time.Time // when its use is to be stored again
	expires time.Time // zero = never
}

// Weight is that of the viewer.
func (k Known) Weight() int { return k.viewer.Weight() }

// Authenticate returns the viewer of a session token or of the secret of an API key, from
// the cache if it is there. It fails with UNAUTHENTICATED when there is no such session or
// key, or it has ended, or a session was idle for too long.
func (s *Service) Authenticate(ctx context.Context, credential string) (*access.Viewer, error) {
	credential = token.Clean(credential)
	hash := token.Hash(credential)
	if !strings.HasPrefix(credential, token.APIKey) {
		return s.known(string(hash), func() (*Known, error) { return s.load(ctx, session.TokenHash(hash)) })
	}
	if !token.IsChecked(token.APIKey, credential) {
		return nil, access.ErrKeyEnded
	}
	return s.known(string(hash), func() (*Known, error) { return s.loadKey(ctx, apikey.SecretHash(hash)) })
}

// reload loads the session or the API key with the id, past the cache. It fails like
// Authenticate.
func (s *Service) reload(ctx context.Context, id string) (*Known, error) {
	if access.IsKey(id) {
		return s.loadKey(ctx, apikey.ID(id))
	}
	return s.load(ctx, session.ID(id))
}

// known returns the viewer of a session or an API key from the cache, or else loads and
// caches it.
func (s *Service) known(key string, load func() (*Known, error)) (*access.Viewer, error) {
	if k, ok := s.Sessions.Get(key); ok {
		if now := s.Now(); (k.expires.IsZero() || now.Before(k.expires)) && now.Before(k.touchAt) {
			return k.viewer, nil
		}
	}
	count := s.Store.Changes().Count()
	k, err := load()
	if err != nil {
		return nil, err
	}
	s.Sessions.Put(count, key, *k)
	return k.viewer, nil
}

// Refresh loads the viewer of a session or an API key, past the cache. It fails like
// Authenticate.
func (s *Service) Refresh(ctx context.Context, id string) (*access.Viewer, error) {
	k, err := s.reload(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.viewer, nil
}

// Live is the condition that a session is neither too old nor was idle for too long.
func (s *Service) Live() predicate.Session { return liveAt(s.Now()) }

func liveAt(now time.Time) predicate.Session {
	return session.And(session.ExpiresAtGT(now), session.LastSeenAtGT(now.Add(-idleFor)))
}

// bury deletes those of the sessions that are not live at the time at which they were
// refused. A session that was refused once stays ended, also when the clock is set back.
func (s *Service) bury(ctx context.Context, refusedAt time.Time, which predicate.Session) error {
	over := session.And(which, session.Not(liveAt(refusedAt)))
	// It reads first, because most sessions that are refused are deleted already.
	some, err := s.Store.Read().Session.Query().Where(over).Exist(ctx)
	if err == nil && some {
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.Session.Delete().Where(over).Exec(ctx)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("delete sessions that are over: %w", err)
	}
	return nil
}

// Ended returns which of the sessions and API keys have ended. It costs a statement for
// each 1000 sessions and each 1000 keys, and a few more when some sessions have ended since
// the last call.
func (s *Service) Ended(ctx context.Context, ids []string) (ended []string, err error) {
	ctx = access.System(ctx, "find which sessions and API keys have ended")
	now := s.Now()
	keys, sessionIDs := keysAmong(ids)
	for some := range slices.Chunk(keys, sessionsPerRead) {
		alive, err := s.Store.Read().APIKey.Query().Where(apikey.IDIn(some...), access.LiveKey(now)).IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("find API keys: %w", err)
		}
		ended = append(ended, missing(some, alive)...)
	}
	for some := range slices.Chunk(sessionIDs, sessionsPerRead) {
		alive, err := s.Store.Read().Session.Query().Where(session.IDIn(some...), liveAt(now)).IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("find sessions: %w", err)
		}
		over := missing(some, alive)
		if len(over) > 0 {
			if err := s.bury(ctx, now, session.IDIn(over...)); err != nil {
				return nil, err
			}
		}
		ended = append(ended, over...)
	}
	return ended, nil
}

// missing returns the ids that are not among those of live sessions.
func missing(ids, alive []string) (over []string) {
	slices.Sort(alive)
	for _, id := range ids {
		if _, there := slices.BinarySearch(alive, id); !there {
			over = append(over, id)
		}
	}
	return over
}

// Viewers returns the viewers of the sessions and API keys that have not ended, as they are
// now, by session or key. It costs as many statements as one session and one key do, and
// takes at most 1000.
func (s *Service) Viewers(ctx context.Context, ids []string) (map[string]*access.Viewer, error) {
	ctx, now := access.System(ctx, "read the viewers of open streams"), s.Now()
	keys, sessionIDs := keysAmong(ids)
	viewers := make(map[string]*access.Viewer, len(ids))
	if len(keys) > 0 {
		found, err := s.loadKeys(ctx, now, apikey.IDIn(keys...))
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			viewers[l.key.ID] = l.viewer
		}
	}
	if len(sessionIDs) == 0 {
		return viewers, nil
	}
	found, err := s.loadAll(ctx, now, session.IDIn(sessionIDs...))
	if err != nil {
		return nil, err
	}
	alive := make([]string, len(found))
	for i, l := range found {
		viewers[l.session.ID], alive[i] = l.viewer, l.session.ID
	}
	if over := missing(sessionIDs, alive); len(over) > 0 {
		err = s.bury(ctx, now, session.IDIn(over...))
	}
	return viewers, err
}

// ErrEnded is the error for a session that has ended.
var ErrEnded = fault.Refuse(fault.Unauthenticated, "The session has ended; sign in again.")

// Columns of the user that are selected beside those of a session.
const (
	userEmail    = "user_email"
	userEmailKey = "user_email_key"
	userProof    = "user_email_proof"
)

// load returns a session and its viewer, in three statements, or four for a viewer who is
// restricted to divisions. It stores the use of the session when that is due.
func (s *Service) load(ctx context.Context, which predicate.Session) (*Known, error) {
	ctx, cancel := context.WithTimeout(access.System(ctx, "find out who is asking"), identifyWithin)
	defer cancel()
	now := s.Now()
	all, err := s.loadAll(ctx, now, which)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		if err := s.bury(ctx, now, which); err != nil {
			return nil, err
		}
		return nil, ErrEnded
	}
	ses := all[0].session
	k := &Known{viewer: all[0].viewer, touchAt: ses.LastSeenAt.Add(touchEvery), expires: ses.ExpiresAt}
	if !now.Before(k.touchAt) {
		// A request can still be answered while the database takes no writes.
		if err := s.touch(ctx, ses, now); fault.Is(err, fault.Unavailable) {
			return k, nil // the store logs it
		} else if err != nil {
			s.Log.Warn("store the last use of a session", "session", ses.ID, "error", err)
		} else {
			k.touchAt = now.Add(touchEvery)
		}
	}
	return k, nil
}

// loaded is a session that has not ended, with its viewer.
type loaded struct {
	session *ent.Session
	viewer  *access.Viewer
}

// loadAll returns the sessions that have not ended by now, with their viewers, in as many
// statements as one costs. The context is the system's.
func (s *Service) loadAll(ctx context.Context, now time.Time, which predicate.Session) ([]loaded, error) {
	q := s.Store.Read().Session.Query().Where(which, liveAt(now))
	q.Modify(func(sel *sql.Selector) {
		u := sql.Table(user.Table)
		sel.Join(u).On(sel.C(session.FieldUserID), u.C(user.FieldID))
		sel.AppendSelectAs(u.C(user.FieldEmail), userEmail).AppendSelectAs(u.C(user.FieldEmailKey), userEmailKey).
			AppendSelectAs(u.C(user.FieldEmailProof), userProof)
	})
	sessions, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find sessions: %w", err)
	}
	if len(sessions) == 0 {
		return nil, nil
	}
	users := make([]*ent.User, len(sessions))
	for i, ses := range sessions {
		users[i] = &ent.User{ID: ses.UserID}
		for column, into := range map[string]*string{userEmail: &users[i].Email, userEmailKey: &users[i].EmailKey} {
			if *into, err = access.SelectedText(ses.Value(column)); err != nil {
				return nil, fmt.Errorf("find sessions: %w", err)
			}
		}
		if proof, err := ses.Value(userProof); err == nil && proof != nil { // else it is not settled
			text, err := access.SelectedText(proof, nil)
			if err != nil {
				return nil, fmt.Errorf("find sessions: %w", err)
			}
			users[i].EmailProof = user.EmailProof(text)
		}
	}
	viewers, err := s.Access.LoadAll(ctx, s.Store.Read(), users)
	if err != nil {
		return nil, err
	}
	all := make([]loaded, len(sessions))
	for i, ses := range sessions {
		viewers[i].SessionID = ses.ID
		all[i] = loaded{ses, viewers[i]}
	}
	return all, nil
}

// touch stores the last use of a session, unless another request has done so meanwhile. It
// locks the user before the session.
func (s *Service) touch(ctx context.Context, ses *ent.Session, now time.Time) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		untouched := session.And(session.ID(ses.ID), session.LastSeenAt(ses.LastSeenAt))
		if first, err := tx.Session.Query().Where(untouched).Exist(ctx); err != nil || !first {
			return err
		}
		if err := seen(ctx, tx, ses.UserID, now); err != nil {
			return err
		}
		return tx.Session.Update().Where(untouched).SetLastSeenAt(now).Exec(ctx)
	})
}

// SignOut ends the viewer's session. UNAUTHENTICATED without a viewer, FORBIDDEN for an API
// key.
func (s *Service) SignOut(ctx context.Context) error {
	v, err := access.Person(ctx)
	if err != nil {
		return err
	}
	_, err = s.endSession(access.System(ctx, "sign out"), v.UserID, v.SessionID)
	return err
}

// RevokeSession ends one of the viewer's sessions, also the one in use. UNAUTHENTICATED
// without a viewer, FORBIDDEN for an API key, NOT_FOUND when they have no such session.
func (s *Service) RevokeSession(ctx context.Context, id string) error {
	v, err := access.Person(ctx)
	if err != nil {
		return err
	}
	ended, err := s.endSession(access.System(ctx, "end a session of one's own"), v.UserID, id)
	if err == nil && !ended {
		err = fault.Refuse(fault.NotFound, "There is no such session.")
	}
	return err
}

// EndReplaced ends the session of a token that the client overwrites by the token of a new
// session. The token may be empty or invalid.
func (s *Service) EndReplaced(ctx context.Context, sessionToken string) error {
	if sessionToken == "" {
		return nil
	}
	ctx = access.System(ctx, "end the session that a new one replaces")
	old, err := s.Store.Read().Session.Query().Where(session.TokenHash(token.Hash(sessionToken)), s.Live()).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("find the session that a new one replaces: %w", err)
	}
	_, err = s.endSession(ctx, old.UserID, old.ID)
	return err
}

// endSession ends a session of the user and logs it. ended is false when there is no such
// session.
func (s *Service) endSession(ctx context.Context, userID, id string) (ended bool, err error) {
	err = s.inActiveAccount(ctx, userID, func(tx *store.Tx, accountID string) error {
		n, err := tx.Session.Delete().Where(session.ID(id), session.UserID(userID)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end session %s: %w", id, err)
		}
		if ended = n > 0; !ended || accountID == "" {
			return nil
		}
		return s.Events.Append(ctx, tx, accountID,
			event.Draft{Type: event.UserSignedOut, ActorID: userID, SubjectID: userID})
	})
	return ended, err
}
