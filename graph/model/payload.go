package model

import (
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
)

// Payloads that several mutations share in Go. In the schema each mutation has a payload
// of its own, so that one of them can get a field.
type (
	// MemberPayload is the result of a change of a member.
	MemberPayload struct {
		Member     *ent.Member
		UserErrors []*UserError
	}
	// TeamPayload is the result of a change of a team.
	TeamPayload struct {
		Team       *ent.Team
		UserErrors []*UserError
	}
	// OwnershipTransferPayload is the result of a change of a transfer.
	OwnershipTransferPayload struct {
		Transfer   *ent.OwnershipTransfer
		UserErrors []*UserError
	}
	// RolePayload is the result of a change of a role.
	RolePayload struct {
		Role       *ent.Role
		UserErrors []*UserError
	}
	// GroupPayload is the result of a change of a group.
	GroupPayload struct {
		Group      *ent.Group
		UserErrors []*UserError
	}
	// DivisionPayload is the result of a change of a division.
	DivisionPayload struct {
		Division   *ent.Division
		UserErrors []*UserError
	}
	// APIKeyPayload is the result of a change of an API key.
	APIKeyPayload struct {
		APIKey     *ent.APIKey
		UserErrors []*UserError
	}
	// SignInPayload is the result of a sign-in. The token is set only for BEARER.
	SignInPayload struct {
		Viewer       *access.Viewer
		SessionToken *string
		ExpiresAt    *time.Time
		UserErrors   []*UserError
	}
)
