package server

import (
	"net/http"
	"strconv"
	"strings"
)

// The media types of responses.
const (
	typeJSON     = "application/json"
	typeResponse = "application/graphql-response+json"
	typeEvents   = "text/event-stream"
)

// answerTypes are the media types that a client may choose from. Where it has no
// preference, the first one counts.
var answerTypes = []string{typeJSON, typeResponse, typeEvents}

// accepted is the Accept header of a request, by section 12.5.1 of RFC 9110.
type accepted []mediaRange

// mediaRange is one element of an Accept header, such as text/*;q=0.5.
type mediaRange struct {
	kind, sub string
	quality   float64
}

// readAccept reads the Accept header. Elements that it cannot read are left out, as if
// the client had not sent them. Without a header, the client accepts application/json.
func readAccept(h http.Header) accepted {
	var a accepted
	header := strings.Join(h.Values("Accept"), ",")
	for element := range strings.SplitSeq(header, ",") {
		media, parameters, _ := strings.Cut(element, ";")
		kind, sub, ok := strings.Cut(strings.ToLower(strings.TrimSpace(media)), "/")
		quality, known := qualityIn(parameters)
		if ok && known && kind != "" && sub != "" {
			a = append(a, mediaRange{kind, sub, quality})
		}
	}
	if strings.Trim(header, ", \t") == "" {
		return accepted{{"application", "json", 1}}
	}
	return a
}

// qualityIn returns the weight among the parameters of a media range; 1 without one.
// It returns false for a malformed weight, and for a charset other than UTF-8.
func qualityIn(parameters string) (quality float64, ok bool) {
	quality = 1
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "q":
			// Java's clients send .2, so a weight need not have a digit before its point.
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || strings.Trim(value, "0123456789.") != "" || !(q >= 0 && q <= 1) {
				return 0, false
			}
			quality = q
		case "charset":
			if !strings.EqualFold(value, "utf-8") {
				return 0, false
			}
		}
	}
	return quality, true
}

// of returns the weight of a media type, and the position of the range in the header
// that decides it: the most specific one, and of equal ones the first. The weight is 0
// when the client does not accept the type.
func (a accepted) of(media string) (quality float64, position int) {
	kind, sub, _ := strings.Cut(media, "/")
	best := -1
	for i, r := range a {
		specific := 0
		switch {
		case r.kind == kind && r.sub == sub:
			specific = 2
		case r.kind == kind && r.sub == "*":
			specific = 1
		case r.kind != "*" || r.sub != "*":
			continue
		}
		if specific > best {
			best, quality, position = specific, r.quality, i
		}
	}
	return quality, position
}

// forAnswer returns the media type for one response: the one with the highest weight,
// of equal ones the one that stands first in the header, and then the first of
// answerTypes. It is empty when the client accepts none of them.
func (a accepted) forAnswer() (media string) {
	var highest float64
	first := 0
	for _, t := range answerTypes {
		q, at := a.of(t)
		if q > highest || q == highest && q > 0 && at < first {
			media, highest, first = t, q, at
		}
	}
	return media
}

// stream reports whether the client accepts server-sent events at all, which is enough
// for a subscription.
func (a accepted) stream() bool {
	q, _ := a.of(typeEvents)
	return q > 0
}
