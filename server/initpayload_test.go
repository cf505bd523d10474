package server_test

import (
	"strings"
	"testing"
)

func TestWhereASocketFindsItsCredential(t *testing.T) {
	t.Parallel()
	w := surface(t)
	bearer := "Bearer " + w.SignUp("olivia@acme.test").Session
	const send = `send {"authorization":"Bearer TOKEN"}`
	for name, c := range map[string]struct{ payload, want string }{
		"read":                               {`{"authorization":"BEARER"}`, "olivia@acme.test"},
		"read in other letters":              {`{"Authorization":"BEARER"}`, "olivia@acme.test"},
		"read in headers":                    {`{"headers":{"authorization":"BEARER"}}`, "olivia@acme.test"},
		"read in headers, in other letters":  {`{"headers":{"Authorization":"BEARER"}}`, "olivia@acme.test"},
		"read at both places":                {`{"authorization":"BEARER","headers":{"authorization":"BEARER"}}`, "olivia@acme.test"},
		"refused when the places contradict": {`{"authorization":"BEARER","headers":{"authorization":"Bearer other"}}`, "4400 connection_init: headers.authorization contradicts authorization; " + send},
		"refused without Bearer":             {`{"authorization":"TOKEN"}`, "4400 connection_init: authorization has no Bearer token; " + send},
		"refused as a number":                {`{"authorization":7}`, "4400 connection_init: authorization has no Bearer token; " + send},
		"refused as an object":               {`{"headers":{"authorization":{"token":"x"}}}`, "4400 connection_init: headers.authorization has no Bearer token; " + send},
		"refused as authToken":               {`{"authToken":"x"}`, "4400 connection_init: authToken is not read; " + send},
		"refused as Authentication":          {`{"Authentication":"BEARER"}`, "4400 connection_init: Authentication is not read; " + send},
		"refused as access_token":            {`{"access_token":"x"}`, "4400 connection_init: access_token is not read; " + send},
		"refused in a header of another name": {
			`{"headers":{"X-API-Key":"x"}}`, "4400 connection_init: headers.X-API-Key is not read; " + send,
		},
		"refused deep inside":                {`{"context":{"http":{"headers":{"authorization":"BEARER"}}}}`, "4400 connection_init: context.http.headers.authorization is not read; " + send},
		"refused with a long path cut":       {`{"` + strings.Repeat("x", 90) + `":{"token":"x"}}`, "4400 connection_init: " + strings.Repeat("x", 37) + "... is not read; " + send},
		"none, while nobody is signed in":    {`{"authorization":"","token":null}`, "visitor"},
		"none beside other data of a client": {`{"clientName":"portal","headers":{"x-trace":"1"}}`, "visitor"},
	} {
		t.Run("FE-8 "+name, func(t *testing.T) {
			t.Parallel()
			s := openSocket(t, w)
			s.say(`{"type":"connection_init","payload":` + strings.ReplaceAll(c.payload, "BEARER", bearer) + `}`)
			if strings.HasPrefix(c.want, "4") {
				s.end(c.want)
				return
			}
			s.hear(`{"type":"connection_ack"}`)
			s.ask("1", `{ viewer { user { email } } }`, nil)
			got := s.hear(`/.*"next".*/`)
			who := `"` + c.want + `"`
			if c.want == "visitor" {
				who = `"viewer":null`
			}
			if !strings.Contains(got, who) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
