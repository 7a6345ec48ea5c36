package config

// Options returns the table of options, in the order of the reference.
func Options() []Option { return options(new(Config)) }

// The groups of options, in the order of the reference.
const (
	groupServer  = "Server"
	groupStorage = "Storage"
	groupLog     = "Log"
	groupMetrics = "Metrics"
	groupSite    = "Site"
	groupKeys    = "API keys"
	groupAdmin   = "First administrator"
	groupSeed    = "Seeding"
	groupMail    = "E-mail"
	groupSession = "Sessions and passwords"
	groupQuery   = "Connected databases"
)

// options is the table. Each row's set stores into c.
func options(c *Config) []Option {
	var table []Option
	add := func(group string, rows []Option) {
		for _, o := range rows {
			o.Group = group
			table = append(table, o)
		}
	}
	add(groupServer, serverOptions(c))
	add(groupStorage, storageOptions(c))
	add(groupLog, logOptions(c))
	add(groupMetrics, metricsOptions(c))
	add(groupSite, siteOptions(c))
	add(groupKeys, keyOptions(c))
	add(groupAdmin, adminOptions(c))
	add(groupSeed, seedOptions(c))
	add(groupMail, mailOptions(c))
	add(groupSession, sessionOptions(c))
	add(groupQuery, queryOptions(c))
	return table
}

func serverOptions(c *Config) []Option {
	return []Option{
		{Name: "listen", Kind: Address, Default: "127.0.0.1:3000", set: address(&c.Listen),
			Help:    "Address to listen on. 0.0.0.0:3000 takes connections from other machines.",
			guesses: []string{"port", "host", "bind", "addr", "address"}},
		{Name: "trusted-proxies", Kind: List, Empty: "none", set: networks(&c.TrustedProxies),
			Help: "Addresses or networks (CIDR) of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."},
		{Name: "max-unauthenticated-body", Kind: Bytes, Default: "1MiB", set: size(&c.MaxUnauthenticatedBody, 1<<10, 1<<30),
			Help: "Largest request body from a caller who is not signed in and has no valid key."},
		{Name: "cors-origins", Kind: List, Empty: "none", set: origins(&c.CORSOrigins),
			Help: "Origins (https://app.example.com) whose pages may call the API in a browser."},
		{Name: "disable-cors-on-localhost", Kind: Switch, Default: "false", set: boolean(&c.DisableCORSOnLocalhost),
			Help: "Refuse pages on localhost, which may otherwise call the API."},
		{Name: "shutdown-timeout", Kind: Duration, Default: "20s", set: duration(&c.ShutdownTimeout),
			Help: "How long running requests may take to finish when the server stops."},
	}
}

func storageOptions(c *Config) []Option {
	return []Option{
		{Name: "data-dir", Kind: Path, Default: "./latchkey-data", set: text(&c.DataDir),
			Help:    "Directory for the SQLite file, the pepper and other files of this instance. Made when missing.",
			guesses: []string{"data", "dir", "datadir"}},
		{Name: "database-url", Kind: URL, Secret: true, Empty: "SQLite in the data directory", set: hidden(&c.DatabaseURL, postgresURL),
			Help:    "PostgreSQL database for Latchkey's own data: postgres://user:password@host:5432/name.",
			guesses: []string{"db", "dsn", "db-url", "postgres-url"}},
		{Name: "config", Kind: Path, Empty: "none", set: text(&c.ConfigFile),
			Help:    "YAML file with any of these options, by name.",
			guesses: []string{"config-file", "conf"}},
	}
}

func logOptions(c *Config) []Option {
	return []Option{
		{Name: "log-level", Kind: "debug|info|warn|error", Default: "info", set: level(&c.LogLevel),
			Help: "Least important lines that are logged."},
		{Name: "log-format", Kind: "text|json", Default: "text", set: choice(&c.LogFormat, "text", "json"),
			Help: "How lines are written to standard error."},
		{Name: "log-requests", Kind: Switch, Default: "false", set: boolean(&c.LogRequests),
			Help: "Log a line for each request."},
	}
}

func metricsOptions(c *Config) []Option {
	return []Option{
		{Name: "metrics-listen", Kind: Address, Empty: "off", set: address(&c.MetricsListen),
			Help:    "Address that answers GET /metrics for Prometheus and nothing else, such as 127.0.0.1:9464. It needs no token unless metrics-token is set.",
			guesses: []string{"metrics", "metrics-port", "metrics-addr", "metrics-address", "prometheus"}},
		{Name: "metrics-token", Kind: Text, Secret: true, Empty: "no /metrics on the address of listen", set: hidden(&c.MetricsToken, bearer),
			Help: "Token that GET /metrics demands as Authorization: Bearer <token>, on the address of listen and of metrics-listen: 16 or more characters (openssl rand -hex 32)."},
	}
}

func siteOptions(c *Config) []Option {
	return []Option{
		{Name: "site-url", Kind: URL, Empty: "from the request", set: siteURL(&c.SiteURL),
			Help:    "Public address, used in links in e-mail: https://data.example.com. Set here, it cannot be changed in the pages.",
			guesses: []string{"url", "base-url", "public-url"}},
		{Name: "site-name", Kind: Text, Default: "Latchkey", set: text(&c.SiteName),
			Help: "Name of this instance. Set here, it cannot be changed in the pages."},
	}
}

func keyOptions(c *Config) []Option {
	return []Option{
		{Name: "key-prefix", Kind: Text, Default: "lk_", set: keyPrefix(&c.KeyPrefix),
			Help: "Beginning of new API keys: 2 to 8 letters; the underscore may be left out. Keys made before keep working."},
		{Name: "pepper", Kind: Text, Secret: true, Empty: "the file pepper in the data directory, made at first start", set: hidden(&c.Pepper, pepper),
			Help: "Key under which API keys are stored: base64 or hex of 32 bytes or more (openssl rand -base64 32). Without it no stored key works; back it up apart from the database."},
		{Name: "pepper-previous", Kind: Text, Secret: true, Empty: "none", set: hidden(&c.PepperPrevious, pepper),
			Help: "The pepper before the last change; keys stored under it keep working."},
	}
}

func adminOptions(c *Config) []Option {
	return []Option{
		{Name: "admin-email", Kind: Email, Empty: "made in the browser at first visit", set: email(&c.AdminEmail),
			Help: "E-mail address of an administrator to make when the instance has no users yet."},
		{Name: "admin-password", Kind: Text, Secret: true, set: hidden(&c.AdminPassword, nil),
			Help: "Password of that administrator."},
		{Name: "admin-name", Kind: Text, set: text(&c.AdminName),
			Help: "Full name of that administrator."},
	}
}

func seedOptions(c *Config) []Option {
	return []Option{
		{Name: "seed-file", Kind: Path, Empty: "none", set: text(&c.SeedFile),
			Help:    "YAML file with groups, people, policies and keys to make or change at every start, or a config.yml of Metabase. Nothing is removed.",
			guesses: []string{"seed", "seeds", "config-file-path"}},
		{Name: "bootstrap-key", Kind: Text, Secret: true, Empty: "none", set: hidden(&c.BootstrapKey, bootstrapKey),
			Help: "Text of a key of administrators that is made once, while the instance has no people: 32 or more characters, such as the output of latchkey key generate. It ends when set-up is done."},
		{Name: "bootstrap-minutes", Kind: Minutes, Default: "60", set: minutes(&c.BootstrapLife, 1),
			Help: "How long the bootstrap key lives at most, in minutes."},
	}
}

func mailOptions(c *Config) []Option {
	return []Option{
		{Name: "smtp-host", Kind: Text, Empty: "no e-mail is sent", set: hostname(&c.SMTP.Host),
			Help: "Mail server."},
		{Name: "smtp-port", Kind: Number, Default: "587", set: number(&c.SMTP.Port, 1, 65535),
			Help: "Port of the mail server: 587 with starttls, 465 with tls."},
		{Name: "smtp-user", Kind: Text, Empty: "no sign-in", set: text(&c.SMTP.User),
			Help: "User name at the mail server."},
		{Name: "smtp-password", Kind: Text, Secret: true, set: hidden(&c.SMTP.Password, nil),
			Help: "Password at the mail server."},
		{Name: "smtp-security", Kind: "none|starttls|tls", Default: "starttls", set: choice(&c.SMTP.Security, "none", "starttls", "tls"),
			Help: "How the connection to the mail server is protected."},
		{Name: "smtp-from", Kind: Email, set: sender(&c.SMTP.From),
			Help: "Sender of e-mail: latchkey@example.com, or Latchkey <latchkey@example.com>. Needed with smtp-host."},
	}
}

func sessionOptions(c *Config) []Option {
	return []Option{
		{Name: "session-max-age", Kind: Minutes, Default: "20160", set: minutes(&c.SessionMaxAge, 1),
			Help: "How long a session lives, in minutes (20160 is 14 days)."},
		{Name: "session-timeout", Kind: Minutes, Default: "0", set: minutes(&c.SessionTimeout, 0),
			Help: "End a session that was not used for so many minutes; 0 for never."},
		{Name: "session-cookies", Kind: Switch, Default: "false", set: boolean(&c.SessionCookies),
			Help: "End every session when the browser closes."},
		{Name: "disable-session-throttle", Kind: Switch, Default: "false", set: boolean(&c.DisableSessionThrottle),
			Help: "Do not limit tries to sign in. For tests only."},
		{Name: "password-complexity", Kind: "weak|normal|strong", Default: "normal", set: choice(&c.PasswordComplexity, "weak", "normal", "strong"),
			Help: "What a password needs: weak is 6 characters, normal 6 with a digit, strong 8 with 2 lower-case and 2 upper-case letters, a digit and a sign."},
		{Name: "password-length", Kind: Number, Default: "0", set: passwordLength(&c.PasswordLength),
			Help: "Least length of a password; 0 for that of password-complexity."},
		{Name: "argon2-max-concurrent", Kind: Number, Default: "2", set: number(&c.Argon2MaxConcurrent, 1, 64),
			Help: "How many passwords are hashed at once; each takes 19 MiB while it lasts."},
	}
}

func queryOptions(c *Config) []Option {
	return []Option{
		{Name: "query-timeout", Kind: Duration, Default: "60s", set: duration(&c.QueryTimeout),
			Help: "How long a query on a connected database may take, until its last row is sent."},
		{Name: "sample-database", Kind: Switch, Default: "true", set: boolean(&c.SampleDatabase),
			Help: "Connect the sample database when the instance is set up. Its file, sample.db, is made in the data directory."},
	}
}
