package server_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// fetch sends a request without a body and returns the answer, its body read
// and closed.
func fetch(t *testing.T, method, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res
}

// body returns what a GET is answered with.
func body(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
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
	return string(text)
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
