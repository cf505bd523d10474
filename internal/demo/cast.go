package demo

import (
	"github.com/convoke-dev/convoke/internal/access"
)

// cast lists the demo's people besides the owner, and what the owner's four invitations
// grant: keys of roles, separated by spaces.
type cast struct {
	people  []part
	invited [4]string
}

// part is a person with a role. A person without a last name is called by the role's
// name.
type part struct{ name, last, role string }

func (p part) email() string { return p.name + "@acme.test" }

// castOf returns the people who show a preset's roles. For a preset that an operator
// has added, there is one person for each role.
func castOf(p access.Preset) (c cast) {
	switch p.Key {
	case "teams":
		c.people = []part{{"adam", "Abbott", "account_admin"}, {"bella", "Brown", "billing"}, {"victor", "Vance", "viewer"}}
		c.invited = [4]string{"installer", "validation", "billing viewer", "member"}
	case "departments":
		c.people = []part{
			{"adam", "Abbott", "manager"},
			{"fiona", "Fox", "finance_manager"},
			{"stan", "Stone", "standard_user"},
			{"victor", "Vance", "viewer"},
			{"lily", "Lane", "limited_user"},
		}
		c.invited = [4]string{"standard_user", "limited_user", "finance_manager", "viewer"}
	case "portal":
		c.people = []part{{"adam", "Abbott", "admin"}, {"uma", "Unger", "user"}}
		c.invited = [4]string{"user", "user", "admin", "user"}
	case "holder":
		c.people = []part{{"frank", "Fuller", "full"}}
	default:
		for _, r := range p.Roles {
			c.people = append(c.people, part{name: r.Key, role: r.Key})
		}
	}
	if c.invited[0] == "" { // one role after another
		for i := range c.invited {
			c.invited[i] = p.Roles[i%len(p.Roles)].Key
		}
	}
	return c
}
