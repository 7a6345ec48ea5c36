package config

import (
	"log/slog"
	"net/netip"
	"time"

	"latchkey/internal/secret"
)

// Config is what is in force for one run of the program. The table in
// options.go says how each field is set; Load fills it.
type Config struct {
	// Listen is the TCP address the server listens on, host:port.
	Listen string
	// ShutdownTimeout is how long requests may take to finish when the server stops.
	ShutdownTimeout time.Duration
	// TrustedProxies are the networks whose X-Forwarded-* headers are believed.
	TrustedProxies []netip.Prefix
	// MaxUnauthenticatedBody is the largest body, in bytes, read from a caller who is not known.
	MaxUnauthenticatedBody int64
	// CORSOrigins are the origins that may call the API from a browser, as scheme://host[:port].
	CORSOrigins []string
	// DisableCORSOnLocalhost refuses pages on localhost that CORSOrigins does not name.
	DisableCORSOnLocalhost bool

	// DataDir holds the SQLite file, the pepper and other files of the instance.
	DataDir string
	// DatabaseURL names a PostgreSQL database; empty means SQLite in DataDir.
	DatabaseURL secret.Text
	// ConfigFile is the YAML file that was read, or empty.
	ConfigFile string

	// LogLevel is the least level that is logged.
	LogLevel slog.Level
	// LogFormat is "text" or "json".
	LogFormat string
	// LogRequests logs a line for each request.
	LogRequests bool

	// MetricsListen is the TCP address that serves metrics alone, or empty.
	MetricsListen string
	// MetricsToken is what a scrape must show; without one only MetricsListen serves metrics.
	MetricsToken secret.Text

	// SiteURL is the public address without a trailing slash, or empty.
	SiteURL string
	// SiteName is what the pages call this instance.
	SiteName string

	// KeyPrefix begins the text of new API keys, underscore included.
	KeyPrefix string
	// Pepper is the text of the key that API keys are stored under. Empty means
	// that PepperFile holds it.
	Pepper secret.Text
	// PepperFile is the file that Pepper was read from or, when Pepper is empty,
	// the file in DataDir to read it from or to make at first start. It is empty
	// when Pepper was given as text.
	PepperFile string
	// PepperPrevious is the text of the pepper before the last rotation, or empty.
	PepperPrevious secret.Text

	// AdminEmail is the address of the first administrator, made on an empty instance.
	AdminEmail string
	// AdminPassword is the first administrator's password.
	AdminPassword secret.Text
	// AdminName is the first administrator's full name, or empty.
	AdminName string

	// SeedFile is the seed file that is applied at every start, or empty.
	SeedFile string
	// BootstrapKey is the text of the key that the first start makes, or empty.
	BootstrapKey secret.Text
	// BootstrapLife is how long that key lives at most.
	BootstrapLife time.Duration

	// SMTP says how e-mail is sent.
	SMTP SMTP

	// SessionMaxAge is how long a session lives.
	SessionMaxAge time.Duration
	// SessionTimeout ends a session that was not used for so long; 0 means never.
	SessionTimeout time.Duration
	// SessionCookies makes sessions end with the browser even when "remember me" is ticked.
	SessionCookies bool
	// DisableSessionThrottle lifts the limits on tries to sign in.
	DisableSessionThrottle bool
	// PasswordComplexity is "weak", "normal" or "strong".
	PasswordComplexity string
	// PasswordLength is the least length of a password; 0 means that of PasswordComplexity.
	PasswordLength int
	// Argon2MaxConcurrent is how many passwords are hashed at once.
	Argon2MaxConcurrent int

	// QueryTimeout is how long a query on a connected database may take.
	QueryTimeout time.Duration
	// SampleDatabase connects the sample database at set-up.
	SampleDatabase bool

	values map[string]value
}

// SMTP says how e-mail is sent. An empty Host means that none is sent.
type SMTP struct {
	Host     string
	Port     int
	User     string
	Password secret.Text
	// Security is "none", "starttls" or "tls".
	Security string
	// From is the sender, as an address or "Name <address>".
	From string
}

// value is the text of an option and where it came from. A Config keeps
// secret.Hidden as the text of a secret.
type value struct {
	text string
	from string // "default", "--listen", "LATCHKEY_LISTEN", "latchkey.yaml:3 (listen)"
	file string // the secret's file, when it was read from one
}

const fromDefault = "default"

// IsSet reports whether an option was set at all, so that it stands above what
// people may have stored in the instance's settings.
func (c *Config) IsSet(option string) bool {
	v, ok := c.values[option]
	return ok && v.from != fromDefault
}

// From says where an option's value came from: "default", or the flag,
// variable, or line of the file as its author wrote it.
func (c *Config) From(option string) string { return c.values[option].from }
