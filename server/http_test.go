package server_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// page is an answer to an HTTP request, read to its end.
type page struct {
	status  int
	header  http.Header
	cookies int
	body    string
}

// fetch sends a request without a body.
func fetch(t *testing.T, method, url string) page {
	t.Helper()
	return send(t, method, url, "")
}

// send sends a request with a body and headers in pairs.
func send(t *testing.T, method, url, body string, header ...string) page {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{status: res.StatusCode, header: res.Header, cookies: len(res.Cookies()), body: string(text)}
}

// onAnswer is a transport that shows every answer.
type onAnswer func(*http.Response)

func (f onAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		f(res)
	}
	return res, err
}

// onRequest is a transport that changes every request.
type onRequest func(*http.Request)

func (f onRequest) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return http.DefaultTransport.RoundTrip(r)
}

func itoa(i int) string { return strconv.Itoa(i) }

// tokenOf returns the token of an invitation's link.
func tokenOf(t *testing.T, link string) string {
	t.Helper()
	_, secret, found := strings.Cut(link, "/accept#")
	if !found {
		t.Fatalf("no link: %q", link)
	}
	return secret
}
