package web

import (
	"maps"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

// restrictionWords says what a restriction allows, a sentence for each part.
// Nothing is for one that restricts nothing.
func restrictionWords(r access.Restriction) []string {
	var out []string
	add := func(text string) { out = append(out, text) }
	if r.ReadOnly {
		add("It only reads.")
	}
	if r.Scopes != nil {
		add("Only these kinds: " + scopeWords(r.Scopes) + ".")
	}
	if r.Routes != nil {
		add("Only " + plural(len(r.Routes), "route", "routes") + ": " + few(r.Routes) + ".")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		text := "Of the kind " + kind + " only " + few(r.Resources[kind])
		if kind == access.KindCollections {
			text += ", with all that lies in there"
		}
		add(text + ".")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Fields)) {
		add("Of the fields of " + kind + " it writes only " + few(r.Fields[kind]) + ".")
	}
	return append(out, conditionWords(r)...)
}

// conditionWords says from where, how often and when a key is accepted.
func conditionWords(r access.Restriction) []string {
	var out []string
	if r.Addresses != nil {
		out = append(out, "Only from "+few(r.Addresses)+".")
	}
	if l := r.RateLimit; l != nil {
		out = append(out, "At most "+plural(l.Requests, "request", "requests")+" in "+plural(l.Seconds, "second", "seconds")+".")
	}
	if q := r.Quota; q != nil {
		out = append(out, "At most "+plural(q.Requests, "request", "requests")+" a "+q.Period+" (UTC).")
	}
	if r.Hours != nil {
		out = append(out, hourWords(r.Hours))
	}
	return out
}

func hourWords(h *access.Hours) string {
	text := "Only"
	if h.Days != nil {
		var names []string
		for _, d := range h.Days {
			if i := slices.Index(weekdays, d); i >= 0 {
				names = append(names, weekdayNames[i])
			}
		}
		text += " on " + strings.Join(names, ", ")
	}
	if h.From != "" {
		text += " from " + h.From + " to " + h.To
	}
	zone := h.Zone
	if zone == "" {
		zone = "UTC"
	}
	return text + " (" + zone + ")."
}

// scopeWords puts scopes together by kind: people (read and write).
func scopeWords(scopes []string) string {
	verbs := map[string][]string{}
	var kinds []string
	for _, s := range scopes {
		kind, verb, _ := strings.Cut(s, ":")
		if verbs[kind] == nil {
			kinds = append(kinds, kind)
		}
		verbs[kind] = append(verbs[kind], verb)
	}
	for i, kind := range kinds {
		kinds[i] = kind + " (" + strings.Join(verbs[kind], " and ") + ")"
	}
	return strings.Join(kinds, ", ")
}

// fewShown is how much of a list a sentence names.
const fewShown = 8

// few names the first of a list, and says how many more there are.
func few(list []string) string {
	if len(list) <= fewShown {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:fewShown], ", ") + " and " + number(len(list)-fewShown) + " more"
}

// reasonWords says why a key was refused. Unknown codes stay as they are.
func reasonWords(code string) string {
	switch code {
	case access.CodeGroup:
		return "its groups do not allow it"
	case access.CodeReadOnly:
		return "it only reads"
	case access.CodeScope:
		return "another kind or verb"
	case access.CodeRoute:
		return "another route"
	case access.CodeResource:
		return "another resource"
	case access.CodeField:
		return "another field"
	case access.CodeAddress:
		return "another address"
	case access.CodeHours:
		return "another time of the week"
	case access.CodeRateLimit:
		return "rate limit"
	case access.CodeQuota:
		return "quota used up"
	}
	return otherReason(code)
}

// otherReason is reasonWords for what is no part of a restriction.
func otherReason(code string) string {
	switch code {
	case access.CodeProtectedAdmin:
		return "administrators are protected"
	case access.CodeUnreadable:
		return "its restriction cannot be read"
	case apikey.DeletedKey.String():
		return "deleted"
	case apikey.Retired.String():
		return "retired secret"
	case apikey.ExpiredKey.String():
		return "expired"
	case apikey.DisabledKey.String():
		return "disabled"
	case apikey.Inactive.String():
		return "nobody active behind it"
	}
	return code
}
