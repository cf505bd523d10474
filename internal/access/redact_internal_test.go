package access

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
)

// What a redaction makes of a field.
type fate string

const (
	shown  fate = "shown"  // as it is in the row
	masked fate = "masked" // something else, and not nothing
	absent fate = "absent" // nothing
)

// fates says what becomes of each field of a row in some redactions, in the order
// of their names.
type fates map[string][]fate

func all(n int, f fate) []fate {
	list := make([]fate, n)
	for i := range list {
		list[i] = f
	}
	return list
}

// fill gives every exported field below v a value that is not zero; a row in an
// edge gets fields, and no edges of its own.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("ann@x.org")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if v.Elem().Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeFor[time.Time]() {
			fillFields(t, v.Elem(), "Edges")
		} else {
			fill(t, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2030, 1, 7, 12, 0, 0, 0, time.UTC)))
			return
		}
		fillFields(t, v, "")
	default:
		t.Fatalf("no value for a field of type %s: add one to fill", v.Type())
	}
}

// fillFields fills the fields of a struct, but for one.
func fillFields(t *testing.T, v reflect.Value, but string) {
	t.Helper()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && f.Name != but {
			fill(t, v.Field(i))
		}
	}
}

// holds compares a redacted struct with its row, field by field, and fails for a
// field without a line.
func (want fates) holds(t *testing.T, which int, row, redacted reflect.Value) {
	t.Helper()
	for i := range row.NumField() {
		f := row.Type().Field(i)
		if !f.IsExported() || f.Name == "Edges" {
			continue
		}
		line, decided := want[f.Name]
		if !decided {
			t.Errorf("%s.%s has no line: decide whether it is shown", row.Type(), f.Name)
			continue
		}
		is, was, got := redacted.Field(i), row.Field(i), masked
		switch {
		case is.IsZero(), is.Kind() == reflect.Slice && is.Len() == 0:
			got = absent
		case reflect.DeepEqual(is.Interface(), was.Interface()):
			got = shown
		}
		if was.IsZero() {
			t.Fatalf("%s.%s is empty in the row: this test sees nothing", row.Type(), f.Name)
		}
		if got != line[which] {
			t.Errorf("%s.%s is %s, want %s", row.Type(), f.Name, got, line[which])
		}
	}
}

// complete fails for a line of a field that does not exist.
func (want fates) complete(t *testing.T, row reflect.Type) {
	t.Helper()
	for name := range want {
		if _, there := row.FieldByName(name); !there {
			t.Errorf("%s has no field %s any more", row, name)
		}
	}
}

// redacted tests each of the redactions of a row by the table, and what becomes of
// its edges by the other one.
func redacted[T any](t *testing.T, fields, edges fates, redactions ...func(*T) *T) {
	t.Helper()
	row := new(T)
	fill(t, reflect.ValueOf(row).Elem())
	fields.complete(t, reflect.TypeFor[T]())
	for which, redact := range redactions {
		is, was := reflect.ValueOf(redact(row)).Elem(), reflect.ValueOf(row).Elem()
		fields.holds(t, which, was, is)
		if e := was.FieldByName("Edges"); e.IsValid() {
			edges.complete(t, e.Type())
			edges.holds(t, which, e, is.FieldByName("Edges"))
		}
	}
}

func TestOfAPersonWhoLeftTheNameAndTheAddressAreLeft(t *testing.T) {
	t.Parallel()
	redacted(t, fates{
		"ID": {shown}, "Email": {shown}, "EmailVerifiedAt": {shown}, "EmailProof": {shown}, "FirstName": {shown}, "LastName": {shown}, "ErasedAt": {shown},
		"CreatedAt": {absent}, "UpdatedAt": {absent}, "Version": {absent}, "EmailKey": {absent}, "JobTitle": {absent},
		"PasswordHash": {absent}, "LastSeenAt": {absent}, "ActiveTeamID": {absent},
	}, fates{
		"Members": {absent}, "Sessions": {absent}, "SentInvitations": {absent}, "AcceptedInvitations": {absent}, "CreatedKeys": {absent},
	}, outsider)
}

func TestOfAnAPIKeyTheNameIsLeft(t *testing.T) {
	t.Parallel()
	redacted(t, fates{
		"ID": {shown}, "AccountID": {shown}, "Name": {shown},
		"CreatedAt": {absent}, "UpdatedAt": {absent}, "Version": {absent}, "AccountWide": {absent}, "TeamID": {absent}, "Permissions": {absent},
		"SecretHash": {absent}, "Hint": {absent}, "CreatorID": {absent}, "ExpiresAt": {absent}, "RevokedAt": {absent},
		"LastUsedAt": {absent}, "LastUsedIP": {absent},
	}, fates{
		"Account": {absent}, "Team": {absent}, "Creator": {absent}, "SentInvitations": {absent},
	}, func(k *ent.APIKey) *ent.APIKey {
		return KnownKey(WithViewer(t.Context(), &Viewer{UserID: "usr_me"}), k)
	})
}

func TestOfAnEventTheLogShowsWhoDidWhatToWhat(t *testing.T) {
	t.Parallel()
	redacted(t, fates{
		"ID": {shown}, "CreatedAt": {shown}, "AccountID": {shown}, "Seq": {shown}, "Type": {shown}, "ActorID": {shown}, "SubjectID": {shown},
		"TeamID": {absent}, "Data": {absent}, "RequestID": {absent}, "ClientIP": {absent}, "UserAgent": {absent},
	}, nil, LoggedEvent)
}

func TestOfAClosedInvitation(t *testing.T) {
	t.Parallel()
	both, neither := all(2, shown), all(2, absent)
	redacted(t, fates{ // to somebody who has its link, and to its addressee
		"Email": {masked, shown}, "Note": {absent, shown}, "Permissions": {absent, shown}, "AllPermissions": {absent, shown},
		"DeliveryError": {absent, shown}, "AcceptedByID": {absent, shown},

		"ID": both, "CreatedAt": both, "AccountID": both, "TeamID": both, "InviterID": both, "InviterKeyID": both, "FirstName": both, "LastName": both,
		"JobTitle": both, "AllowedDomains": both, "Status": both, "ExpiresAt": both, "LastSentAt": both, "SendCount": both,
		"Delivery": both, "DeliveryAttempts": both, "DeliveryUpdatedAt": both,

		"Version": neither, "UpdatedAt": neither, "EmailKey": neither, "GranterID": neither, "UnconfirmedAt": neither, "SortName": neither, "Search": neither, "Superseded": neither,
		"TokenHash": neither, "TokenGeneration": neither, "TokenMailed": neither, "ResentAt": neither, "ResendDayStart": neither, "ResendsOfDay": neither, "ForgottenAt": neither,
	}, fates{
		"Team": {masked, shown}, "Inviter": {absent, shown}, "InviterKey": {absent, shown}, "AcceptedBy": neither,
		"Roles": both, "Groups": {absent, shown}, "Divisions": {absent, shown},
	}, toLinkHolder, toAddressee)
}

func TestOfTheTeamOfAClosedInvitation(t *testing.T) {
	t.Parallel()
	redacted(t, fates{
		"ID": {shown}, "CreatedAt": {shown}, "AccountID": {shown}, "Name": {shown}, "IsDefault": {shown},
		"Version": {absent}, "UpdatedAt": {absent}, "ActiveMembers": {absent}, "DeactivatedMembers": {absent},
		"PendingInvitations": {absent}, "ExpiredInvitations": {absent}, "AllInvitations": {absent},
	}, fates{"Account": {masked}, "Members": {absent}, "Invitations": {absent}, "Transfers": {absent}, "APIKeys": {absent}}, teamToLinkHolder)
	redacted(t, fates{
		"ID": {shown}, "Name": {shown}, "Status": {shown},
		"CreatedAt": {absent}, "UpdatedAt": {absent}, "Version": {absent}, "Preset": {absent}, "EventSeq": {absent},
		"InvitationTTLHours": {absent}, "CountPendingAsSeats": {absent}, "KeepInvitationsOfRemovedMembers": {absent},
		"MultiUser": {absent}, "MaxTeams": {absent}, "MaxMembersPerTeam": {absent}, "MaxPendingInvitations": {absent},
	}, fates{"Teams": {absent}, "Roles": {absent}, "Groups": {absent}, "Divisions": {absent}, "APIKeys": {absent}}, func(a *ent.Account) *ent.Account {
		return teamToLinkHolder(&ent.Team{Edges: ent.TeamEdges{Account: a}}).Edges.Account
	})
	if teamToLinkHolder(nil) != nil || teamToLinkHolder(&ent.Team{}).Edges.Account != nil {
		t.Error("what was not loaded is something")
	}
}

func TestWhoIsSignedInSeesMoreOfAClosedInvitation(t *testing.T) {
	t.Parallel()
	i := &ent.Invitation{Email: "ann@x.org"}
	for want, ctx := range map[string]context.Context{
		"ann@x.org":     WithViewer(t.Context(), &Viewer{}),
		"a•••@x•••.org": WithViewer(t.Context(), nil),
	} {
		if got := ClosedInvitation(ctx, i).Email; got != want {
			t.Errorf("got the address %s, want %s", got, want)
		}
	}
}

// What the database answers is tested in store, beside the guard.
func TestAUserIsHiddenUnlessTheDatabaseWasAsked(t *testing.T) {
	t.Parallel()
	u := ent.User{ID: "usr_ann", Email: "ann@x.org", JobTitle: "Clerk"}
	signedIn := WithViewer(t.Context(), &Viewer{UserID: "usr_me"})
	for who, ctx := range map[string]context.Context{
		"a viewer":   signedIn,
		"a visitor":  WithViewer(t.Context(), nil),
		"the system": System(t.Context(), "test"),
		"nobody":     t.Context(),
	} {
		if got := KnownUser(ctx, &u); got.JobTitle != "" || got.Email != u.Email {
			t.Errorf("%s: got %v, want the address and no job title", who, got)
		}
	}
	if got := KnownUser(WithViewer(t.Context(), &Viewer{UserID: u.ID}), &u); got.JobTitle != u.JobTitle {
		t.Errorf("the viewer: got %v, want the whole user", got)
	}
	if got := KnownUser(signedIn, nil); got != nil {
		t.Errorf("of nobody: got %v, want nil", got)
	}
}
