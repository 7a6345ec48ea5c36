package api

import (
	"slices"

	"latchkey/internal/apikey"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/content/revision"
	"latchkey/internal/content/search"
	"latchkey/internal/content/shelf"
	"latchkey/internal/content/snippet"
	"latchkey/internal/content/timeline"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/group"
	"latchkey/internal/people"
	"latchkey/internal/query"
	"latchkey/internal/secret"
	"latchkey/internal/setting"
	"latchkey/internal/warehouse"
)

// Mailer knows whether e-mail can be sent; *mail.Mailer does.
type Mailer interface{ Configured() bool }

// Services are what the routes call. All are required.
type Services struct {
	People     *people.Service
	Groups     *group.Service
	Keys       *apikey.Service
	Content    *content.Service
	Revisions  *revision.Log
	Cards      *card.Service
	Dashboards *dashboard.Service
	Snippets   *snippet.Service
	Timelines  *timeline.Service
	Search     *search.Service
	Shelf      *shelf.Service
	Settings   *setting.Service
	Warehouse  *warehouse.Service
	Queries    *query.Service
	Mail       Mailer
	Jar        cookie.Jar
	Version    string // the release of Metabase that is spoken, such as v0.62.0
	Product    string // our own release
}

// Endpoints returns all routes of the domain.
func Endpoints(s Services) []endpoint.Endpoint {
	return slices.Concat(
		KeyEndpoints(s.Keys),
		GroupEndpoints(s.Groups, s.People),
		MembershipEndpoints(s.Groups, s.People),
		UserEndpoints(s.People, s.Content, s.Jar),
		DashboardEndpoints(s),
		CardEndpoints(s),
		RevisionEndpoints(s.Revisions, s.Content, s.People, s.Version),
		SnippetEndpoints(s.Snippets, s.Content, s.People),
		TimelineEndpoints(s.Timelines, s.Content, s.People),
		CollectionEndpoints(s.Content, s.People, s.Cards),
		SearchEndpoints(s.Search, s.Content, s.People, s.Cards, s.Shelf),
		BookmarkEndpoints(s.Shelf, s.Content, s.People, s.Cards),
		ActivityEndpoints(s.Shelf, s.Content, s.People, s.Cards),
		EntityIDEndpoints(s.Content, s.Groups, s.Dashboards),
		SettingEndpoints(s.Settings),
		SessionEndpoints(s.People, s.Jar),
		PropertyEndpoints(s),
		SetupEndpoints(s.People, s.Jar),
		DatabaseEndpoints(s.Warehouse),
		TableEndpoints(s.Warehouse),
		QueryEndpoints(s),
	)
}

// Rules returns the named checks that the inputs of the routes use.
func Rules(p *people.Service) endpoint.Rules {
	return endpoint.Rules{
		endpoint.RuleEmail:    people.ValidEmail,
		endpoint.RulePassword: func(s string) bool { return p.PasswordPolicy().Valid(secret.New(s)) },
		ruleLocale:            people.ValidLocale,
		ruleTimestamp:         validTimestamp,
		ruleSetupToken:        func(s string) bool { return p.CheckSetupToken(secret.New(s)) == nil },
	}
}
