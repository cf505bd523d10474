package invite

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/roster"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// named returns the addressees of a bulk call.
func named(emails ...string) []addressee {
	var to []addressee
	for n, email := range emails {
		to = append(to, addresseeOf(email, "emails", strconv.Itoa(n)))
	}
	return to
}

// lines spells a plan out, one line a decision: the outcome, the code of the
// refusal, the open invitation, the first decision about the same address, and
// the resends of the day.
func lines(p plan) []string {
	list := make([]string, len(p))
	for n, d := range p {
		words := []string{string(d.outcome)}
		if d.refused != nil {
			words = append(words, string(d.refused.Code))
		}
		if d.open != nil {
			words = append(words, d.open.ID)
		}
		if d.first >= 0 {
			words = append(words, "="+strconv.Itoa(d.first))
		}
		if d.quota.count > 0 {
			words = append(words, fmt.Sprintf("%dx", d.quota.count))
		}
		list[n] = strings.Join(words, " ")
	}
	return list
}

func wantLines(t *testing.T, rule string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", rule, got, want)
	}
}

func open(id, key string, change func(*ent.Invitation)) *ent.Invitation {
	i := &ent.Invitation{ID: id, EmailKey: key, Status: lifecycle.Pending, ExpiresAt: noon.Add(time.Hour)}
	if change != nil {
		change(i)
	}
	return i
}

func allow(*ent.Invitation) *fault.Error { return nil }

func TestWhatIsKnownOfAddresses(t *testing.T) {
	t.Parallel()
	pending := []*ent.Invitation{
		open("before", "a@x.org", func(i *ent.Invitation) { i.ExpiresAt = noon.Add(time.Second) }),
		open("at", "b@x.org", func(i *ent.Invitation) { i.ExpiresAt = noon }),
		open("after", "c@x.org", func(i *ent.Invitation) { i.ExpiresAt = noon.Add(-time.Second) }),
	}
	k := knownAt(noon, map[string]member.Status{"m@x.org": member.StatusActive}, pending)
	if k.members["m@x.org"] == "" || len(k.members) != 1 {
		t.Errorf("members: got %v", k.members)
	}
	if k.open["a@x.org"] != pending[0] || len(k.open) != 1 {
		t.Errorf("open: got %v", k.open)
	}
	if !slices.Equal(k.overdue, pending[1:]) {
		t.Errorf("overdue: got %v, want those whose expiry has come", k.overdue)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	resentAt := func(ago time.Duration, count int) func(*ent.Invitation) {
		return func(i *ent.Invitation) {
			at := noon.Add(-ago)
			i.ResentAt, i.ResendDayStart, i.ResendsOfDay = &at, &at, count
		}
	}
	refuse := func(*ent.Invitation) *fault.Error { return fault.Input(fault.NotGrantable, "") }
	const a, b, m = "a@x.org", "b@x.org", "m@x.org"
	with := func(invitations ...*ent.Invitation) known {
		return knownAt(noon, map[string]member.Status{m: member.StatusActive, "d@x.org": member.StatusDeactivated}, invitations)
	}
	for _, c := range []struct {
		rule   string
		to     []string
		known  known
		terms  terms
		resend bool
		want   []string
	}{
		{"nobody", nil, with(), terms{}, false, nil},
		{"new addresses", []string{a, b}, with(), terms{}, false, []string{"INVITED", "INVITED"}},
		{"a new address, with resend", []string{a}, with(), terms{}, true, []string{"INVITED"}},
		{"not an address", []string{"x", "", a}, with(), terms{}, false, []string{"FAILED INVALID_EMAIL", "FAILED BLANK", "INVITED"}},
		{"not an address, twice", []string{"x", "x"}, with(), terms{}, false, []string{"FAILED INVALID_EMAIL", "FAILED INVALID_EMAIL"}},
		{"a member", []string{m, a}, with(), terms{}, false, []string{"ALREADY_MEMBER ALREADY_MEMBER", "INVITED"}},
		{"a deactivated member", []string{"D@x.org"}, with(), terms{}, true, []string{"ALREADY_MEMBER MEMBER_DEACTIVATED"}},
		{"a member, with resend", []string{m}, with(), terms{}, true, []string{"ALREADY_MEMBER ALREADY_MEMBER"}},
		{"a member, twice", []string{m, "M@X.org"}, with(), terms{}, false, []string{"ALREADY_MEMBER ALREADY_MEMBER", "ALREADY_MEMBER ALREADY_MEMBER"}},
		{"a member with an open invitation", []string{m}, with(open("i", m, nil)), terms{}, true, []string{"ALREADY_MEMBER ALREADY_MEMBER"}},
		{
			"a new address, three times, in any spelling",
			[]string{a, b, "A@x.org", "a@X.ORG"},
			with(),
			terms{},
			false,
			[]string{"INVITED", "INVITED", "ALREADY_INVITED ALREADY_INVITED =0", "ALREADY_INVITED ALREADY_INVITED =0"},
		},
		{"an open invitation", []string{a}, with(open("i", a, nil)), terms{}, false, []string{"ALREADY_INVITED ALREADY_INVITED i"}},
		{
			"an open invitation, twice",
			[]string{a, a},
			with(open("i", a, nil)),
			terms{},
			false,
			[]string{"ALREADY_INVITED ALREADY_INVITED i", "ALREADY_INVITED ALREADY_INVITED =0"},
		},
		{
			"an overdue invitation is none",
			[]string{a},
			with(open("i", a, func(i *ent.Invitation) { i.ExpiresAt = noon })),
			terms{},
			true,
			[]string{"INVITED"},
		},
		{"an open invitation, with resend", []string{a}, with(open("i", a, nil)), terms{}, true, []string{"RESENT i 1x"}},
		{
			"an open invitation, with resend, twice",
			[]string{a, a},
			with(open("i", a, nil)),
			terms{},
			true,
			[]string{"RESENT i 1x", "ALREADY_INVITED ALREADY_INVITED =0"},
		},
		{"resent before", []string{a}, with(open("i", a, resentAt(time.Minute, 3))), terms{}, true, []string{"RESENT i 4x"}},
		{"resent just now", []string{a}, with(open("i", a, resentAt(time.Second, 1))), terms{}, true, []string{"FAILED RESEND_LIMIT_REACHED i"}},
		{"resent too often", []string{a}, with(open("i", a, resentAt(time.Hour, 5))), terms{}, true, []string{"FAILED RESEND_LIMIT_REACHED i"}},
		{"resent just now, without resend", []string{a}, with(open("i", a, resentAt(0, 1))), terms{}, false, []string{"ALREADY_INVITED ALREADY_INVITED i"}},
		{
			"above the inviter's own rights, before the quota",
			[]string{a, b},
			with(open("i", a, resentAt(0, 1))),
			terms{answersFor: refuse},
			true,
			[]string{"FAILED NOT_GRANTABLE i", "INVITED"},
		},
		{
			"the quota before the plan",
			[]string{a},
			with(open("i", a, resentAt(0, 1))),
			terms{account: oneUserOnly()},
			true,
			[]string{"FAILED RESEND_LIMIT_REACHED i"},
		},
		{
			"on a plan for one user; limit refuses what is new",
			[]string{a, b},
			with(open("i", a, nil)),
			terms{account: oneUserOnly()},
			true,
			[]string{"FAILED FEATURE_NOT_AVAILABLE i", "INVITED"},
		},
	} {
		c.terms.now = noon
		if c.terms.answersFor == nil {
			c.terms.answersFor = allow
		}
		wantLines(t, c.rule, lines(classify(named(c.to...), c.known, c.terms, c.resend)), c.want)
	}
}

func number(n int) *int { return &n }

func TestRoom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule     string
		capacity capacity
		wanted   int
		room     int
		full     fault.Code
	}{
		{"no limits", capacity{}, 500, 500, ""},
		{"a plan for one user", capacity{oneUser: true}, 1, 0, fault.FeatureNotAvailable},
		{"a plan for one user, whatever else is full", capacity{oneUser: true, maxPending: number(0), seats: number(0)}, 1, 0, fault.FeatureNotAvailable},
		{"fewer open than allowed", capacity{maxPending: number(5), pending: 2}, 2, 2, ""},
		{"just as many as allowed", capacity{maxPending: number(5), pending: 2}, 3, 3, ""},
		{"one more than allowed", capacity{maxPending: number(5), pending: 2}, 4, 3, fault.PendingLimitReached},
		{"none allowed", capacity{maxPending: number(0)}, 1, 0, fault.PendingLimitReached},
		{"more open than allowed, since the limit was lowered", capacity{maxPending: number(5), pending: 9}, 1, 0, fault.PendingLimitReached},
		{"one seat is enough for all", capacity{seats: number(1)}, 9, 9, ""},
		{"no seat", capacity{seats: number(0)}, 1, 0, fault.SeatLimitReached},
		{"each takes a seat, and there are enough", capacity{seats: number(2), reserves: true}, 2, 2, ""},
		{"each takes a seat, and one is missing", capacity{seats: number(2), reserves: true}, 3, 2, fault.SeatLimitReached},
		{"each takes a seat, and there is none", capacity{seats: number(0), reserves: true}, 1, 0, fault.SeatLimitReached},
		{"seats are scarcer", capacity{maxPending: number(3), seats: number(2), reserves: true}, 9, 2, fault.SeatLimitReached},
		{"open ones are scarcer", capacity{maxPending: number(2), seats: number(3), reserves: true}, 9, 2, fault.PendingLimitReached},
		{"both alike", capacity{maxPending: number(2), seats: number(2), reserves: true}, 9, 2, fault.PendingLimitReached},
		{"open ones are scarce, and no seat", capacity{maxPending: number(2), seats: number(0)}, 9, 0, fault.SeatLimitReached},
	} {
		room, full := c.capacity.room(c.wanted)
		if room != c.room || (full == nil) != (c.full == "") || full != nil && full.Code != c.full {
			t.Errorf("%s: got room for %d, then %v; want %d, %q", c.rule, room, full, c.room, c.full)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	const a, b, c, m, o = "a@x.org", "b@x.org", "c@x.org", "m@x.org", "o@x.org"
	to := named(m, a, "bad", o, b, a, c, c)
	made := func() plan {
		return classify(to, knownAt(noon, map[string]member.Status{m: member.StatusActive, "d@x.org": member.StatusDeactivated}, []*ent.Invitation{open("i", o, nil)}), terms{now: noon, answersFor: allow}, true)
	}
	for _, row := range []struct {
		rule     string
		capacity capacity
		want     []string // of a, b, a again, c, c again
	}{
		{"no limits", capacity{}, []string{"INVITED", "INVITED", "ALREADY_INVITED ALREADY_INVITED =1", "INVITED", "ALREADY_INVITED ALREADY_INVITED =6"}},
		{"three", capacity{maxPending: number(3)}, []string{"INVITED", "INVITED", "ALREADY_INVITED ALREADY_INVITED =1", "INVITED", "ALREADY_INVITED ALREADY_INVITED =6"}},
		{"two", capacity{maxPending: number(2)}, []string{
			"INVITED", "INVITED", "ALREADY_INVITED ALREADY_INVITED =1", "FAILED PENDING_LIMIT_REACHED", "FAILED PENDING_LIMIT_REACHED =6",
		}},
		{"one", capacity{seats: number(1), reserves: true}, []string{
			"INVITED", "FAILED SEAT_LIMIT_REACHED", "ALREADY_INVITED ALREADY_INVITED =1", "FAILED SEAT_LIMIT_REACHED", "FAILED SEAT_LIMIT_REACHED =6",
		}},
		{"none", capacity{oneUser: true}, []string{
			"FAILED FEATURE_NOT_AVAILABLE", "FAILED FEATURE_NOT_AVAILABLE", "FAILED FEATURE_NOT_AVAILABLE =1", "FAILED FEATURE_NOT_AVAILABLE", "FAILED FEATURE_NOT_AVAILABLE =6",
		}},
	} {
		p := made()
		p.limit(row.capacity)
		p.settle()
		got := lines(p)
		wantLines(t, row.rule+": those that need no new invitation", []string{got[0], got[2], got[3]},
			[]string{"ALREADY_MEMBER ALREADY_MEMBER", "FAILED INVALID_EMAIL", "RESENT i 1x"})
		wantLines(t, row.rule, []string{got[1], got[4], got[5], got[6], got[7]}, row.want)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	limited := fault.Refuse(fault.RateLimited, "Too many.")
	const a, b, o = "a@x.org", "b@x.org", "o@x.org"
	for _, c := range []struct {
		rule    string
		to      []string
		refused []int
		bulk    bool
		want    []string
		err     bool
	}{
		{"nothing refused", []string{a, b, o}, nil, true, []string{"INVITED", "INVITED", "RESENT i 1x"}, false},
		{"one new address of a bulk call", []string{a, b, o}, []int{1}, true, []string{"INVITED", "FAILED RESEND_LIMIT_REACHED", "RESENT i 1x"}, false},
		{"one resend of a bulk call", []string{a, o}, []int{1}, true, []string{"INVITED", "FAILED RESEND_LIMIT_REACHED i 1x"}, false},
		{"an address that is named again", []string{a, a}, []int{0}, true, []string{"FAILED RESEND_LIMIT_REACHED", "FAILED RESEND_LIMIT_REACHED =0"}, false},
		{"the one address of a bulk call", []string{a}, []int{0}, true, []string{"FAILED RESEND_LIMIT_REACHED"}, false},
		{"the new address of a single call", []string{a}, []int{0}, false, nil, true},
		{"the resend of a single call", []string{o}, []int{0}, false, nil, true},
		{"nothing refused of a single call", []string{a}, nil, false, []string{"INVITED"}, false},
	} {
		p := classify(named(c.to...), knownAt(noon, nil, []*ent.Invitation{open("i", o, nil)}), terms{now: noon, answersFor: allow}, true)
		refused := map[int]*fault.Error{}
		for _, n := range c.refused {
			refused[n] = limited
		}
		err := p.throttle(refused, c.bulk)
		if c.err {
			if !errors.Is(err, limited) {
				t.Errorf("%s: got %v, want the refusal of the rate limit, with the time to wait", c.rule, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: got %v, want none", c.rule, err)
		}
		p.settle()
		wantLines(t, c.rule, lines(p), c.want)
	}
}

// TestTake uses real buckets: it checks what is charged, in which order, and
// what stays charged after a refusal.
func TestTake(t *testing.T) {
	t.Parallel()
	const a, b, o = "a@x.org", "b@x.org", "o@x.org"
	bucket := func(n int) *limit.Bucket {
		l, err := limit.NewBucket(limit.Rule{N: n, Per: time.Hour}, "things", func() time.Time { return noon })
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	left := func(l *limit.Bucket, key string) (n int) {
		for l.Take(key, 1) == nil {
			n++
		}
		return n
	}
	type budgets struct{ inviter, account, address int } // address: b
	inviter := &access.Membership{UserID: "user", AccountID: "account"}
	for _, c := range []struct {
		rule    string
		to      []string
		mailed  bool
		had     budgets // of 9, 9 and 2
		refused []int
		limited bool // the whole call
		left    budgets
	}{
		{"new addresses", []string{a, b}, true, budgets{9, 9, 2}, nil, false, budgets{7, 7, 1}},
		{"a resend and a new address", []string{o, b}, true, budgets{9, 9, 2}, nil, false, budgets{7, 7, 1}},
		{"a member and no address cost nothing", []string{"m@x.org", "bad"}, true, budgets{0, 0, 0}, nil, false, budgets{0, 0, 0}},
		{"an address that is named again costs nothing", []string{b, b, b}, true, budgets{9, 9, 2}, nil, false, budgets{8, 8, 1}},
		{"without mail the address is not charged", []string{a, b}, false, budgets{9, 9, 0}, nil, false, budgets{7, 7, 0}},
		{"what the address refuses is charged to the inviter", []string{a, b}, true, budgets{9, 9, 0}, []int{1}, false, budgets{7, 7, 0}},
		{"just enough", []string{a, b}, true, budgets{2, 2, 1}, nil, false, budgets{0, 0, 0}},
		{"too much for the inviter: nothing is charged", []string{a, b}, true, budgets{1, 9, 2}, nil, true, budgets{1, 9, 2}},
		{"too much for the account: the inviter is charged", []string{a, b}, true, budgets{9, 1, 2}, nil, true, budgets{7, 1, 2}},
		{"a resend is charged before the new ones", []string{b, o, a}, true, budgets{2, 9, 2}, nil, true, budgets{1, 8, 2}},
		{"a resend that the inviter cannot afford is refused alone", []string{o}, true, budgets{0, 9, 2}, []int{0}, false, budgets{0, 9, 2}},
		{"a resend that the account cannot afford is refused alone", []string{o}, true, budgets{9, 0, 2}, []int{0}, false, budgets{8, 0, 2}},
	} {
		s := &Service{PerInviter: bucket(9), PerAccount: bucket(9), PerRecipient: bucket(2)}
		for _, spent := range []error{
			s.PerInviter.Take("user", 9-c.had.inviter), s.PerAccount.Take("account", 9-c.had.account),
			s.PerRecipient.Take("invitation "+b, 2-c.had.address),
		} {
			if spent != nil {
				t.Fatal(spent)
			}
		}
		to := named(c.to...)
		p := classify(to, knownAt(noon, map[string]member.Status{"m@x.org": member.StatusActive}, []*ent.Invitation{open("i", o, nil)}), terms{now: noon, answersFor: allow}, true)
		refused, err := s.take(p, to, inviter, c.mailed)
		if fault.Is(err, fault.RateLimited) != c.limited || err != nil && !c.limited {
			t.Errorf("%s: got %v, want RATE_LIMITED of the call: %v", c.rule, err, c.limited)
		}
		if which := slices.Sorted(maps.Keys(refused)); !slices.Equal(which, c.refused) {
			t.Errorf("%s: got refusals of %v, want of %v", c.rule, which, c.refused)
		}
		got := budgets{left(s.PerInviter, "user"), left(s.PerAccount, "account"), left(s.PerRecipient, "invitation "+b)}
		if got != c.left {
			t.Errorf("%s: got %+v left, want %+v", c.rule, got, c.left)
		}
	}
}

func TestResultsOfAPlan(t *testing.T) {
	t.Parallel()
	to := named("a@x.org", "bad", "a@x.org")
	p := classify(to, knownAt(noon, nil, nil), terms{now: noon, answersFor: allow}, false)
	made := &Issued{ID: "inv"}
	got := p.results(to, []*Issued{made, nil, made})
	for n, want := range []struct {
		outcome Outcome
		issued  *Issued
		code    fault.Code
		field   []string
	}{
		{Invited, made, "", nil},
		{Failed, nil, fault.InvalidEmail, []string{"emails", "1"}},
		{AlreadyInvited, made, fault.AlreadyInvited, []string{"emails", "2"}},
	} {
		r := got[n]
		if r.Email != to[n].typed || r.Outcome != want.outcome || r.Issued != want.issued {
			t.Errorf("%d: got %+v, want %+v", n, r, want)
		}
		switch {
		case want.code == "" && len(r.Errors) == 0:
		case len(r.Errors) != 1 || r.Errors[0].Code != want.code || !slices.Equal(r.Errors[0].Field, want.field):
			t.Errorf("%d: got errors %v, want %s at %v", n, r.Errors, want.code, want.field)
		}
	}
}

func TestACallThatSentNothingIsNotKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcomes []Outcome
		worth    bool
	}{
		{nil, false},
		{[]Outcome{Failed, AlreadyMember, AlreadyInvited}, false},
		{[]Outcome{Failed, Invited}, true},
		{[]Outcome{Resent, Failed}, true},
	} {
		var results []Result
		for _, o := range c.outcomes {
			results = append(results, Result{Outcome: o})
		}
		if _, worth := keep(results); worth != c.worth {
			t.Errorf("%v: got kept %v, want %v", c.outcomes, worth, c.worth)
		}
	}
}

func TestALinkIsKeptByItsGeneration(t *testing.T) {
	t.Parallel()
	list, _ := keep([]Result{
		{Outcome: Resent, Issued: &Issued{ID: "i", URL: "https://x.org/accept#secret", generation: 3}},
		{Outcome: Invited, Issued: &Issued{ID: "j"}},
	})
	if got := list[0]; got.ID != "i" || !got.HandedOver || got.Generation != 3 {
		t.Errorf("a link that was handed over: got %+v", got)
	}
	if got := list[1]; got.ID != "j" || got.HandedOver {
		t.Errorf("a link that was mailed: got %+v", got)
	}
	text, err := json.Marshal(list)
	if err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("got %s, %v, want no link in it", text, err)
	}
}

func TestTheStoredFormOfACallStays(t *testing.T) {
	t.Parallel()
	key := "k"
	d := Draft{
		TeamID: "team", FirstName: "Ann", Note: "Hi", Grant: roster.Wish{RoleIDs: []string{"r"}},
		Scope: roster.Scope{Domains: []string{"x.org"}}, ExpiresInHours: number(5), SendEmail: true, IdempotencyKey: &key,
	}
	got, err := json.Marshal(callOf(d, call{mutation: "inviteUsers", to: named("A@x.org", "bad")}).Input)
	const want = `{"Offer":{"TeamID":"team","FirstName":"Ann","LastName":"","JobTitle":"","Note":"Hi",` +
		`"Grant":{"RoleIDs":["r"],"GroupIDs":null,"Permissions":null,"AllPermissions":false},` +
		`"Scope":{"DivisionIDs":null,"Domains":["x.org"]},"ExpiresInHours":5,"SendEmail":true,"ResendOnConflict":false},` +
		`"Emails":["A@x.org","bad"]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s, or a key from before an upgrade is not recognised", got, err, want)
	}
}
