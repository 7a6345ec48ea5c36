package setting

import (
	"slices"
	"strings"
)

// Definitions returns the table of settings, in the order of their keys.
func Definitions() []Definition {
	table := slices.Concat(site(), look(), home(), localisation(), signIn(), browsers(), queries(), mail(), evidence(), internals())
	slices.SortFunc(table, func(a, b Definition) int { return strings.Compare(a.Key, b.Key) })
	return table
}

func site() []Definition {
	return []Definition{
		{Key: "site-name", Kind: Text, Default: "Latchkey", Visibility: Public, check: name,
			Variable:    "LATCHKEY_SITE_NAME",
			Description: "The name of this instance."},
		{Key: "site-url", Kind: Text, Guard: true, Visibility: Public, check: webAddress,
			Variable:    "LATCHKEY_SITE_URL",
			Description: "The public address of this instance, used in links in e-mail: https://data.example.com"},
		{Key: "admin-email", Kind: Text, Visibility: Authenticated, check: email,
			Description: "The address that people are told to write to when they need help."},
		{Key: "anon-tracking-enabled", Kind: Switch, Default: false, Visibility: Public,
			check:       only(false, "cannot be turned on: Latchkey sends no usage data to anybody."),
			Description: "Whether usage data is sent to the makers. Always false."},
		{Key: "airgap-enabled", Kind: Switch, Default: false, Visibility: Public,
			Fixed:       "it belongs to a licence, and Latchkey has none.",
			Description: "Whether a licence for networks without internet is in use. Always false."},
		{Key: "api-key-prefix", Kind: Text, Default: "lk_", Visibility: Admin, check: keyPrefix,
			Variable:    "LATCHKEY_KEY_PREFIX",
			Description: "How new API keys begin: 2 to 8 letters and an underscore. Existing keys keep working."},
	}
}

func look() []Definition {
	return []Definition{
		{Key: "application-name", Kind: Text, Default: "Latchkey", Visibility: Public, check: name,
			Description: "The name of the product, where pages mention it."},
		{Key: "loading-message", Kind: Text, Default: "doing-science", Visibility: Public,
			check:       oneOf("doing-science", "running-query", "loading-results"),
			Description: "The message shown while a query runs: doing-science, running-query or loading-results."},
		{Key: "show-metabase-links", Kind: Switch, Default: true, Visibility: Public,
			Description: "Whether clients may show links to Metabase's own pages."},
		{Key: "help-link", Kind: Text, Default: "metabase", Visibility: Public,
			check:       oneOf("metabase", "hidden", "custom"),
			Description: "What the help entry opens: metabase for the product's own help, hidden for none, custom for help-link-custom-destination."},
		{Key: "help-link-custom-destination", Kind: Text, Visibility: Public, check: helpAddress,
			Description: "Where a custom help entry leads: a web address, or mailto: with an e-mail address."},
		{Key: "map-tile-server-url", Kind: Text, Default: "https://{s}.tile.openstreetmap.org/{z}/{x}/{y}.png",
			Visibility: Public, check: tileAddress,
			Description: "Where maps get their tiles: a web address with {z}, {x} and {y}."},
	}
}

func home() []Definition {
	return []Definition{
		{Key: "custom-homepage", Kind: Switch, Default: false, Visibility: Public,
			Description: "Whether a dashboard is the home page."},
		{Key: "custom-homepage-dashboard", Kind: Number, Visibility: Public, check: positive,
			Description: "The id of the dashboard that is the home page."},
		{Key: "landing-page", Kind: Text, Default: "", Visibility: Public, check: localPath,
			Description: "The path within this instance that people see first, such as /collection/6."},
	}
}

func localisation() []Definition {
	return []Definition{
		{Key: "site-locale", Kind: Text, Default: "en", Visibility: Public, check: locale,
			Description: "The language of this instance for people who chose none, such as en or en_US."},
		{Key: "report-timezone", Kind: Text, Visibility: Public, check: timezone,
			Description: "The time zone of query results, such as Europe/Berlin. Without it, that of the connected database."},
		{Key: "start-of-week", Kind: Text, Default: "sunday", Visibility: Public,
			check:       oneOf("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
			Description: "The first day of the week, for grouping and filtering by week."},
		{Key: "custom-formatting", Kind: Object, Default: map[string]any{}, Visibility: Public,
			Description: "How values are written, by type of column."},
	}
}

func signIn() []Definition {
	return []Definition{
		{Key: "enable-password-login", Kind: Switch, Default: true, Visibility: Public,
			check:       only(true, "cannot be turned off while there is no other way for people to sign in."),
			Description: "Whether people may sign in with e-mail and password."},
		{Key: "session-cookies", Kind: Switch, Guard: true, Default: false, Visibility: Public,
			Variable:    "LATCHKEY_SESSION_COOKIES",
			Description: "Whether every session ends when the browser closes."},
		{Key: "session-timeout", Kind: Object, Guard: true, Visibility: Public, check: timeout,
			Variable:    "LATCHKEY_SESSION_TIMEOUT",
			Description: `Ends sessions that were not used for so long: {"amount": 30, "unit": "minutes"}. The unit is seconds, minutes or hours.`},
		{Key: "google-auth-enabled", Kind: Switch, Default: false, Visibility: Public,
			Fixed:       "Latchkey has no sign-in with Google.",
			Description: "Whether people may sign in with Google. Always false."},
		{Key: "google-auth-client-id", Kind: Text, Visibility: Public,
			Fixed:       "Latchkey has no sign-in with Google.",
			Description: "The client id for sign-in with Google. Never set."},
		{Key: "ldap-enabled", Kind: Switch, Default: false, Visibility: Public,
			Fixed:       "Latchkey has no sign-in with LDAP.",
			Description: "Whether people may sign in with LDAP. Always false."},
	}
}

func browsers() []Definition {
	return []Definition{
		{Key: "embedding-app-origins-sdk", Kind: List, Guard: true, Default: "", Visibility: Admin, check: origins,
			Variable:    "LATCHKEY_CORS_ORIGINS",
			Description: "Origins whose pages may call the API from a browser, separated by blanks: https://app.example.com"},
		{Key: "disable-cors-on-localhost", Kind: Switch, Guard: true, Default: false, Visibility: Admin,
			Variable:    "LATCHKEY_DISABLE_CORS_ON_LOCALHOST",
			Description: "Whether pages on localhost are refused, which may otherwise call the API."},
	}
}

func queries() []Definition {
	return []Definition{
		{Key: "unaggregated-query-row-limit", Kind: Number, Visibility: Authenticated, check: rowLimit,
			Description: "How many rows a query that does not aggregate shows at most, up to 1048575. Unset means 2000. Downloads have no such limit."},
		{Key: "aggregated-query-row-limit", Kind: Number, Visibility: Authenticated, check: rowLimit,
			Description: "How many rows a query that aggregates shows at most, up to 1048575. Unset means 10000. Downloads have no such limit."},
	}
}

func mail() []Definition {
	const fixed = "e-mail is configured where the server is started."
	return []Definition{
		{Key: "email-smtp-host", Kind: Text, Visibility: Admin, Fixed: fixed,
			Variable:    "LATCHKEY_SMTP_HOST",
			Description: "The mail server."},
		{Key: "email-smtp-port", Kind: Number, Visibility: Admin, Fixed: fixed, check: positive,
			Variable:    "LATCHKEY_SMTP_PORT",
			Description: "The port of the mail server."},
		{Key: "email-smtp-security", Kind: Text, Default: "none", Visibility: Admin, Fixed: fixed,
			Variable:    "LATCHKEY_SMTP_SECURITY",
			check:       oneOf("none", "starttls", "tls"),
			Description: "How the connection to the mail server is protected: none, starttls or tls."},
		{Key: "email-smtp-username", Kind: Text, Visibility: Admin, Fixed: fixed,
			Variable:    "LATCHKEY_SMTP_USER",
			Description: "The user name at the mail server."},
		{Key: "email-smtp-password", Kind: Text, Visibility: Admin, Fixed: fixed, Secret: true,
			Variable:    "LATCHKEY_SMTP_PASSWORD",
			Description: "The password at the mail server. Never shown."},
		{Key: "email-from-address", Kind: Text, Visibility: Admin, Fixed: fixed,
			Variable:    "LATCHKEY_SMTP_FROM",
			Description: "The sender of e-mail."},
	}
}

func evidence() []Definition {
	return []Definition{
		{Key: "audit-retention-days", Kind: Number, Guard: true, Default: 0, Visibility: Admin, check: retention,
			Description: "How many days entries of the audit log are kept. 0 keeps them for ever."},
	}
}

func internals() []Definition {
	return []Definition{
		{Key: "setup-token", Kind: Text, Visibility: Internal, Secret: true,
			Description: "Proves that whoever sets up a new instance sees its log or its first page."},
	}
}
