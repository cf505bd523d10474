package graph

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
)

func draftOf(in model.InviteUserInput) invite.Draft {
	return invite.Draft{
		TeamID:    in.TeamID,
		FirstName: orEmpty(in.FirstName), LastName: orEmpty(in.LastName), JobTitle: orEmpty(in.JobTitle), Note: orEmpty(in.Note),
		Grant:          wishOf(in.Grant),
		Scope:          roster.Scope{DivisionIDs: in.DivisionIds, Domains: in.AllowedDomains},
		ExpiresInHours: in.ExpiresInHours, SendEmail: in.SendEmail == nil || *in.SendEmail,
		ResendOnConflict: resends(in.OnConflict), IdempotencyKey: in.IdempotencyKey,
	}
}

func draftToAll(in model.InviteUsersInput) invite.Draft {
	return invite.Draft{
		TeamID: in.TeamID, Note: orEmpty(in.Note),
		Grant:          wishOf(in.Grant),
		Scope:          roster.Scope{DivisionIDs: in.DivisionIds, Domains: in.AllowedDomains},
		ExpiresInHours: in.ExpiresInHours, SendEmail: true,
		ResendOnConflict: resends(in.OnConflict), IdempotencyKey: in.IdempotencyKey,
	}
}

func wishOf(in *model.InvitationGrantInput) roster.Wish {
	w := roster.Wish{AllPermissions: isTrue(in.AllPermissions)}
	if in.Chosen != nil {
		w.RoleIDs, w.GroupIDs, w.Permissions = in.Chosen.RoleIds, in.Chosen.GroupIds, in.Chosen.Permissions
	}
	return w
}

func referenceOf(in *model.InvitationReference) invite.Reference {
	return invite.Reference{Token: orEmpty(in.Token), InvitationID: orEmpty(in.ID)}
}

// Where the fields of a grant and of a reference are in the inputs of invitations.
var (
	grantPaths = map[string][]string{
		"roleIds": {"grant", "chosen", "roleIds"}, "groupIds": {"grant", "chosen", "groupIds"},
		"permissions": {"grant", "chosen", "permissions"}, "allPermissions": {"grant", "allPermissions"},
	}
	referencePaths = map[string][]string{"token": {"invitation", "token"}, "invitationId": {"invitation", "id"}}
)

func resends(c *model.InviteConflict) bool { return c != nil && *c == model.InviteConflictResend }

// given returns the text of an argument, "" for null, or nil when it was left out.
func given(o graphql.Omittable[*string]) *string {
	if !o.IsSet() {
		return nil
	}
	text := orEmpty(o.Value())
	return &text
}

// orEmpty returns the text, or "" when it was left out.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func isTrue(b *bool) bool { return b != nil && *b }
