package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

// guarded returns a service that only compares passwords, of which two may be wrong,
// with the hash of the password "right".
func guarded(t *testing.T) (s *Service, hash string) {
	t.Helper()
	hasher, err := NewHasher(argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2030, 1, 7, 12, 0, 0, 0, time.UTC)
	guesses, err := limit.NewGuesses(limit.Rule{N: 2, Per: time.Hour}, "attempts", func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	hash, err = hasher.Hash(t.Context(), "right")
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Hasher: hasher, Limits: Limits{PerClient: guesses}}, hash
}

// runs returns how many hashes f costs.
func runs(s *Service, f func()) int64 {
	before := s.Hasher.Runs()
	f()
	return s.Hasher.Runs() - before
}

func TestAPasswordIsThatOfTheUserOrElseOfTheSignUp(t *testing.T) {
	t.Parallel()
	s, right := guarded(t)
	other, err := s.Hasher.HashBeside(t.Context(), "other", right)
	if err != nil {
		t.Fatal(err)
	}
	apart, err := s.Hasher.Hash(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what, password   string
		ofUser, ofSignUp string
		user, signUp     bool
		cost             int64
	}{
		{"the user's", "right", right, "", true, false, 1},
		{"the user's, beside a sign-up", "right", right, other, true, false, 1},
		{"that of both", "right", right, right, true, false, 1},
		{"the sign-up's", "right", "", right, false, true, 1},
		{"the sign-up's, beside a user", "right", other, right, false, true, 1},
		{"the sign-up's, beside a user with another salt", "right", apart, right, false, true, 2},
		{"wrong for a user", "wrong", right, "", false, false, 1},
		{"wrong for a sign-up", "wrong", "", right, false, false, 1},
		{"wrong for both", "wrong", right, other, false, false, 1},
		{"for an unknown address", "wrong", "", "", false, false, 1},
		{"none, for an unknown address", "", "", "", false, false, 1},
		{"too long", strings.Repeat("x", maxPassword+1), right, "", false, false, 1},
	} {
		var user, signUp bool
		var err error
		cost := runs(s, func() {
			user, signUp, err = s.matchesEither(t.Context(), tt.what, tt.password, tt.ofUser, tt.ofSignUp)
		})
		if err != nil || user != tt.user || signUp != tt.signUp || cost != tt.cost {
			t.Errorf("%s: got %t, %t, %v for %d hashes, want %t, %t for %d", tt.what, user, signUp, err, cost, tt.user, tt.signUp, tt.cost)
		}
	}
}

func TestOnePasswordCostsOneHash(t *testing.T) {
	t.Parallel()
	s, right := guarded(t)
	for _, tt := range []struct {
		what, password, hash string
		want                 bool
	}{
		{"right", "right", right, true},
		{"wrong", "wrong", right, false},
		{"none", "", right, false},
		{"no hash", "right", "", false},
		{"too long", strings.Repeat("x", maxPassword+1), right, false},
	} {
		var got bool
		var err error
		cost := runs(s, func() { got, err = s.matches(t.Context(), tt.what, tt.password, tt.hash) })
		if err != nil || got != tt.want || cost != 1 {
			t.Errorf("%s: got %t, %v for %d hashes, want %t for 1", tt.what, got, err, cost, tt.want)
		}
	}
}

func TestEachPasswordIsOneGuess(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for how, guess := range map[string]func(s *Service, ctx context.Context, password, hash string) error{
		"by one hash": func(s *Service, ctx context.Context, password, hash string) error {
			_, err := s.matches(ctx, "ann@x.org", password, hash)
			return err
		},
		"by either": func(s *Service, ctx context.Context, password, hash string) error {
			_, _, err := s.matchesEither(ctx, "ann@x.org", password, "", hash)
			return err
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s, hash := guarded(t)
			expect := func(what string, got error, limited bool) {
				t.Helper()
				if fault.Is(got, fault.RateLimited) != limited || !limited && got != nil {
					t.Errorf("%s: got %v, limited = %t", what, got, limited)
				}
			}
			expect("the first wrong one", guess(s, t.Context(), "wrong", hash), false)
			expect("a right one, which forgets it", guess(s, t.Context(), "right", hash), false)
			for range 3 {
				if err := guess(s, gone, "wrong", hash); !errors.Is(err, context.Canceled) {
					t.Errorf("one that is not compared: got %v, want %v", err, context.Canceled)
				}
			}
			expect("the first wrong one again", guess(s, t.Context(), "wrong", hash), false)
			expect("the second", guess(s, t.Context(), "wrong", hash), false)
			expect("the third", guess(s, t.Context(), "wrong", hash), true)
			expect("the right one, too late", guess(s, t.Context(), "right", hash), true)
			s.forgetGuesses(t.Context(), "ann@x.org")
			expect("the right one, after a proof", guess(s, t.Context(), "right", hash), false)
		})
	}
}

func TestGuessesAreCountedByAddressAndNetwork(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	for _, tt := range []struct{ email, ip, like string }{
		{"ann@x.org", "192.0.2.7", ""},
		{"ann@x.org", "192.0.2.8", ""},
		{"bob@x.org", "192.0.2.7", ""},
		{"ann@x.org", "2001:db8:1:2::1", ""},
		{"ann@x.org", "2001:db8:1:2::ffff", "ann@x.org 2001:db8:1:2::1"},
		{"ann@x.org", "2001:db8:1:3::1", ""},
		{"ann@x.org", "", ""},
	} {
		who, key := tt.email+" "+tt.ip, guessing(tt.email, tt.ip)
		if first := keys[key]; first != tt.like {
			t.Errorf("%s is counted like %q, want %q", who, first, tt.like)
		}
		if keys[key] == "" {
			keys[key] = who
		}
	}
	s, hash := guarded(t)
	from := func(ip string) context.Context { return event.WithRequest(t.Context(), event.Request{ClientIP: ip}) }
	for range 2 {
		if _, err := s.matches(from("192.0.2.7"), "ann@x.org", "wrong", hash); err != nil {
			t.Fatal(err)
		}
	}
	for ip, limited := range map[string]bool{"192.0.2.7": true, "192.0.2.8": false} {
		if _, err := s.matches(from(ip), "ann@x.org", "right", hash); fault.Is(err, fault.RateLimited) != limited {
			t.Errorf("from %s: got %v, limited = %t", ip, err, limited)
		}
	}
}
