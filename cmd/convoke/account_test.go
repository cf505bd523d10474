package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// operated is a demo that serves, and its database, on which an operator works.
type operated struct {
	*process
	database       string
	session        string // the owner's
	account, team  string
	invited, teams int // so far, for names
}

func newOperated(t *testing.T, database string) *operated {
	t.Helper()
	o := &operated{process: start(t, "demo", "--db", database, "--secret-key", key), database: database}
	answer := o.graphql("", signInOlivia)
	o.session, o.team = field(t, answer, "sessionToken"), field(t, answer, "id")
	list := o.operate(t, "list")
	found := regexp.MustCompile(`(?m)^(acc_\w+) +Acme +ACTIVE +olivia@acme\.test$`).FindStringSubmatch(list)
	if found == nil {
		t.Fatalf("the list is\n%s\nwant Acme in it", list)
	}
	o.account = found[1]
	return o
}

// operate runs convoke account beside the server, and returns what it prints.
func (o *operated) operate(t *testing.T, args ...string) string {
	t.Helper()
	return operate(t, append(args, "--db", o.database)...)
}

func operate(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, append([]string{"account"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("account %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// limits changes limits of the account.
func (o *operated) limits(t *testing.T, flags ...string) {
	t.Helper()
	o.operate(t, append([]string{"limits", o.account}, flags...)...)
}

// report is what show says of an account, as JSON.
type report struct {
	ID, Name, Status, Preset string
	Settings                 map[string]any
	Limits                   map[string]any
	Teams                    []struct {
		ID, Name, Owner string
		Counts          map[string]int
	}
}

func (o *operated) show(t *testing.T, account string) (r report) {
	t.Helper()
	out := o.operate(t, "show", account, "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("show: %v\n%s", err, out)
	}
	return r
}

// createTeam has the owner make a team, which must be refused with the code, or
// succeed when there is none.
func (o *operated) createTeam(t *testing.T, code string) {
	t.Helper()
	o.teams++
	expect(t, code, o.graphql(o.session, fmt.Sprintf(
		`mutation { createTeam(input: {accountId: %q, name: "Team %d"}) { userErrors { code } } }`, o.account, o.teams)))
}

// invite has the owner invite somebody else, as createTeam.
func (o *operated) invite(t *testing.T, code string) {
	t.Helper()
	o.invited++
	expect(t, code, o.graphql(o.session, fmt.Sprintf(
		`mutation { inviteUser(input: {teamId: %q, email: "guest%d@partner.test", grant: {allPermissions: true}}) { userErrors { code } } }`, o.team, o.invited)))
}

func expect(t *testing.T, code, answer string) {
	t.Helper()
	want := `"userErrors":[]`
	if code != "" {
		want = `"userErrors":[{"code":"` + code + `"}]`
	}
	if !strings.Contains(answer, want) {
		t.Fatalf("got %s, want %s", answer, want)
	}
}

// decided reports whether the server decides so about the owner.
func (o *operated) decided(allowed bool) bool {
	answer := o.graphql(o.session, fmt.Sprintf(`{ accessDecision(input: {teamId: %q, permission: "billing.refund"}) { allowed } }`, o.team))
	return strings.Contains(answer, fmt.Sprintf(`"allowed":%t`, allowed))
}

func TestAnOperatorActsWhileAServerRuns(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		o := newOperated(t, address)
		t.Run("SSL-14 an operator can raise the team limit for one account", func(t *testing.T) {
			o.createTeam(t, "")
			o.createTeam(t, "")
			o.createTeam(t, "TEAM_LIMIT_REACHED")
			other := o.otherAccount(t)
			if got, want := o.operate(t, "limits", o.account, "--max-teams", "4"), o.account+": max-teams 4\n"; got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
			o.createTeam(t, "")
			o.createTeam(t, "TEAM_LIMIT_REACHED")
			if got := o.show(t, other).Limits["maxTeams"]; got != 3.0 {
				t.Errorf("another account may have %v teams now, want 3", got)
			}
		})
		t.Run("a lower limit leaves what there is", func(t *testing.T) {
			o.limits(t, "--max-teams", "2")
			o.createTeam(t, "TEAM_LIMIT_REACHED")
			if got := len(o.show(t, o.account).Teams); got != 4 {
				t.Errorf("%d teams are left, want 4", got)
			}
		})
		t.Run("an operator can take a limit away", func(t *testing.T) {
			o.limits(t, "--max-teams=none")
			o.createTeam(t, "")
		})
		t.Run("an operator limits open invitations and members", func(t *testing.T) {
			o.limits(t, "--max-pending-invitations", "0")
			o.invite(t, "PENDING_LIMIT_REACHED")
			o.limits(t, "--max-pending-invitations", "none", "--max-members-per-team", "2")
			o.invite(t, "SEAT_LIMIT_REACHED")
			o.limits(t, "--max-members-per-team", "none")
			o.invite(t, "")
		})
		t.Run("GR-1 on a plan for one user inviting is refused with FEATURE_NOT_AVAILABLE", func(t *testing.T) {
			o.limits(t, "--multi-user=false")
			o.invite(t, "FEATURE_NOT_AVAILABLE")
			o.limits(t, "--multi-user", "true")
			o.invite(t, "")
		})
		t.Run("a suspended account is at a standstill until it is resumed", o.isSuspended)
	})
}

// otherAccount has somebody accept an invitation, and returns the id of the
// personal account that this opens.
func (o *operated) otherAccount(t *testing.T) string {
	t.Helper()
	_, mailbox := o.get("/mailbox.json")
	mail := regexp.MustCompile(`"to":"ines@acme\.test".*?/accept#([\w-]{43})`).FindStringSubmatch(mailbox)
	if mail == nil {
		t.Fatalf("no invitation of Ines among %s", mailbox)
	}
	expect(t, "", o.graphql("", fmt.Sprintf(
		`mutation { acceptInvite(input: {invitation: {token: %q}, password: "correct horse battery staple", transport: BEARER}) { userErrors { code } } }`, mail[1])))
	list := o.operate(t, "list")
	found := regexp.MustCompile(`(?m)^(acc_\w+) .* ines@acme\.test$`).FindStringSubmatch(list)
	if found == nil {
		t.Fatalf("the list is\n%s\nwant an account of Ines in it", list)
	}
	return found[1]
}

func (o *operated) isSuspended(t *testing.T) {
	for range 2 {
		if got, want := o.operate(t, "suspend", o.account), o.account+": suspended\n"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		o.invite(t, "ACCOUNT_SUSPENDED")
		o.createTeam(t, "ACCOUNT_SUSPENDED")
	}
	testkit.Eventually(t, func() bool { return o.decided(false) })
	if got := o.show(t, o.account).Status; got != "SUSPENDED" {
		t.Errorf("its status is %s, want SUSPENDED", got)
	}
	for range 2 {
		if got, want := o.operate(t, "resume", o.account), o.account+": active\n"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		o.invite(t, "")
	}
	testkit.Eventually(t, func() bool { return o.decided(true) })
	events := o.graphql(o.session, `{ viewer { activeTeam { account { auditLog(filter: {types: [ACCOUNT_SUSPENDED, ACCOUNT_RESUMED]}) { nodes { type } } } } } }`)
	if want := `"nodes":[{"type":"ACCOUNT_RESUMED"},{"type":"ACCOUNT_SUSPENDED"}]`; !strings.Contains(events, want) {
		t.Errorf("the log says %s, want %s: once each", events, want)
	}
}

func TestAccountShow(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := start(t, "demo", "--data", data)
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`\bacc_\w+`).FindString(operate(t, "list", "--data", data))
	operate(t, "limits", "--data", data, found, "--max-members-per-team", "7", "--max-pending-invitations", "none")
	got := regexp.MustCompile(`(acc|team)_\w+`).ReplaceAllString(operate(t, "show", "--data", data, found), "${1}_…")
	const want = `id:                                   acc_…
name:                                 Acme
status:                               ACTIVE
preset:                               teams
invitation-ttl-hours:                 72
count-pending-as-seats:               false
keep-invitations-of-removed-members:  false
max-teams:                            3
max-members-per-team:                 7
max-pending-invitations:              none
multi-user:                           true

TEAM                             NAME           OWNER             ACTIVE  INVITED  EXPIRED  DEACTIVATED
team_…  Acme Security  olivia@acme.test  4       3        1        0
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAccountRefusesNonsense(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	database, missing, empty := filepath.Join(folder, "convoke.db"), filepath.Join(folder, "missing.db"), filepath.Join(folder, "empty.db")
	if out, err := exec.CommandContext(t.Context(), binary, "migrate", "--db", database).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	limits := func(flags ...string) []string {
		return append([]string{"limits", "acc_x", "--db", database}, flags...)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"an account to show there is not":    {[]string{"show", "acc_x", "--data", folder}, "there is no such account"},
		"an account to limit there is not":   {limits("--max-teams", "4"), "there is no such account"},
		"an account to suspend there is not": {[]string{"suspend", "acc_x", "--data", folder}, "there is no such account"},
		"an account to resume there is not":  {[]string{"resume", "acc_x", "--data", folder}, "there is no such account"},
		"no account":                         {[]string{"suspend", "--data", folder}, "<account-id>"},
		"no limit":                           {limits(), "say what to change: --max-teams"},
		"a negative limit":                   {limits("--max-teams", "-1"), `--max-teams: give a number from 0 to 2147483647, or none, not "-1"`},
		"a limit in words":                   {limits("--max-members-per-team=many"), `--max-members-per-team: give a number`},
		"a limit beyond GraphQL":             {limits("--max-pending-invitations", "2147483648"), `--max-pending-invitations: give a number`},
		"a limit left out":                   {limits("--max-teams"), `--max-teams: give a number`},
		"an empty limit":                     {limits("--max-teams="), `--max-teams: give a number`},
		"neither yes nor no":                 {limits("--multi-user", "perhaps"), `--multi-user: give true or false, not "perhaps"`},
		"two databases":                      {[]string{"list", "--data", folder, "--db", database}, "give one of them"},
		"a database that is missing":         {[]string{"list", "--db", missing}, "there is no database " + missing},
		"a folder that is missing":           {[]string{"list", "--data", missing}, "there is no database " + filepath.Join(missing, "convoke.db")},
		"another database":                   {[]string{"list", "--db", "mysql://a:hunter2@b/c"}, "postgres://"},
		"a schema that is not up to date":    {[]string{"list", "--db", empty}, "run convoke migrate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, binary, append([]string{"account"}, c.args...)...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), c.says) {
				t.Errorf("%v, %s; want it to fail and say %q", err, out, c.says)
			}
			if strings.Contains(string(out), "hunter2") {
				t.Errorf("it tells the password: %s", out)
			}
			if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v, want it missing still", missing, err)
			}
		})
	}
}
