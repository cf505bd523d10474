package server_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
	"github.com/convoke-dev/convoke/internal/uid"
)

// key is an API key with a client of its own.
type key struct {
	*testkit.Client
	id, secret string
}

// newKey makes an API key of the person's account. More fields of the input may follow in
// pairs.
func newKey(w *testkit.World, p *testkit.Person, permissions []string, more ...any) key {
	a := createKey(p.Client, p.AccountID(), permissions, more...).OK()
	secret := a.Text("createApiKey.secret")
	return key{w.WithToken(secret), a.Text("createApiKey.apiKey.id"), secret}
}

func createKey(c *testkit.Client, accountID string, permissions []string, more ...any) *testkit.Answer {
	return c.Mutate("createApiKey", "secret apiKey { id name hint status permissions team { id } expiresAt version }",
		append([]any{"accountId", accountID, "name", "Onboarding", "permissions", permissions}, more...)...)
}

const whichKey = `{ viewer { user { id } apiKey { id name } activeTeam { id } } }`

func TestAnAPIKeyIsHandedOutOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account := owner.AccountID()
		a := createKey(owner.Client, account, []string{"members.read", "team.read"}, "idempotencyKey", "once").OK()
		secret, id := a.Text("createApiKey.secret"), a.Text("createApiKey.apiKey.id")
		t.Run("API-1 the secret has a form that scanners know", func(t *testing.T) {
			if !regexp.MustCompile(`^cvk_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}$`).MatchString(secret) {
				t.Errorf("got %q", secret)
			}
			equal(t, "hint", a.Text("createApiKey.apiKey.hint"), secret[:10])
		})
		t.Run("API-1 it is shown once, also to a call that is repeated", func(t *testing.T) {
			again := createKey(owner.Client, account, []string{"members.read", "team.read"}, "idempotencyKey", "once").OK()
			equal(t, "key", again.Text("createApiKey.apiKey.id"), id)
			if again.At("createApiKey.secret") != nil {
				t.Error("the secret was shown again")
			}
			list := owner.Ask(`account { apiKeys { totalCount nodes { id name hint status permissions creator { ... on User { email } } lastUsedAt } } }`).OK()
			equalList(t, "keys", list.List("team.account.apiKeys.nodes", "id"), id)
			equal(t, "creator", list.Text("team.account.apiKeys.nodes.0.creator.email"), "olivia@acme.test")
			if strings.Contains(list.Raw, secret) {
				t.Error("the list contains the secret")
			}
		})
		t.Run("API-1 only a hash is stored", func(t *testing.T) {
			k := w.Server.Store.Read().APIKey.GetX(access.System(t.Context(), "look at a key"), id)
			if strings.Contains(k.String(), secret) || strings.Contains(string(k.SecretHash), secret[4:]) {
				t.Error("the row contains the secret")
			}
		})
		equal(t, "an id is that of a key", access.IsKey(uid.New(uid.APIKey)), true)
		k := w.WithToken(secret)
		t.Run("API-2 the key goes into a header of every call", func(t *testing.T) {
			got := k.Do(whichKey, nil).OK()
			equal(t, "key", got.Text("viewer.apiKey.id"), id)
			equal(t, "team", got.Text("viewer.activeTeam.id"), owner.TeamID)
			if got.At("viewer.user") != nil {
				t.Error("a key is a user")
			}
			for header, want := range map[string]int{"X-API-Key: " + secret: http.StatusOK, "X-API-Key: " + owner.Session: http.StatusUnauthorized, "X-API-Key: " + secret[:52] + "x": http.StatusUnauthorized} {
				name, value, _ := strings.Cut(header, ": ")
				equal(t, "status", send(t, http.MethodPost, w.URL+"/graphql", `{"query":"`+whichKey+`"}`, "Content-Type", "application/json", name, value).status, want)
			}
		})
		t.Run("API-2 its last use is listed", func(t *testing.T) {
			used := owner.Ask(`account { apiKeys { nodes { lastUsedAt lastUsedFrom } } }`).OK()
			if used.At("team.account.apiKeys.nodes.0.lastUsedAt") == nil {
				t.Error("got no time")
			}
			equal(t, "address", used.Text("team.account.apiKeys.nodes.0.lastUsedFrom"), "127.0.0.1")
		})
	})
}

func TestAnAPIKeyBelongsToTheAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		adam := owner.JoinWith("adam@acme.test", "allPermissions", true)
		k := newKey(w, adam, []string{"members.read", "members.invite", "members.remove", "members.deactivate", "roles.read", "team.read"}, "teamId", adam.TeamID)
		adam.Mutate("leaveTeam", "", "teamId", adam.TeamID).OK()
		t.Run("TO-1 a key outlives who made it", func(t *testing.T) {
			equal(t, "key", k.Do(whichKey, nil).OK().Text("viewer.apiKey.id"), k.id)
		})
		var invited string
		t.Run("TO-2 a key invites, with no person", func(t *testing.T) {
			a := k.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "nina@x.org", "permissions", []string{"team.read"}, "idempotencyKey", "nina")).OK()
			invited = a.Text("inviteUser.invitation.id")
			again := k.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "nina@x.org", "permissions", []string{"team.read"}, "idempotencyKey", "nina")).OK()
			equal(t, "the same invitation", again.Text("inviteUser.invitation.id"), invited)
		})
		t.Run("TO-2 the mail names the account as the inviter", func(t *testing.T) {
			account := owner.Ask(`account { name }`).OK().Text("team.account.name")
			if got := w.Mail.Wait(t, "nina@x.org", 1).Subject; !strings.HasPrefix(got, account+" invited you") {
				t.Errorf("got %q, want %s as the inviter", got, account)
			}
		})
		t.Run("TO-2 people see that the key did it", func(t *testing.T) {
			a := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { inviter { __typename ... on ApiKey { id name } } timeline { nodes { actor { __typename ... on ApiKey { name } } } } } } }`,
				map[string]any{"id": invited}).OK()
			equal(t, "inviter", a.Text("node.inviter.id"), k.id)
			equal(t, "actor", a.Text("node.timeline.nodes.0.actor.name"), "Onboarding")
		})
		t.Run("TO-4 a key removes and deactivates", func(t *testing.T) {
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "nina@x.org", 1)), "password", testkit.Password).OK()
			id := owner.MemberID("nina@x.org")
			k.Mutate("deactivateMember", "", "memberId", id).OK()
			k.Mutate("removeMember", "", "memberId", id).OK()
			equalList(t, "members", owner.Members(), owner.Email)
		})
	})
}

func TestWhatAnAPIKeyMayDo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account := owner.AccountID()
		viewer := owner.Join("vera@x.org", "viewer")
		other := owner.Mutate("createTeam", "team { id }", "accountId", account, "name", "Other").OK().Text("createTeam.team.id")
		t.Run("API-12 nobody makes a key that holds more than they do", func(*testing.T) {
			viewer.Mutate("createApiKey", "", "accountId", account, "name", "K", "permissions", []string{"team.read"}).Refused("FORBIDDEN")
			keys := owner.JoinWith("kim@x.org", "permissions", []string{"apikeys.manage", "team.read"})
			createKey(keys.Client, account, []string{"members.read"}, "teamId", owner.TeamID).Refused("NOT_GRANTABLE permissions")
			createKey(keys.Client, account, []string{"team.read"}, "teamId", other).Refused("NOT_GRANTABLE permissions") // where kim is not
			createKey(keys.Client, account, []string{"team.read"}, "teamId", owner.TeamID).OK()
			restricted := owner.JoinWith("rita@x.org", "permissions", []string{"apikeys.manage", "team.read"}, "allowedDomains", []string{"x.org"})
			createKey(restricted.Client, account, []string{"team.read"}, "teamId", owner.TeamID).Refused("NOT_GRANTABLE permissions")
		})
		t.Run("API-12 only the owner makes keys for all teams, and only where they hold enough", func(*testing.T) {
			admin := owner.JoinWith("adam@x.org", "allPermissions", true)
			createKey(admin.Client, account, []string{"team.read"}).Refused("NOT_GRANTABLE teamId")
			third := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", account, "name", "Third").OK().Text("createTeam.team.id"))
			tina := third.JoinWith("tina@x.org", "permissions", []string{"team.read"})
			offer := third.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", third.MemberID(tina.Email)).OK().Text("requestOwnershipTransfer.transfer.id")
			tina.Mutate("acceptOwnershipTransfer", "", "transferId", offer).OK()
			third.Mutate("leaveTeam", "", "teamId", third.TeamID).OK()
			createKey(owner.Client, account, []string{"team.read"}).Refused("NOT_GRANTABLE permissions")
			tina.Mutate("deleteTeam", "", "teamId", third.TeamID).OK()
		})
		reader := newKey(w, owner, []string{"team.read", "members.read"})
		ofTeam := newKey(w, owner, []string{"team.read", "members.read", "members.invite"}, "teamId", other)
		t.Run("API-12 a key without the permission is refused", func(*testing.T) {
			reader.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "a@x.org", "permissions", []string{"team.read"})).Refused("FORBIDDEN")
		})
		t.Run("API-12 a key of a team acts in no other", func(*testing.T) {
			members := `query($id: ID!) { team(id: $id) { members { totalCount } } }`
			ofTeam.Do(members, map[string]any{"id": other}).OK()
			ofTeam.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "a@x.org", "permissions", []string{"team.read"})).Refused("NOT_FOUND")
			for _, id := range []string{owner.TeamID, other} {
				reader.Do(members, map[string]any{"id": id}).OK()
			}
		})
		t.Run("API-12 a key grants no more than it holds", func(*testing.T) {
			ofTeam.Do(testkit.InviteMutation, testkit.Input("teamId", other, "email", "a@x.org", "permissions", []string{"roles.manage"})).Refused("NOT_GRANTABLE grant.chosen.permissions")
		})
		t.Run("API-12 a key of one team adds no permission to what other teams have", func(*testing.T) {
			role := newRole(owner, "spare", "team.read")
			one := newKey(w, owner, []string{"roles.manage", "roles.read", "billing.read", "team.read"}, "teamId", owner.TeamID)
			one.Mutate("updateRole", "", "roleId", role, "permissions", []string{"team.read", "billing.read"}).Refused("NOT_GRANTABLE permissions")
			one.Mutate("updateRole", "", "roleId", role, "permissions", []string{}).OK()
			all := newKey(w, owner, []string{"roles.manage", "roles.read", "billing.read", "team.read"})
			all.Mutate("updateRole", "", "roleId", role, "permissions", []string{"team.read", "billing.read"}).OK()
		})
		t.Run("API-12 without the right to see keys one learns nothing of them", func(t *testing.T) {
			reading := owner.JoinWith("rosa@x.org", "permissions", []string{"members.read"})
			may := func(p *testkit.Person) *testkit.Answer {
				return p.Do(`query($in: AccessDecisionInput!) { accessDecision(input: $in) { allowed } }`,
					map[string]any{"in": map[string]any{"teamId": owner.TeamID, "userId": reader.id, "permission": "members.read"}})
			}
			may(reading).Refused("FORBIDDEN")
			equal(t, "decision", may(owner).OK().At("accessDecision.allowed"), any(true))
			equal(t, "node", reading.Do(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": reader.id}).OK().At("node"), nil)
			managing := owner.JoinWith("mia@x.org", "permissions", []string{"apikeys.manage"})
			a := managing.Mutate("updateApiKey", "apiKey { id name hint permissions team { id } creator { __typename } lastUsedAt version }", "apiKeyId", ofTeam.id, "name", "Renamed").OK()
			equal(t, "what a manager is shown", strings.Contains(a.Raw, `{"id":"`+ofTeam.id+`","name":"Renamed","hint":null,"permissions":null,"team":null,"creator":null,"lastUsedAt":null,"version":null}`), true)
		})
		t.Run("API-12 a key is told of new teams, and of no keys that it may not see", func(t *testing.T) {
			const changes = `subscription($team: ID!) { teamChanged(teamId: $team) { type nodeId node { __typename } } }`
			sees, hides := owner.Subscribe(changes, map[string]any{"team": owner.TeamID}), reader.Subscribe(changes, map[string]any{"team": owner.TeamID})
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 2 })
			made := newKey(w, owner, []string{"team.read"})
			later := owner.Mutate("createTeam", "team { id }", "accountId", account, "name", "Later").OK().Text("createTeam.team.id")
			equal(t, "a viewer of keys", sees.Next().OK().Text("teamChanged.nodeId"), made.id)
			a := hides.Next().OK()
			equal(t, "others", a.Text("teamChanged.type")+" "+a.Text("teamChanged.nodeId")+" "+a.Text("teamChanged.node.__typename"), "TEAM_CREATED "+later+" Team")
			sees.Close()
			hides.Close()
			owner.Mutate("deleteTeam", "", "teamId", later).OK()
		})
		t.Run("API-12 a key deletes its own team", func(t *testing.T) {
			doomed := owner.Mutate("createTeam", "team { id }", "accountId", account, "name", "Doomed").OK().Text("createTeam.team.id")
			k := newKey(w, owner, []string{"team.delete", "team.read"}, "teamId", doomed)
			equal(t, "deleted", k.Mutate("deleteTeam", "deletedTeamId", "teamId", doomed).OK().Text("deleteTeam.deletedTeamId"), doomed)
			k.Do(whichKey, nil).Refused("UNAUTHENTICATED")
		})
		t.Run("API-12 what needs a person is refused", func(t *testing.T) {
			all := newKey(w, owner, []string{"team.create", "team.read"})
			for mutation, pairs := range map[string][]any{
				"createTeam":       {"accountId", account, "name", "T"},
				"createApiKey":     {"accountId", account, "name", "K", "permissions", []string{"team.read"}},
				"updateProfile":    {"firstName", "K"},
				"changePassword":   {"currentPassword", "a", "newPassword", testkit.Password},
				"changeEmail":      {"newEmail", "k@x.org", "password", "a"},
				"eraseMe":          {"password", "a"},
				"setActiveTeam":    {"teamId", other},
				"leaveTeam":        {"teamId", other},
				"revokeSession":    {"sessionId", "ses_x"},
				"acceptInvite":     {"id", "inv_x"},
				"declineInvite":    {"id", "inv_x"},
				"blockInvitations": {"id", "inv_x"},
			} {
				if got := all.Mutate(mutation, "", pairs...).Code(); got != "FORBIDDEN" {
					t.Errorf("%s: %s, want FORBIDDEN", mutation, got)
				}
			}
			equal(t, "download", send(t, http.MethodGet, w.URL+"/my-data.json", "", "Authorization", "Bearer "+all.secret).status, http.StatusForbidden)
		})
		t.Run("API-1 wrong input names the field", func(*testing.T) {
			for want, input := range map[string][]any{
				"BLANK name":                     {"name", " "},
				"BLANK permissions":              {"permissions", []string{}},
				"PERMISSION_UNKNOWN permissions": {"permissions", []string{"nonsense"}},
				"INVALID_VALUE teamId":           {"teamId", "team_x"},
				"INVALID_VALUE expiresAt":        {"expiresAt", "2001-01-01T00:00:00Z"},
			} {
				createKey(owner.Client, account, []string{"team.read"}, input...).Refused(want)
			}
		})
	})
}

func TestAnAPIKeyEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		team := map[string]any{"team": owner.TeamID}
		k := newKey(w, owner, []string{"members.read", "members.invite", "team.read"})
		id := k.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "nina@x.org", "permissions", []string{"members.invite"})).OK().Text("inviteUser.invitation.id")
		secret := testkit.Token(t, w.Mail.Wait(t, "nina@x.org", 1))
		streams := map[string]*testkit.Stream{"socket": k.Subscribe(watch, team), "sse": k.SubscribeSSE(watch, team)}
		testkit.Eventually(t, func() bool { return w.Server.Streams() == len(streams) })
		t.Run("API-12 it can be narrowed, and not widened", func(t *testing.T) {
			change := func(permissions ...string) *testkit.Answer {
				return owner.Mutate("updateApiKey", "apiKey { permissions version }", "apiKeyId", k.id, "permissions", append([]string{}, permissions...), "name", "Platform")
			}
			change("members.read", "members.remove").Refused("NOT_GRANTABLE permissions")
			change().Refused("BLANK permissions")
			equal(t, "version", change("members.read", "team.read").OK().At("updateApiKey.apiKey.version"), any(float64(2)))
			k.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "b@x.org", "permissions", []string{"team.read"})).Refused("FORBIDDEN")
		})
		t.Run("API-12 an invitation above what the key still holds is refused", func(t *testing.T) {
			equal(t, "acceptance", outcome(w.Anonymous().Accept(secret, "password", testkit.Password)), "INVITER_LOST_GRANT")
		})
		t.Run("TO-1 revoked, it is refused at once and its streams end", func(t *testing.T) {
			owner.Mutate("revokeApiKey", "apiKey { status revokedAt }", "apiKeyId", k.id).OK()
			owner.Mutate("revokeApiKey", "", "apiKeyId", k.id).OK() // twice is a success
			k.Do(whichKey, nil).Refused("UNAUTHENTICATED")
			for name, s := range streams {
				rest := s.Ended()
				if len(rest) == 0 || rest[len(rest)-1].Code() != "UNAUTHENTICATED" {
					t.Errorf("%s: %d answers, want UNAUTHENTICATED at the end", name, len(rest))
				}
			}
			owner.Mutate("updateApiKey", "", "apiKeyId", k.id, "name", "N").Refused("CONFLICT expectedVersion")
		})
		t.Run("TO-1 its invitations stay, and the owner confirms what it had lost", func(t *testing.T) {
			equal(t, "acceptance", outcome(w.Anonymous().Accept(secret, "password", testkit.Password)), "INVITER_LOST_GRANT")
			owner.Mutate("resendInvite", "", "invitationId", id).OK()
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "nina@x.org", 2)), "password", testkit.Password).OK()
		})
		t.Run("TO-1 the log has its life", func(t *testing.T) {
			types := slices.DeleteFunc(logged(owner), func(typ string) bool { return !strings.HasPrefix(typ, "API_KEY_") })
			equalList(t, "events", types, "API_KEY_REVOKED", "API_KEY_UPDATED", "API_KEY_CREATED")
		})
		t.Run("TO-1 a key of a deleted team has ended", func(*testing.T) {
			other := owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Other").OK().Text("createTeam.team.id")
			ofTeam := newKey(w, owner, []string{"team.read"}, "teamId", other)
			owner.Mutate("deleteTeam", "", "teamId", other).OK()
			ofTeam.Do(whichKey, nil).Refused("UNAUTHENTICATED")
		})
	})
}

func TestAnAPIKeyExpires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		clock := w.Clock
		owner := w.SignUp("olivia@acme.test")
		k := newKey(w, owner, []string{"members.read"}, "expiresAt", clock.Now().Add(time.Hour).Format(time.RFC3339))
		s := k.Subscribe(watch, map[string]any{"team": owner.TeamID})
		testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
		clock.Advance(59 * time.Minute)
		k.Do(whichKey, nil).OK()
		clock.Advance(time.Minute)
		k.Do(whichKey, nil).Refused("UNAUTHENTICATED")
		if rest := s.Ended(); len(rest) == 0 || rest[len(rest)-1].Code() != "UNAUTHENTICATED" {
			t.Errorf("%d answers, want UNAUTHENTICATED at the end", len(rest))
		}
		equal(t, "API-1 status", owner.Ask(`account { apiKeys { nodes { status } } }`).OK().Text("team.account.apiKeys.nodes.0.status"), "EXPIRED")
	})
}

// HARD-17: nothing of a person is left in the keys of their account.
func TestAnAPIKeyEndsWithItsAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		zoe := w.SignUp("zoe@x.org")
		k := newKey(w, zoe, []string{"members.invite", "team.read"})
		k.Do(testkit.InviteMutation, testkit.Input("teamId", zoe.TeamID, "email", "nina@x.org", "permissions", []string{"team.read"})).OK()
		export := send(t, http.MethodGet, w.URL+"/my-data.json", "", "Authorization", "Bearer "+zoe.Session)
		equal(t, "the export names the key", strings.Contains(export.body, k.id), true)
		erase(zoe, testkit.Password).OK()
		k.Do(whichKey, nil).Refused("UNAUTHENTICATED")
		ctx := access.System(t.Context(), "look at what is left")
		row := w.Server.Store.Read().APIKey.GetX(ctx, k.id)
		equal(t, "name and address", row.Name+row.LastUsedIP, "Erased")
		equal(t, "events with an address", w.Server.Store.Read().Event.Query().Where(entevent.ActorID(k.id), entevent.ClientIPNEQ("")).CountX(ctx), 0)
	})
}

// TO-1: what a key does while it is revoked is done before, or refused.
func TestAnAPIKeyUnderWayDoesNotOutliveItsEnd(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 60)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for round := range rounds {
			k := newKey(w, owner, []string{"members.invite", "team.read"})
			outcomes := make([]string, 4)
			together(len(outcomes)+1, func(i int) {
				if i == len(outcomes) {
					owner.Mutate("revokeApiKey", "", "apiKeyId", k.id).OK()
					return
				}
				outcomes[i] = outcome(k.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "p"+itoa(round)+itoa(i)+"@x.org", "permissions", []string{"team.read"}, "sendEmail", false)))
			})
			for i, got := range outcomes {
				if got != "in" && got != "UNAUTHENTICATED" {
					t.Errorf("round %d: invitation %d: %s", round, i, got)
				}
			}
			k.Do(whichKey, nil).Refused("UNAUTHENTICATED")
			left, err := w.Server.Store.Read().Invitation.Query().Where(invitation.GranterID(k.id)).Count(access.System(t.Context(), "count what a key answers for"))
			if err != nil || left > 0 {
				t.Errorf("round %d: a revoked key answers for %d invitations, %v", round, left, err)
			}
		}
	})
}
