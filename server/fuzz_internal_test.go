package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// seeds adds each text to the corpus of a target with one argument.
func seeds(f *testing.F, texts ...string) {
	f.Helper()
	for _, text := range texts {
		f.Add(text)
	}
}

func FuzzReadAccept(f *testing.F) {
	seeds(f, "", " , ", "*/*", "APPLICATION/JSON; charset=UTF-8", "application/json;q=.2, */*; q=0.2", "text/*;q=1e-1", "*/*;q=0x1p-2", "*/*;q=NaN", "*/*;q=+1", "*/*;q=1_0",
		"application/json;q=0, */*", `text/event-stream;q="0.5";charset="utf-8"`, "a/b/c", "/", "*", ";q=1", "application/graphql-response+json,application/json;q=0.9", "\xff/\xff")
	f.Fuzz(func(t *testing.T, header string) {
		a := readAccept(http.Header{"Accept": {header}})
		var written []string
		for _, r := range a {
			written = append(written, fmt.Sprintf("%s/%s;q=%s", r.kind, r.sub, strconv.FormatFloat(r.quality, 'f', -1, 64)))
		}
		again := readAccept(http.Header{"Accept": append(written, "nonsense", "text/html;q=2")})
		if len(a) > 0 && !slices.Equal(again, a) {
			t.Errorf("%q: got %v, and of %q %v", header, a, written, again)
		}
		answer := a.forAnswer()
		best, _ := a.of(answer)
		for _, media := range answerTypes {
			switch q, _ := a.of(media); {
			case q < 0 || q > 1:
				t.Errorf("%q: %s has the weight %v", header, media, q)
			case q > best || answer == "" && q > 0:
				t.Errorf("%q: got %q, want %s", header, answer, media)
			case answer == typeEvents && !a.stream():
				t.Errorf("%q: got events, which are not accepted", header)
			}
		}
	})
}

func FuzzReadManifest(f *testing.F) {
	seeds(f, `{"a1":"{ viewer { id } }"}`, `{"sha256:a1":"a","a1":"b"}`, `{"sha256:":"a"}`, `{"":"a"}`, `null`, `[]`, `{"a":null}`, `{"a":1}`, `{"format":"a","operations":"b"}`,
		`{"format":"apollo-persisted-query-manifest","operations":[{"id":"a","body":"x"},{"id":"a","body":"y"}]}`, `{"sha256:sha256:a":"b"}`,
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"sha256:","body":"x"}]}`, `{"format":"apollo-persisted-query-manifest"}`, `{} {}`)
	f.Fuzz(func(t *testing.T, manifest string) {
		texts, err := readManifest([]byte(manifest))
		if err != nil {
			if texts != nil || err.Error() == "" {
				t.Errorf("%q: got %v beside %v", manifest, texts, err)
			}
			return
		}
		var operations []any
		for id, text := range texts {
			if strings.EqualFold(id, "format") {
				return // written again, it could be Apollo's
			}
			if id == "" || bare(id) != id {
				t.Errorf("%q: got the id %q", manifest, id)
			}
			operations = append(operations, map[string]any{"id": hashPrefix + id, "body": text})
		}
		for _, form := range []any{texts, map[string]any{"format": apolloFormat, "operations": operations}} {
			written, err := json.Marshal(form)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := readManifest(written); err != nil || !maps.Equal(again, texts) {
				t.Errorf("%q: got %q, and of %s %q, %v", manifest, texts, written, again, err)
			}
		}
	})
}

func FuzzHashIn(f *testing.F) {
	seeds(f, `{"persistedQuery":{"version":1,"sha256Hash":"ab"}}`, `{"persistedQuery":{"sha256Hash":"sha256:"}}`, `{"persistedQuery":{"sha256Hash":"sha256:sha256:ab"}}`,
		`{"persistedQuery":null}`, `{"persistedQuery":[]}`, `{"persistedQuery":{"sha256Hash":7}}`, `{}`, `{"persistedQuery":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		var extensions map[string]any
		if json.Unmarshal([]byte(text), &extensions) != nil {
			return
		}
		hash, err := hashIn(extensions)
		switch {
		case err != nil && (hash != "" || err.Extensions["code"] != string(fault.BadUserInput)):
			t.Errorf("%s: got %q, %v, %v", text, hash, err, err.Extensions)
		case err == nil && (hash == "") != (extensions["persistedQuery"] == nil):
			t.Errorf("%s: got %q, want a hash or a refusal", text, hash)
		case err == nil && hash != "":
			for _, prefix := range []string{"", hashPrefix} {
				if again, err := hashIn(map[string]any{"persistedQuery": map[string]any{"sha256Hash": prefix + hash}}); err != nil || again != hash {
					t.Errorf("%s: got %q, and of that with the prefix %q: %q, %v", text, hash, prefix, again, err)
				}
			}
		}
	})
}

func FuzzReadReport(f *testing.F) {
	seeds(f, `{"type":"bounced","messageId":"<a@b>","email":"ann@x.org","reason":"full","secret":"s"}`, `{"type":"bounced","Type":"HardBounce","EMAIL":7}`, `null`, `{} {}`, `{"type":null}`,
		`{"type":7}`, `[]`, `{"type":"bounced"}x`, `{"reason":"\ud800\u0000"}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, ok := readReport([]byte(body))
		if !ok {
			if got != (mailReport{}) {
				t.Errorf("%q: got %+v, want nothing", body, got)
			}
			return
		}
		written, err := json.Marshal(map[string]any{
			"type": got.kind, "messageId": got.messageID, "email": got.email, "reason": got.reason, "secret": got.secret,
			"Type": "HardBounce", "MessageID": 7, "EMAIL": nil, "Reason": []int{},
		})
		if err != nil || !json.Valid([]byte(body)) {
			t.Fatalf("%q: got %+v, %v", body, got, err)
		}
		if again, ok := readReport(written); !ok || again != got {
			t.Errorf("%q: got %+v, and of %s %+v", body, got, written, again)
		}
	})
}

func FuzzParseRule(f *testing.F) {
	seeds(f, "600/1h", "off", "1/1s", "", "/", "1/1h/1h", "+5/1h", "0/1h", "9223372036854775807/1h", "1/9223372036854775807ns", "1/1e9s", "1/-1h", "10/15m0s", "inviter=1/1h")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := parseRule(in)
		if err != nil || got == (limit.Rule{}) {
			if got != (limit.Rule{}) || (err == nil) != (in == "off") {
				t.Errorf("%q: got %v, %v", in, got, err)
			}
			return
		}
		if got.N < 1 || got.Per < time.Second || got.Per/time.Duration(got.N) < time.Microsecond {
			t.Errorf("%q: got %v, which is no limit", in, got)
		}
		if again, err := parseRule(fmt.Sprintf("%d/%s", got.N, got.Per)); err != nil || again != got {
			t.Errorf("%q: got %v, and of that %v, %v", in, got, again, err)
		}
		if l, err := DefaultRateLimits().With("inviter=" + in); err != nil || l.Inviter != got {
			t.Errorf("%q: got %v, and by its name %v, %v", in, got, l.Inviter, err)
		}
	})
}

func FuzzClientIP(f *testing.F) {
	for _, forwarded := range []string{
		"", "203.0.113.9", "1.1.1.1, 203.0.113.9:51234, 10.9.9.9:80", "[2001:db8::1]:51234", "[2001:db8::1]", "[192.0.2.1]", "fe80::1%\xff", "[fe80::1%eth0]:80", "::ffff:10.1.2.3",
		"::ffff:203.0.113.9", "unknown", "203.0.113.9, unknown", "010.1.2.3", ":80", "[]", "[", ",", "10.1.2.3,,",
	} {
		f.Add("10.1.2.3:4711", forwarded)
		f.Add("[::1]:4711", forwarded)
		f.Add("192.0.2.7:4711", forwarded)
	}
	f.Add("@", "203.0.113.9")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	f.Fuzz(func(t *testing.T, connection, forwarded string) {
		r := &http.Request{RemoteAddr: connection, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		own := clientIP(r, nil)
		got := clientIP(r, trusted)
		if network := limit.Network(got); limit.Network(network) != network {
			t.Errorf("the network of %q is %q, and of that %q", got, network, limit.Network(network))
		}
		if got == own {
			return // which the client has not written
		}
		addr, err := netip.ParseAddr(got)
		if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.String() != got || !isTrusted(own, trusted) {
			t.Fatalf("%q %q: got %q from %q, %v", connection, forwarded, got, own, err)
		}
		for _, hop := range []string{got, netip.AddrPortFrom(addr, 80).String(), netip.AddrPortFrom(netip.AddrFrom16(addr.As16()), 80).String()} {
			if again, ok := hopAddr(hop); !ok || again.Unmap() != addr {
				t.Errorf("hopAddr(%q) = %v, want %v", hop, again, addr)
			}
		}
	})
}

func FuzzWelcome(f *testing.F) {
	own := &url.URL{Scheme: "https", Host: "team.example.com"}
	local := &url.URL{Scheme: "http", Host: "localhost:8080"}
	for _, origin := range []string{
		"https://team.example.com", "https://user@team.example.com", "https://team.example.com/x", "https://team.example.com?", "https://team.example.com:443", "https://TEAM.example.com",
		"ftp://127.0.0.1:8080", "http://localhost:8080", "http://localhost:5173", "https://[::1]", "http://[::1%25a]:8080", "null", "", "https://", "https://*.example.com", "https://a,https://b",
		"https://portal.example", "https://x:", "https://x:0", "https://evil.example\r\n", "https://" + strings.Repeat("é", 200), "x" + strings.Repeat("é", 200),
	} {
		f.Add(origin, "127.0.0.1:8080")
	}
	f.Fuzz(func(t *testing.T, origin, host string) {
		u, err := url.Parse(origin)
		if isOrigin(origin) {
			again, bad := publicURL(u)
			if err != nil || bad != nil || u.Scheme+"://"+u.Host != origin || again.String() != origin || strings.ContainsAny(origin, "*@, ") || strings.ToLower(origin) != origin {
				t.Errorf("%q is an origin, and as a public URL %v, %v", origin, again, bad)
			}
		}
		if err == nil {
			if public, err := publicURL(u); err == nil {
				s := &Server{cfg: Config{PublicURL: public}}
				if !s.welcome(public.Scheme+"://"+public.Host, host) {
					t.Errorf("the pages of the public URL %q are not welcome", public)
				}
			}
		}
		for _, cfg := range []Config{{PublicURL: own}, {PublicURL: local}, {PublicURL: own, LoopbackOrigins: true}, {PublicURL: own, CORSOrigins: []string{"https://portal.example"}}} {
			s := &Server{cfg: cfg, log: slog.New(slog.DiscardHandler)}
			if s.welcome(origin, host) {
				if allowed := slices.Contains(append(cfg.CORSOrigins, "https://team.example.com"), origin); !isOrigin(origin) || !allowed && !loopback(u.Hostname()) {
					t.Errorf("%q is welcome at %q with %+v", origin, host, cfg)
				}
				continue
			}
			w := httptest.NewRecorder()
			s.refuseOrigin(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", http.NoBody), origin)
			text := w.Body.String()
			// A character that was cut would be shown as U+FFFD.
			if w.Code != http.StatusForbidden || w.Body.Len() > 7*2*maxOrigin || !json.Valid(w.Body.Bytes()) || utf8.ValidString(origin) && !strings.Contains(origin, "\uFFFD") && strings.ContainsAny(text, "\uFFFD") {
				t.Errorf("%q: got %d %s", origin, w.Code, text)
			}
		}
	})
}

func FuzzBearerOf(f *testing.F) {
	seeds(f, `{"authorization":"Bearer a"}`, `{"headers":{"Authorization":"bearer  a "}}`, `{"authorization":"Bearer a","headers":{"authorization":"Bearer b"}}`, `{"authorization":7}`,
		`{"authToken":"x"}`, `{"a":{"b":{"c":{"token":"x"}}}}`, `{"`+strings.Repeat("é", 30)+`":{"token":"x"}}`, `{"authorization":""}`, `{"AUTHORIZATION":"Bearer\u00a0a"}`, `{"to-ken":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var payload map[string]any
		if json.Unmarshal([]byte(text), &payload) != nil {
			return
		}
		token, err := bearerOf(payload)
		if err != nil {
			var refused graphqlws.CloseError
			if !errors.As(err, &refused) || refused.Code != graphqlws.BadRequest || len(refused.Reason) > 123 || !utf8.ValidString(refused.Reason) || token != "" {
				t.Errorf("%s: got %q, %v", text, token, err)
			}
			return
		}
		if strings.TrimSpace(token) != token {
			t.Errorf("%s: got %q with space around it", text, token)
		}
		if again, err := bearerOf(map[string]any{"authorization": "Bearer " + token}); token != "" && (err != nil || again != token) {
			t.Errorf("%s: got %q, and of that %q, %v", text, token, again, err)
		}
	})
}

// FuzzReadURL compares an operation in a URL with the same one in the body of a POST.
func FuzzReadURL(f *testing.F) {
	seeds(f, "query=%7Ba%7D", "query={a}&operationName=A&variables={%22a%22:1}&extensions={}", "query={a}&variables={}x", "query={a}&variables={}{}", "query={a}&variables=null", "query={a}&variables=%20{}%20",
		"documentId=a", "id=a&doc_id=b", "query=%ff", "query=%zz", "a;b", "variables=[]&query=a", "extensions={%22persistedQuery%22:{%22sha256Hash%22:%22a%22}}", "query=&id=", "query=a&variables=1")
	f.Fuzz(func(t *testing.T, query string) {
		got, bad := readURL(&http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: query}})
		if bad != nil {
			if got != nil || bad.status != http.StatusBadRequest || !strings.HasPrefix(bad.message, "The URL is not valid: ") {
				t.Errorf("%q: got %+v, %+v", query, got, bad)
			}
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		var body bytes.Buffer
		body.WriteString(`{"":0`)
		for name := range values {
			value := []byte(values.Get(name))
			if name != "variables" && name != "extensions" {
				value, _ = json.Marshal(string(value)) // texts can always be encoded
			} else if len(value) == 0 {
				continue
			}
			key, _ := json.Marshal(name)
			if name != string(key[1:len(key)-1]) {
				continue // no name that is read
			}
			fmt.Fprintf(&body, ",%s:%s", key, value)
		}
		body.WriteByte('}')
		want, err := graphqlws.ReadParams(body.Bytes())
		if (err == nil) != (bad == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %+v, and of the body %s %+v, %v", query, got, bad, &body, want, err)
		}
	})
}

func FuzzParseReplyTo(f *testing.F) {
	seeds(f, "", "none", "inviter", " help@example.com ", "hélp@example.com", "help@exämple.com", "a@b.c, d@e.f", "Help <help@example.com>", "a@b.c\r\nBcc: d@e.f")
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := ParseReplyTo(typed)
		if err != nil {
			if got != (ReplyTo{}) {
				t.Errorf("%q: got %+v with %v", typed, got, err)
			}
			return
		}
		if got.Address == "" {
			return
		}
		if again, err := ParseReplyTo(got.Address); err != nil || again != got || got.Inviter {
			t.Errorf("%q: got %+v, which reads as %+v, %v", typed, got, again, err)
		}
		if strings.ContainsAny(got.Address, "\r\n<>, ") {
			t.Errorf("%q: got %q, which is more than an address", typed, got.Address)
		}
	})
}

func FuzzUserAgent(f *testing.F) {
	seeds(f, "curl/8", strings.Repeat("é", 300), "\xff", strings.Repeat("x", 199)+"é")
	f.Fuzz(func(t *testing.T, agent string) {
		got := userAgent(&http.Request{Header: http.Header{"User-Agent": {agent}}})
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxUserAgent || utf8.ValidString(agent) && !strings.HasPrefix(agent, got) {
			t.Errorf("%q: got %q", agent, got)
		}
	})
}
