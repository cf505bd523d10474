package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// credentialNames are the names under which clients of other servers send a credential, in
// small letters without - and _.
var credentialNames = []string{
	"accesskey", "accesstoken", "apikey", "apitoken", "auth", "authentication", "authheader", "authtoken", "authorization", "bearer", "bearertoken",
	"credential", "credentials", "idtoken", "jwt", "password", "secret", "session", "sessiontoken", "token", "xapikey", "xauthtoken",
}

// maxPayloadDepth is how deep credentials are looked for in the payload of connection_init.
const maxPayloadDepth = 4

// bearerOf returns the session token in the payload of connection_init: that of
// `authorization` or of `headers.authorization`, in any letter case; empty without one. An
// empty text or null is none, because clients send it while nobody is signed in. It fails
// with a CloseError 4400, whose reason says what to send, for a credential of another form
// or at another place: the client would be a visitor without knowing why.
func bearerOf(payload map[string]any) (string, error) {
	token := ""
	for _, c := range credentialsIn(payload, "", 1) {
		text, isText := c.value.(string)
		switch {
		case !strings.EqualFold(c.path, "authorization") && !strings.EqualFold(c.path, "headers.authorization"):
			return "", initRefused(c.path, "is not read")
		case !isText || auth.Bearer(text) == "":
			return "", initRefused(c.path, "has no Bearer token")
		case token != "" && token != auth.Bearer(text):
			return "", initRefused(c.path, "contradicts authorization")
		}
		token = auth.Bearer(text)
	}
	return token, nil
}

// initRefused returns the CloseError about a credential. A close frame has room for a
// reason of 123 bytes (RFC 6455, section 5.5), so a long path is cut.
func initRefused(path, problem string) error {
	if len(path) > 40 {
		path = strings.ToValidUTF8(path[:37], "") + "..."
	}
	return graphqlws.CloseError{
		Code:   graphqlws.BadRequest,
		Reason: fmt.Sprintf(`connection_init: %s %s; send {"authorization":"Bearer TOKEN"}`, path, problem),
	}
}

// credential is a value in the payload of connection_init. Its path is as the client wrote it.
type credential struct {
	path  string
	value any
}

// credentialsIn returns the values under names of credentials, in the order of the names.
func credentialsIn(payload map[string]any, prefix string, depth int) (found []credential) {
	for _, name := range slices.Sorted(maps.Keys(payload)) {
		path, value := prefix+name, payload[name]
		below, isObject := value.(map[string]any)
		switch {
		case value == nil || value == "":
		case slices.Contains(credentialNames, strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))):
			found = append(found, credential{path, value})
		case isObject && depth < maxPayloadDepth:
			found = append(found, credentialsIn(below, path+".", depth+1)...)
		}
	}
	return found
}
