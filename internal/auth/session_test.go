package auth_test

import (
	"slices"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// sessions is a service with one user on a database of its own, and a clock.
type sessions struct {
	*auth.Service
	clock  *testkit.Clock
	userID string
}

func eachSessions(t *testing.T, test func(t *testing.T, s sessions)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, database string) {
		st := testdb.Open(t, database)
		catalogue, err := access.NewCatalogue()
		if err != nil {
			t.Fatal(err)
		}
		s := sessions{clock: testkit.NewClock()}
		s.Service = &auth.Service{
			Store: st, Now: s.clock.Now, Access: access.NewLoader(catalogue, st.Changes(), s.clock.Now),
			Sessions: access.NewCache[string, auth.Known](st.Changes(), s.clock.Now),
		}
		ctx := access.System(t.Context(), "make a user")
		err = st.InTx(ctx, func(tx *store.Tx) error {
			u, err := s.CreateUser(ctx, tx, auth.NewUser{Address: address.Address{Typed: "ann@x.org", Key: "ann@x.org"}})
			if err == nil {
				s.userID = u.ID
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

// start begins a session of the user.
func (s sessions) start(t *testing.T) (in *auth.SignedIn) {
	t.Helper()
	ctx := access.System(t.Context(), "sign in")
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		in, err = s.StartSession(ctx, tx, s.userID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// live returns whether the session is live by each way to ask, which must agree.
func (s sessions) live(t *testing.T, in *auth.SignedIn) bool {
	t.Helper()
	live, err := s.Store.Read().Session.Query().Where(session.ID(in.SessionID), s.Live()).Exist(access.System(t.Context(), "look"))
	if err != nil {
		t.Fatal(err)
	}
	ended, err := s.Ended(t.Context(), []string{"ses_gone", in.SessionID})
	if err != nil || !slices.Contains(ended, "ses_gone") || slices.Contains(ended, in.SessionID) == live {
		t.Errorf("live = %t, but ended = %v, %v", live, ended, err)
	}
	viewers, err := s.Viewers(t.Context(), []string{"ses_gone", in.SessionID})
	if v := viewers[in.SessionID]; err != nil || (v != nil) != live || live && v.UserID != s.userID || viewers["ses_gone"] != nil {
		t.Errorf("live = %t, but viewers = %v, %v", live, viewers, err)
	}
	return live
}

const day = 24 * time.Hour

func TestASessionEndsOfAgeOrIdleness(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(t *testing.T, s sessions) {
		for _, tt := range []struct {
			rule  string
			every time.Duration // between two uses, before the last wait
			uses  int
			wait  time.Duration
			want  bool
		}{
			{"new", 0, 0, 0, true},
			{"idle for nearly two weeks", 0, 0, 14*day - time.Second, true},
			{"idle for two weeks", 0, 0, 14 * day, false},
			{"used after a week, idle for nearly two", 7 * day, 1, 14*day - time.Second, true},
			{"used after a week, idle for two", 7 * day, 1, 14 * day, false},
			{"used every week, for nearly 30 days", 7 * day, 4, 2*day - time.Second, true},
			{"used every week, for 30 days", 7 * day, 4, 2 * day, false},
		} {
			in := s.start(t)
			if want := s.clock.Now().Add(30 * day); !in.ExpiresAt.Equal(want) {
				t.Errorf("%s: it expires at %s, want %s", tt.rule, in.ExpiresAt, want)
			}
			for range tt.uses {
				s.clock.Advance(tt.every)
				if v, err := s.Authenticate(t.Context(), in.Token); err != nil || v.SessionID != in.SessionID {
					t.Fatalf("%s: a use: got %v, %v", tt.rule, v, err)
				}
			}
			s.clock.Advance(tt.wait)
			if got := s.live(t, in); got != tt.want {
				t.Errorf("%s: live = %t, want %t", tt.rule, got, tt.want)
			}
			_, err := s.Authenticate(t.Context(), in.Token)
			if tt.want && err != nil || !tt.want && !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: authenticated: %v, want it to be live = %t", tt.rule, err, tt.want)
			}
		}
	})
}

// The last use is stored at most every five minutes, so that a busy session is not
// written with every request.
func TestTheUseOfASessionIsStoredNowAndThen(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(t *testing.T, s sessions) {
		in := s.start(t)
		seen := func() time.Time {
			t.Helper()
			ses, err := s.Store.Read().Session.Get(access.System(t.Context(), "look"), in.SessionID)
			if err != nil {
				t.Fatal(err)
			}
			return ses.LastSeenAt
		}
		begin := s.clock.Now()
		for _, step := range []struct{ wait, want time.Duration }{
			{0, 0}, {5*time.Minute - time.Second, 0}, {time.Second, 5 * time.Minute}, {time.Minute, 5 * time.Minute}, {4 * time.Minute, 10 * time.Minute},
		} {
			s.clock.Advance(step.wait)
			if _, err := s.Authenticate(t.Context(), in.Token); err != nil {
				t.Fatal(err)
			}
			if got := seen().Sub(begin); got != step.want {
				t.Errorf("used %s after the beginning: stored %s, want %s", s.clock.Now().Sub(begin), got, step.want)
			}
		}
	})
}

func TestOnlyTheTokenOfASessionIsItsToken(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(t *testing.T, s sessions) {
		in := s.start(t)
		for what, wrong := range map[string]string{
			"none": "", "the id": in.SessionID, "a part": in.Token[:len(in.Token)-1], "more": in.Token + "a", "upper case": "CVS_" + in.Token[4:],
		} {
			if v, err := s.Authenticate(t.Context(), wrong); v != nil || !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: got %v, %v, want %s", what, v, err, fault.Unauthenticated)
			}
		}
		if v, err := s.Refresh(t.Context(), in.SessionID); err != nil || v.UserID != s.userID || v.SessionID != in.SessionID {
			t.Errorf("the session itself: got %v, %v", v, err)
		}
	})
}
